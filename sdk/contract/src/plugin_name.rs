//! The form of a plugin's name.

/// The form of a plugin's name, as messages explain it.
pub const PLUGIN_NAME: &str = "a name consists of lower-case words joined by `-`, begins with a letter, and has at most 63 characters";

/// Returns whether a text is a plugin's name. See [`PLUGIN_NAME`].
pub fn is_plugin_name(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let letter_first = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    letter_first && text.len() <= 63 && text.split('-').all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_joined_by_single_hyphens() {
        for name in ["a", "count-lines", "s3-copy", &"a".repeat(63)] {
            assert!(is_plugin_name(name), "{name}");
        }
        let long = "a".repeat(64);
        for name in [
            "", "A", "3d", "-a", "a-", "a--b", "a_b", "a/b", "../a", "ä", &long,
        ] {
            assert!(!is_plugin_name(name), "{name}");
        }
    }
}
