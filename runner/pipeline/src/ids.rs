use sidestep_evaluator::RESERVED;

/// The maximum length of an id, in characters.
pub(crate) const MAX_ID: usize = 64;

/// Checks that an expression can read an id: `[A-Za-z_][A-Za-z0-9_]*` and not a word of CEL. An
/// error holds the reason and the fix.
pub(crate) fn check(id: &str) -> Result<(), (String, String)> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if id.len() > MAX_ID {
        return Err((
            format!(
                "this id has {} characters; at most {MAX_ID} are allowed",
                id.chars().count()
            ),
            "choose a shorter one".to_owned(),
        ));
    }
    if RESERVED.contains(&id) {
        return Err((
            format!("`{id}` is a reserved word in expressions, so it can't be an id"),
            format!("write `{id}_`"),
        ));
    }
    if id.is_empty() || !id.chars().all(good) || id.starts_with(|c: char| c.is_ascii_digit()) {
        let mut offer: String = id.chars().map(|c| if good(c) { c } else { '_' }).collect();
        if offer.is_empty() || offer.starts_with(|c: char| c.is_ascii_digit()) {
            offer.insert(0, '_');
        }
        return Err((
            format!("`{id}` can't be an id: expressions would not read it as one name"),
            format!("write `{offer}`; ids have letters, digits and `_`"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_underscored_form_is_offered() {
        assert!(check("build_image2").is_ok());
        let help = |id| check(id).expect_err(id).1;
        assert!(help("build-image").contains("`build_image`"));
        assert!(help("2nd").contains("`_2nd`"));
        assert!(help("in").contains("`in_`"));
        assert!(help("").contains("`_`"));
    }
}
