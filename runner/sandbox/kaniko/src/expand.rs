use std::iter::Peekable;

/// Replaces variables in a word and takes its quotes away, by the Dockerfile
/// reference's rules: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:+other}`
/// (and both without the colon), nothing within single quotes, and `escape`
/// takes the meaning of the next character.
pub(crate) fn expand(word: &str, escape: char, lookup: Lookup<'_>) -> String {
    replace(word, escape, true, lookup)
}

/// The same for the text of a here-document, where quotes are text.
pub(crate) fn expand_text(text: &str, escape: char, lookup: Lookup<'_>) -> String {
    replace(text, escape, false, lookup)
}

/// The value of a variable.
pub(crate) type Lookup<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

fn replace(word: &str, escape: char, quotes: bool, lookup: Lookup<'_>) -> String {
    let mut out = String::new();
    let mut chars = word.chars().peekable();
    let mut inside = false;
    while let Some(c) = chars.next() {
        match c {
            '\'' if quotes && !inside => out.extend(chars.by_ref().take_while(|&c| c != '\'')),
            '"' if quotes => inside = !inside,
            '$' => out.push_str(&variable(&mut chars, escape, lookup)),
            c if c == escape => match chars.next() {
                // In double quotes, only some characters need it.
                Some(next)
                    if (inside || !quotes) && !matches!(next, '"' | '$') && next != escape =>
                {
                    out.extend([escape, next]);
                }
                Some(next) => out.push(next),
                None => out.push(escape),
            },
            c => out.push(c),
        }
    }
    out
}

fn variable(chars: &mut Peekable<std::str::Chars<'_>>, escape: char, lookup: Lookup<'_>) -> String {
    let in_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    if chars.next_if_eq(&'{').is_none() {
        let mut name = String::new();
        while let Some(c) = chars.next_if(in_name) {
            name.push(c);
        }
        return if name.is_empty() {
            "$".into()
        } else {
            lookup(&name).unwrap_or_default()
        };
    }
    let mut inner = String::new();
    let mut depth = 1;
    for c in chars.by_ref() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        inner.push(c);
    }
    let end = inner.find(|c| !in_name(&c)).unwrap_or(inner.len());
    let (name, rest) = inner.split_at(end);
    let value = lookup(name);
    let (rest, full) = match rest.strip_prefix(':') {
        Some(rest) => (rest, value.clone().filter(|value| !value.is_empty())),
        None => (rest, value.clone()),
    };
    let other = |text: &str| expand(text, escape, lookup);
    match rest.chars().next() {
        Some('-') => full.unwrap_or_else(|| other(&rest[1..])),
        Some('+') => full.map(|_| other(&rest[1..])).unwrap_or_default(),
        _ => value.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_reference() {
        let lookup = |name: &str| match name {
            "A" => Some("a b".to_owned()),
            "E" => Some(String::new()),
            _ => None,
        };
        let cases = [
            ("$A/x", "a b/x"),
            ("${A}x", "a bx"),
            ("$Ax", ""),
            ("${N:-d}", "d"),
            ("${E:-d}", "d"),
            ("${E-d}", ""),
            ("${A:+y}", "y"),
            ("${N:+y}", ""),
            ("${N:-${A}}", "a b"),
            ("'$A'", "$A"),
            ("\"$A\"", "a b"),
            (r"\$A", "$A"),
            (r#""\n""#, r"\n"),
            ("$", "$"),
            ("a$", "a$"),
            ("${", ""),
            (r"a\ b", "a b"),
            ("${N:-'x}", "x"),
        ];
        for (word, want) in cases {
            assert_eq!(expand(word, '\\', &lookup), want, "{word}");
        }
    }
}
