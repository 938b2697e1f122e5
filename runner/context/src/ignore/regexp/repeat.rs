//! Repetitions.

use super::{Refused, Translator};

/// The maximum count of a repetition in Go.
const MOST_REPEATS: u32 = 1000;

impl Translator<'_> {
    /// Translates `*`, `?` or `{n,m}` to the `regex` crate's syntax. `None` means a `{` that does
    /// not start a repetition: then nothing is consumed.
    pub(super) fn repetition(&mut self) -> Result<Option<String>, Refused> {
        let operator = if self.rest[0] == '{' {
            let Some((low, high, length)) = counts(self.rest) else {
                return Ok(None);
            };
            let (Some(low), Ok(high)) = (low, high) else {
                return Err(Refused);
            };
            if low > MOST_REPEATS || high.is_some_and(|high| high > MOST_REPEATS || low > high) {
                return Err(Refused);
            }
            self.rest = &self.rest[length..];
            match high {
                Some(high) => format!("{{{low},{high}}}"),
                None => format!("{{{low},}}"),
            }
        } else {
            self.take().ok_or(Refused)?.to_string()
        };
        // Whether it is lazy or greedy does not change whether it matches.
        if self.rest.first() == Some(&'?') {
            self.rest = &self.rest[1..];
        }
        Ok(Some(operator))
    }
}

/// The minimum, the maximum, and the number of characters that they take. A number that is too
/// large for Go is `None` or an error.
type Counts = (Option<u32>, Result<Option<u32>, Refused>, usize);

/// Parses `{n}`, `{n,}` or `{n,m}` at the start, by Go's rules: no leading zeros.
fn counts(chars: &[char]) -> Option<Counts> {
    let (low, mut at) = number(chars, 1)?;
    let mut high = Some(low);
    if chars.get(at) == Some(&',') {
        at += 1;
        high = None;
        if chars.get(at) != Some(&'}') {
            let (number, end) = number(chars, at)?;
            high = Some(number);
            at = end;
        }
    }
    if chars.get(at) != Some(&'}') {
        return None;
    }
    let high = match high {
        None => Ok(None),
        Some(number) => number.map(Some).ok_or(Refused),
    };
    Some((low, high, at + 1))
}

fn number(chars: &[char], from: usize) -> Option<(Option<u32>, usize)> {
    let digits: String = chars[from..]
        .iter()
        .take_while(|c| c.is_ascii_digit())
        .collect();
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().ok(), from + digits.len()))
}
