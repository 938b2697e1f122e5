//! Parses escapes from their first byte.

use super::read::Read;

/// The maximum length of a colour sequence; real ones have about 20 bytes.
const LONGEST_COLOUR: usize = 64;

/// Parses a sequence that begins with ESC.
pub(super) fn colour(bytes: &[u8]) -> Read {
    let parameters = match bytes {
        [_] => return Read::More,
        [_, b'[', parameters @ ..] if bytes.len() <= LONGEST_COLOUR => parameters,
        _ => return Read::Literal(1),
    };
    let end = parameters
        .iter()
        .position(|byte| !(0x30..=0x3f).contains(byte));
    match end {
        None => Read::More,
        Some(end) if parameters[end] == b'm' => Read::Dropped(2 + end + 1),
        Some(_) => Read::Literal(1),
    }
}

/// Parses an escape that begins with `%`.
pub(super) fn percent(bytes: &[u8]) -> Read {
    match hex(&bytes[1..], 2) {
        Hex::Value(value) => byte(3, value),
        Hex::More => Read::More,
        Hex::Wrong => Read::Literal(1),
    }
}

/// Parses an escape that begins with a backslash.
pub(super) fn backslash(bytes: &[u8]) -> Read {
    let Some(kind) = bytes.get(1) else {
        return Read::More;
    };
    let control = match kind {
        b'"' | b'\\' | b'/' | b'\'' => return Read::Byte(2, *kind),
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'x' => {
            return match hex(&bytes[2..], 2) {
                Hex::Value(value) => byte(4, value),
                Hex::More => Read::More,
                Hex::Wrong => Read::Literal(1),
            };
        }
        b'u' => return unicode(bytes),
        _ => return Read::Literal(1),
    };
    Read::Byte(2, control)
}

/// Parses an escape that begins with `\u`; the two halves of a surrogate pair are one character.
fn unicode(bytes: &[u8]) -> Read {
    let first = match hex(&bytes[2..], 4) {
        Hex::Value(value) => value,
        Hex::More => return Read::More,
        Hex::Wrong => return Read::Literal(1),
    };
    let alone = Read::Character(6, char::from_u32(first).unwrap_or('\u{fffd}'));
    if !(0xd800..0xdc00).contains(&first) {
        return alone;
    }
    let second = match &bytes[6..] {
        [] | [b'\\'] => return Read::More,
        [b'\\', b'u', rest @ ..] => match hex(rest, 4) {
            Hex::More => return Read::More,
            Hex::Value(value) if (0xdc00..0xe000).contains(&value) => value,
            Hex::Value(_) | Hex::Wrong => return alone,
        },
        _ => return alone,
    };
    let character = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    Read::Character(12, char::from_u32(character).unwrap_or('\u{fffd}'))
}

enum Hex {
    Value(u32),
    More,
    Wrong,
}

fn byte(length: usize, value: u32) -> Read {
    u8::try_from(value).map_or(Read::Literal(1), |value| Read::Byte(length, value))
}

/// Parses the number in the first `digits` bytes.
fn hex(bytes: &[u8], digits: usize) -> Hex {
    let mut value = 0;
    for byte in bytes.iter().take(digits) {
        let Some(digit) = char::from(*byte).to_digit(16) else {
            return Hex::Wrong;
        };
        value = value * 16 + digit;
    }
    if bytes.len() < digits {
        Hex::More
    } else {
        Hex::Value(value)
    }
}
