//! The wildcards of `COPY` and `ADD`.

/// Returns whether a path matches a pattern like Go's `filepath.Match`, which defines the wildcards
/// of `COPY`: `*` and `?` stop at slashes, and there is no `**`. A malformed pattern matches
/// nothing.
pub fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let path: Vec<char> = path.chars().collect();
    here(&pattern, &path)
}

/// Returns whether a source has wildcards.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

fn here(pattern: &[char], path: &[char]) -> bool {
    // After a star, the position to resume from when the rest does not match.
    let (mut p, mut n) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == '*' {
            back = Some((p + 1, n));
            p += 1;
            continue;
        }
        if p == pattern.len() && n == path.len() {
            return true;
        }
        if n < path.len()
            && let Some(width) = one(&pattern[p..], path[n])
        {
            p += width;
            n += 1;
            continue;
        }
        match back {
            Some((after, from)) if from < path.len() && path[from] != '/' => {
                back = Some((after, from + 1));
                (p, n) = (after, from + 1);
            }
            _ => return false,
        }
    }
}

/// Returns the number of characters of the pattern that match one character of the path.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern {
        ['?', ..] => (c != '/').then_some(1),
        ['\\', literal, ..] => (*literal == c).then_some(2),
        ['[', rest @ ..] => {
            let negated = rest.first() == Some(&'^');
            let mut at = usize::from(negated);
            let mut matched = false;
            let start = at;
            while rest.get(at) != Some(&']') || at == start {
                let (low, next) = class_char(rest, at)?;
                let (high, next) = match rest.get(next) {
                    Some('-') => class_char(rest, next + 1)?,
                    _ => (low, next),
                };
                matched |= low <= c && c <= high;
                at = next;
            }
            (matched != negated).then_some(at + 2)
        }
        [literal, ..] => (*literal == c).then_some(1),
        [] => None,
    }
}

fn class_char(class: &[char], at: usize) -> Option<(char, usize)> {
    match class.get(at)? {
        '\\' => Some((*class.get(at + 1)?, at + 2)),
        '-' | ']' => None,
        &c => Some((c, at + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stop_at_slashes() {
        for (pattern, path) in [
            ("*.go", "a.go"),
            ("a/*/c", "a/b/c"),
            ("a?c", "abc"),
            ("[a-c]x", "bx"),
            ("[^a]", "b"),
            (r"\*", "*"),
            ("a*b*c", "axbyc"),
            ("*", ""),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("*.go", "a/b.go"),
            ("a?c", "a/c"),
            ("[a-c]x", "dx"),
            ("[", "["),
            ("[]a]", "a"),
            ("a*", "a/b"),
            ("a", "ab"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }
}
