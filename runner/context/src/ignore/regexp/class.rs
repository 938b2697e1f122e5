//! Character classes: in brackets, and by name.

use super::{NEVER, Refused, Translator};
use crate::ignore::posix::{self, Ranges};
use regex::bytes::Regex;
use std::fmt::Write as _;

impl Translator<'_> {
    /// Translates a class in brackets.
    pub(super) fn class(&mut self) -> Option<()> {
        self.take()?;
        let negated = self.rest.first() == Some(&'^');
        if negated {
            self.take()?;
        }
        let mut items = String::new();
        let mut first = true;
        loop {
            match self.rest {
                [']', ..] if !first => break,
                ['[', ':', after @ ..] if after.windows(2).any(|w| w == [':', ']']) => {
                    let end = after.windows(2).position(|w| w == [':', ']'])?;
                    let name: String = after[..end].iter().collect();
                    let (name, turned) = match name.strip_prefix('^') {
                        Some(name) => (name, true),
                        None => (&name[..], false),
                    };
                    items.push_str(&item(posix::named(name)?, turned));
                    self.rest = &after[end + 2..];
                }
                _ => {
                    let escape = match self.rest.first() {
                        Some('\\') => self.class_escape().ok()?,
                        _ => None,
                    };
                    match escape {
                        Some(escape) => items.push_str(&escape),
                        None => items.push_str(&self.class_range()?),
                    }
                }
            }
            first = false;
        }
        self.take()?;
        match (items.is_empty(), negated) {
            (true, true) => self.out.push_str(r"[\x{0}-\x{10FFFF}]"),
            (true, false) => self.out.push_str(NEVER),
            (false, true) => write!(self.out, "[^{items}]").expect("a String takes all"),
            (false, false) => write!(self.out, "[{items}]").expect("a String takes all"),
        }
        Some(())
    }

    fn class_range(&mut self) -> Option<String> {
        let low = self.class_char()?;
        let high = match self.rest {
            ['-', next, ..] if *next != ']' => {
                self.take()?;
                self.class_char()?
            }
            _ => low,
        };
        (low <= high).then(|| range(low, high))
    }

    fn class_char(&mut self) -> Option<u32> {
        match self.rest.first()? {
            '\\' => self.escaped_char(),
            _ => self.take().map(u32::from),
        }
    }

    /// Reads `\d`, `\W`, `\pL`, `\p{Greek}` and the like, as an item of a class. `None` means that
    /// it is none of them, and nothing was consumed.
    pub(super) fn class_escape(&mut self) -> Result<Option<String>, Refused> {
        let &[letter, ref after @ ..] = &self.rest[1..] else {
            return Ok(None);
        };
        if let Some(ranges) = posix::perl(letter.to_ascii_lowercase()) {
            self.rest = after;
            return Ok(Some(item(ranges, letter.is_ascii_uppercase())));
        }
        if !matches!(letter, 'p' | 'P') {
            return Ok(None);
        }
        let (name, rest): (String, _) = match after.first().ok_or(Refused)? {
            '{' => {
                let end = after.iter().position(|&c| c == '}').ok_or(Refused)?;
                (after[1..end].iter().collect(), &after[end + 1..])
            }
            &c => (c.to_string(), &after[1..]),
        };
        let (name, turned) = match name.strip_prefix('^') {
            Some(name) => (name, true),
            None => (&name[..], false),
        };
        if !name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_ -".contains(c))
        {
            return Err(Refused);
        }
        let p = if (letter == 'P') == turned { 'p' } else { 'P' };
        let known = |kind: &&str| Regex::new(&format!(r"\p{{{kind}={name}}}")).is_ok();
        let kind = ["gc", "sc"]
            .into_iter()
            .find(|kind| known(kind))
            .ok_or(Refused)?;
        self.rest = rest;
        Ok(Some(format!(r"\{p}{{{kind}={name}}}")))
    }
}

fn item(ranges: Ranges, turned: bool) -> String {
    if !turned {
        return ranges.iter().map(|&(low, high)| range(low, high)).collect();
    }
    let mut from = 0;
    let mut text = String::new();
    for &(low, high) in ranges {
        if low > from {
            text.push_str(&range(from, low - 1));
        }
        from = high + 1;
    }
    text + &range(from, u32::from(char::MAX))
}

/// Returns a range of a class, without surrogates, which cannot be in a text.
fn range(low: u32, high: u32) -> String {
    let low = if char::from_u32(low).is_none() {
        0xe000
    } else {
        low
    };
    let high = if char::from_u32(high).is_none() {
        0xd7ff
    } else {
        high
    };
    if low > high {
        String::new()
    } else {
        format!(r"\x{{{low:X}}}-\x{{{high:X}}}")
    }
}
