//! Invisible characters: they may be between a secret's characters and vanish when it is displayed.

use sidestep_events::show::is_unseen;

use super::read::Read;

/// Returns the text without invisible characters.
pub(in super::super) fn visible(text: &str) -> String {
    text.chars().filter(|c| !is_unseen(*c)).collect()
}

/// Returns whether a byte may begin an invisible character: a control, or any character of UTF-8
/// that has several bytes.
pub(super) fn begins(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f || (0xc2..=0xf4).contains(&byte)
}

/// Returns whether all characters that begin with this byte of UTF-8 are visible.
pub(super) fn begins_only_visible(byte: u8) -> bool {
    // The first bytes of those above: Latin-1's controls, Arabic and Syriac, U+0800 to U+0FFF,
    // Hangul, Mongolian and Khmer, punctuation, U+3000 to U+3FFF, U+F000 to U+FFFF.
    matches!(byte, 0xc3..=0xcc | 0xce..=0xd7 | 0xd9..=0xda | 0xdd..=0xdf | 0xe4..=0xee)
}

/// Parses a character that begins with such a byte.
pub(super) fn read(bytes: &[u8]) -> Read {
    let length = match bytes.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => return Read::Dropped(1),
    };
    let known = &bytes[..bytes.len().min(length)];
    match std::str::from_utf8(known) {
        Ok(text) if text.chars().any(is_unseen) => Read::Dropped(length),
        Ok(_) => Read::Literal(length),
        Err(error) if error.error_len().is_none() => Read::More,
        // Not UTF-8: each byte for itself.
        Err(_) => Read::Literal(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_nothing_invisible_is_what_the_table_says() {
        let mut invisible = [false; 256];
        for character in (0..=0x0010_ffff).filter_map(char::from_u32) {
            if is_unseen(character) {
                let mut bytes = [0; 4];
                character.encode_utf8(&mut bytes);
                invisible[usize::from(bytes[0])] = true;
            }
        }
        for byte in 0x80..=0xf4_u8 {
            if begins_only_visible(byte) {
                assert!(!invisible[usize::from(byte)], "{byte:x}");
            }
            if invisible[usize::from(byte)] {
                assert!(begins(byte), "{byte:x}");
            }
        }
    }

    #[test]
    fn visible_texts_keep_spaces_and_letters() {
        assert_eq!(visible("a b\tc\n日é\u{feff}\u{200d}😀"), "a bc日é😀");
    }
}
