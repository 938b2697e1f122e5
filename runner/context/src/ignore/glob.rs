//! The syntax check of patternmatcher before it compiles a pattern: Go's
//! `filepath.Match(pattern, ".")`, of which only the error is used. It reads a pattern only as far
//! as it matches `.`, so a later error passes here and is found when the pattern is compiled.

/// Returns whether Go's `filepath.Match(pattern, ".")` returns no error.
pub(super) fn is_well_formed(pattern: &[u8]) -> bool {
    check(pattern).is_some()
}

/// Checks a pattern; `None` is Go's `ErrBadPattern`.
fn check(mut pattern: &[u8]) -> Option<()> {
    let mut name: &[u8] = b".";
    'pattern: while !pattern.is_empty() {
        let (star, chunk, rest) = next_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return Some(());
        }
        if let Some(left) = match_chunk(chunk, name).ok()?
            && (left.is_empty() || !pattern.is_empty())
        {
            name = left;
            continue;
        }
        if star {
            for skipped in 1..=name.len() {
                if let Some(left) = match_chunk(chunk, &name[skipped..]).ok()? {
                    if pattern.is_empty() && !left.is_empty() {
                        continue;
                    }
                    name = left;
                    continue 'pattern;
                }
            }
        }
        return Some(());
    }
    Some(())
}

/// Returns whether a star is next, the part of the pattern up to the next star, and the rest.
fn next_chunk(pattern: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = pattern.iter().take_while(|&&b| b == b'*').count();
    let pattern = &pattern[stars..];
    let mut in_class = false;
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            b'\\' if at + 1 < pattern.len() => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'*' if !in_class => break,
            _ => {}
        }
        at += 1;
    }
    let at = at.min(pattern.len());
    (stars > 0, &pattern[..at], &pattern[at..])
}

/// Go's `ErrBadPattern`.
struct Malformed;

/// Matches a chunk: `None` if it does not match, else the rest of the name, which is `.` or empty,
/// so its characters are single bytes.
fn match_chunk<'n>(mut chunk: &[u8], mut name: &'n [u8]) -> Result<Option<&'n [u8]>, Malformed> {
    let mut failed = false;
    while let Some(&first) = chunk.first() {
        failed |= name.is_empty();
        match first {
            b'[' => {
                let c = name.first().copied().map_or('\0', char::from);
                if !failed {
                    name = &name[1..];
                }
                chunk = &chunk[1..];
                let negated = chunk.first() == Some(&b'^');
                if negated {
                    chunk = &chunk[1..];
                }
                let mut matched = false;
                let mut ranges = 0;
                while ranges == 0 || chunk.first() != Some(&b']') {
                    let low = class_char(&mut chunk).ok_or(Malformed)?;
                    let mut high = low;
                    if chunk.first() == Some(&b'-') {
                        chunk = &chunk[1..];
                        high = class_char(&mut chunk).ok_or(Malformed)?;
                    }
                    matched |= low <= c && c <= high;
                    ranges += 1;
                }
                chunk = &chunk[1..];
                failed |= matched == negated;
            }
            b'?' => {
                if !failed {
                    name = &name[1..];
                }
                chunk = &chunk[1..];
            }
            _ => {
                if first == b'\\' {
                    chunk = &chunk[1..];
                }
                let &literal = chunk.first().ok_or(Malformed)?;
                if !failed {
                    failed = literal != name[0];
                    name = &name[1..];
                }
                chunk = &chunk[1..];
            }
        }
    }
    Ok((!failed).then_some(name))
}

fn class_char(chunk: &mut &[u8]) -> Option<char> {
    let mut rest = *chunk;
    match rest.first()? {
        b'-' | b']' => return None,
        b'\\' => rest = &rest[1..],
        _ => {}
    }
    let c = rest.utf8_chunks().next()?.valid().chars().next()?;
    rest = &rest[c.len_utf8()..];
    *chunk = rest;
    // An unclosed class is malformed.
    (!rest.is_empty()).then_some(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_go_finds() {
        for bad in [
            "[", "[]", "[]a]", "[-]", "[a-]", "a\\", "[^]", "[a", ".*[", "[\\",
        ] {
            assert!(!is_well_formed(bad.as_bytes()), "{bad}");
        }
        for good in [
            "",
            "*",
            "a*[",
            "[a]",
            "[^a-z]",
            "a\\*",
            "[\\]]",
            "x*\\",
            "[[:alpha:]]",
        ] {
            assert!(is_well_formed(good.as_bytes()), "{good}");
        }
        assert!(!is_well_formed(b"[\xff]"));
    }
}
