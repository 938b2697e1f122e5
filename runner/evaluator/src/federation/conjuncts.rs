/// Splits a condition at its outermost `&&`. A condition with an outermost `||` or `?` is one part.
pub fn conjuncts(text: &str) -> Vec<&str> {
    let text = text.trim();
    let Some(ends) = outermost(text) else {
        return vec![text];
    };
    if ends.is_empty() {
        return match inside(text) {
            Some(inner) if outermost(inner).is_some_and(|ends| !ends.is_empty()) => {
                conjuncts(inner)
            }
            _ => vec![text],
        };
    }
    let mut parts = Vec::new();
    let mut start = 0;
    for end in ends {
        parts.push(&text[start..end]);
        start = end + 2;
    }
    parts.push(&text[start..]);
    parts.into_iter().flat_map(conjuncts).collect()
}

/// Returns the places of the outermost `&&`; `None` if `||` or `?` binds less tightly.
fn outermost(text: &str) -> Option<Vec<usize>> {
    let mut ends: Vec<usize> = Vec::new();
    let mut alternatives = false;
    walk(text, |at, depth, rest| {
        if depth == 0 {
            match rest {
                [b'&', b'&', ..] if ends.last().is_none_or(|last| last + 2 <= at) => ends.push(at),
                [b'|', b'|', ..] | [b'?', ..] => alternatives = true,
                _ => {}
            }
        }
    });
    (!alternatives).then_some(ends)
}

/// Returns the text inside of brackets that enclose all of it.
fn inside(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    let mut enclosed = true;
    // Otherwise the first bracket is closed before the end.
    walk(text, |at, depth, _| {
        enclosed &= depth > 0 || at + 1 == text.len();
    });
    enclosed.then_some(inner)
}

/// Passes each byte outside of strings and comments: its place, the depth of brackets after it, and the text from
/// it on.
fn walk(text: &str, mut see: impl FnMut(usize, usize, &[u8])) {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'\'' | b'"') => {
                let raw = at > 0 && matches!(bytes[at - 1], b'r' | b'R');
                at = after_string(bytes, at, quote, raw);
                continue;
            }
            b'/' if bytes[at..].starts_with(b"//") => {
                let line = bytes[at..].iter().take_while(|byte| **byte != b'\n');
                at += line.count();
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        see(at, depth, &bytes[at..]);
        at += 1;
    }
}

/// Returns the place after a string that begins at `start`.
fn after_string(bytes: &[u8], start: usize, quote: u8, raw: bool) -> usize {
    let triple = [quote; 3];
    let close = if bytes[start..].starts_with(&triple) {
        &triple[..]
    } else {
        &triple[..1]
    };
    let mut at = start + close.len();
    while at < bytes.len() {
        if bytes[at] == b'\\' && !raw {
            at += 2;
        } else if bytes[at..].starts_with(close) {
            return at + close.len();
        } else {
            at += 1;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_split_where_only_all_parts_together_decide() {
        for (text, expected) in [
            ("a == 'x'", vec!["a == 'x'"]),
            ("a && b", vec!["a", "b"]),
            (" a && (b && c) && d ", vec!["a", "b", "c", "d"]),
            ("a && (b || c)", vec!["a", "(b || c)"]),
            ("a && b || c", vec!["a && b || c"]),
            ("a ? b && c : d", vec!["a ? b && c : d"]),
            ("(a) && (b)", vec!["(a)", "(b)"]),
            ("(a && b)", vec!["a", "b"]),
            (
                "a == '&&' && b == \"'&&\"",
                vec!["a == '&&'", "b == \"'&&\""],
            ),
            (r"a == '\'&&' && b", vec![r"a == '\'&&'", "b"]),
            (r"a == r'\' && b", vec![r"a == r'\'", "b"]),
            ("a == '''x'&&y''' && b", vec!["a == '''x'&&y'''", "b"]),
            ("x.exists(y, y && z) && b", vec!["x.exists(y, y && z)", "b"]),
            ("a // it's && not\n && b", vec!["a // it's && not", "b"]),
            ("a == '//' && b", vec!["a == '//'", "b"]),
            ("a && b // || c", vec!["a", "b // || c"]),
            ("", vec![""]),
            ("a &&", vec!["a", ""]),
        ] {
            assert_eq!(conjuncts(text), expected, "{text}");
        }
    }

    #[test]
    fn the_parts_of_any_text_are_pieces_of_it_in_order() {
        for text in ["((a&&b", "a))&&b(", "'a&&", "é && ü", "&&&&", "((()))&&[{"] {
            let parts = conjuncts(text);
            let mut rest = text;
            for part in parts {
                let at = rest.find(part).expect("a piece of the text");
                rest = &rest[at + part.len()..];
            }
        }
    }
}
