/// Returns the shortest equivalent path, by its text alone, like Go's `filepath.Clean` on Unix.
/// Repeated slashes and `.` are removed, `..` removes the part before it, a `..` at the root is
/// removed, and an empty result is `.`.
pub fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.first() == Some(&b'/');
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&b| b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => match parts.last() {
                Some(&last) if last != b".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(part),
            },
            _ => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", &joined[..]].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

/// Decodes text like Go's regular expressions and scanners: every byte that is not part of valid
/// UTF-8 becomes one U+FFFD.
pub(super) fn decode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

/// Trims white space like Go's `strings.TrimSpace`.
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let Some((width, true)) = first_char(rest) {
        rest = &rest[width..];
    }
    while let Some((width, true)) = last_char(rest) {
        rest = &rest[..rest.len() - width];
    }
    rest
}

fn first_char(bytes: &[u8]) -> Option<(usize, bool)> {
    space((1..=bytes.len().min(4)).find_map(|n| std::str::from_utf8(&bytes[..n]).ok()))
}

fn last_char(bytes: &[u8]) -> Option<(usize, bool)> {
    let from = |n| std::str::from_utf8(&bytes[bytes.len() - n..]).ok();
    space((1..=bytes.len().min(4)).find_map(from))
}

fn space(text: Option<&str>) -> Option<(usize, bool)> {
    let c = text?.chars().next()?;
    Some((c.len_utf8(), c.is_whitespace()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_like_go() {
        let cases = [
            ("", "."),
            ("/", "/"),
            ("a/./b//c/", "a/b/c"),
            ("a/../..", ".."),
            ("../../a", "../../a"),
            ("/../a", "/a"),
            ("./", "."),
            ("a/b/../../..", ".."),
            ("!a/../b", "b"),
            ("...", "..."),
        ];
        for (given, want) in cases {
            assert_eq!(
                String::from_utf8(clean(given.as_bytes())).unwrap(),
                want,
                "{given:?}"
            );
        }
    }

    #[test]
    fn trims_every_space_and_no_stray_byte() {
        assert_eq!(trim("\u{a0}\t a b\u{3000}\r".as_bytes()), b"a b");
        assert_eq!(trim(b"\x85a\xa0"), b"\x85a\xa0");
        assert_eq!(trim(b" \n"), b"");
    }

    #[test]
    fn a_bad_byte_is_one_replacement() {
        assert_eq!(
            decode(b"a\xed\xa0\x80\xe4\xb8z"),
            "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}z"
        );
    }
}
