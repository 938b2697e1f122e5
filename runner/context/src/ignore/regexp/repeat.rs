//! Repetitions.

use super::{Refused, Translator};

/// Go refuses a repetition of more.
const MOST_REPEATS: u32 = 1000;

impl Translator<'_> {
    /// `*`, `?` or `{n,m}` in the `regex` crate's syntax. `None` is a `{` that
    /// starts no repetition: then nothing is taken.
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
        // Lazy or greedy is one for a yes or no.
        if self.rest.first() == Some(&'?') {
            self.rest = &self.rest[1..];
        }
        Ok(Some(operator))
    }
}

/// The least and the greatest count, and how many characters they take. A number that
/// Go gives up on is `None` or an error.
type Counts = (Option<u32>, Result<Option<u32>, Refused>, usize);

/// `{n}`, `{n,}` or `{n,m}` at the start, by Go's rules: no leading zeros.
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
