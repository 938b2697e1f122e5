use strsim::levenshtein;

/// Returns ` (did you mean X?)`, if a known name is similar. A name that differs only in case is
/// not suggested: then something else is wrong.
pub(crate) fn suggestion<'k>(
    given: &str,
    known: impl IntoIterator<Item = &'k str>,
    case_matters: bool,
) -> String {
    let lower = given.to_lowercase();
    let wanted = if case_matters { given } else { &lower };
    let mut nearest = None;
    let mut least = 3;
    for name in known {
        if name == wanted {
            return String::new();
        }
        let distance = levenshtein(wanted, name);
        if distance < least {
            least = distance;
            nearest = Some(name);
        }
    }
    let Some(name) = nearest else {
        return String::new();
    };
    if !case_matters && given != lower && given == given.to_uppercase() {
        format!(" (did you mean {}?)", name.to_uppercase())
    } else {
        format!(" (did you mean {name}?)")
    }
}

/// Returns the known name that was probably meant: it differs in one or two characters, and in less
/// than half of the name.
pub fn nearest<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let given = given.to_lowercase();
    known
        .into_iter()
        .map(|name| (levenshtein(&given, &name.to_lowercase()), name))
        .filter(|(distance, _)| (1..3).contains(distance) && distance * 2 < given.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_named_in_the_writers_case() {
        let known = ["copy", "run"];
        assert_eq!(suggestion("COPPY", known, false), " (did you mean COPY?)");
        assert_eq!(suggestion("coppy", known, false), " (did you mean copy?)");
        assert_eq!(suggestion("EXECUTE", known, false), "");
        assert_eq!(suggestion("linck", ["link"], true), " (did you mean link?)");
        assert_eq!(nearest("buidler", ["builder", "run"]), Some("builder"));
        assert_eq!(nearest("go", ["do"]), None);
        assert_eq!(levenshtein("kitten", "sitting"), 3);
    }
}
