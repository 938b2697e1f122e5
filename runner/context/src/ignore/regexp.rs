//! From the regular expression that patternmatcher builds, in Go's syntax, to
//! one of the `regex` crate with the same meaning.
//!
//! patternmatcher hands much of a pattern to Go's compiler as it is: what stands
//! in brackets, what follows a backslash, `^`, and, since its table of
//! characters to escape does not hold them, `{`, `|` and `}`. So `\d` is a digit,
//! `[[:alpha:]]` a letter, and `*.a|b` two alternatives. The two syntaxes
//! differ, and so do their errors; every part is read here by Go's rules and
//! written in a form that has one meaning only.

use super::posix::{self, Ranges};
use regex::bytes::{Regex, RegexBuilder};
use std::fmt::Write as _;

/// Go refuses a repetition of more.
const MOST_REPEATS: u32 = 1000;
/// Matches nothing.
const NEVER: &str = r"[^\x{0}-\x{10FFFF}]";

/// Compiles an expression of Go's syntax, for matching on text that
/// [`super::clean::decode`] made. `None`: Go has an error for it.
pub(super) fn compile(go: &str) -> Option<Regex> {
    let chars: Vec<char> = go.chars().collect();
    let translated = Translator {
        rest: &chars,
        out: String::new(),
    }
    .run()?;
    RegexBuilder::new(&translated)
        .size_limit(1 << 28)
        .build()
        .ok()
}

/// Go has an error for it.
struct Refused;

struct Translator<'a> {
    rest: &'a [char],
    out: String,
}

impl Translator<'_> {
    fn run(mut self) -> Option<String> {
        // Where the expression that a repetition would apply to starts.
        let mut atom: Option<usize> = None;
        let mut groups = Vec::new();
        let mut after_repeat = false;
        while let Some(&c) = self.rest.first() {
            let start = self.out.len();
            let mut repeat = false;
            match c {
                '(' => {
                    self.rest = &self.rest[1..];
                    self.out.push_str("(?:");
                    groups.push(start);
                    atom = None;
                }
                ')' => {
                    self.rest = &self.rest[1..];
                    self.out.push(')');
                    atom = Some(groups.pop()?);
                }
                '|' => {
                    self.rest = &self.rest[1..];
                    self.out.push('|');
                    atom = None;
                }
                '*' | '?' | '{' => {
                    if let Some(operator) = self.repetition().ok()? {
                        if after_repeat {
                            return None;
                        }
                        let from = atom?;
                        self.out.insert_str(from, "(?:");
                        self.out.push(')');
                        self.out.push_str(&operator);
                        repeat = true;
                    } else {
                        self.rest = &self.rest[1..];
                        self.literal('{');
                        atom = Some(start);
                    }
                }
                '\\' if self.rest.get(1) == Some(&'Q') => {
                    // Quoted up to `\E` or the end; the last character is the atom.
                    self.rest = &self.rest[2..];
                    let end = self.rest.windows(2).position(|w| w == ['\\', 'E']);
                    let (quoted, rest) = match end {
                        Some(at) => (&self.rest[..at], &self.rest[at + 2..]),
                        None => (self.rest, &self.rest[self.rest.len()..]),
                    };
                    for &c in quoted {
                        atom = Some(self.out.len());
                        self.literal(c);
                    }
                    self.rest = rest;
                }
                _ => {
                    self.atom(c)?;
                    atom = Some(start);
                }
            }
            after_repeat = repeat;
        }
        groups.is_empty().then_some(self.out)
    }

    fn take(&mut self) -> Option<char> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn atom(&mut self, c: char) -> Option<()> {
        match c {
            '[' => return self.class(),
            '\\' => return self.escaped(),
            '^' => self.out.push_str(r"\A"),
            '$' => self.out.push_str(r"\z"),
            '.' => self.out.push_str(r"[^\n]"),
            _ => self.literal(c),
        }
        self.take().map(drop)
    }

    fn literal(&mut self, c: char) {
        self.code(u32::from(c));
    }

    fn code(&mut self, code: u32) {
        match char::from_u32(code) {
            Some(_) => write!(self.out, r"\x{{{code:X}}}").expect("a String takes all"),
            // A surrogate, which no text holds.
            None => self.out.push_str(NEVER),
        }
    }

    /// `*`, `?` or `{n,m}` in the `regex` crate's syntax. `None` is a `{` that
    /// starts no repetition: then nothing is taken.
    fn repetition(&mut self) -> Result<Option<String>, Refused> {
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

    /// A backslash and what belongs to it, outside brackets.
    fn escaped(&mut self) -> Option<()> {
        match self.rest.get(1)? {
            'A' => self.out.push_str(r"\A"),
            'z' => self.out.push_str(r"\z"),
            'b' => self.out.push_str(r"(?-u:\b)"),
            'B' => self.out.push_str(r"(?-u:\B)"),
            _ => {
                if let Some(item) = self.class_escape().ok()? {
                    write!(self.out, "[{item}]").expect("a String takes all");
                } else {
                    let code = self.escaped_char()?;
                    self.code(code);
                }
                return Some(());
            }
        }
        self.rest = &self.rest[2..];
        Some(())
    }

    /// `\d`, `\W`, `\pL`, `\p{Greek}` and the like, as an item of a class. `None`:
    /// it is none of them, and nothing was taken.
    fn class_escape(&mut self) -> Result<Option<String>, Refused> {
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

    /// A backslash and a character, octal or hexadecimal number.
    fn escaped_char(&mut self) -> Option<u32> {
        self.take()?;
        let c = self.take()?;
        let octal = |c: Option<&char>| c.and_then(|c| c.to_digit(8));
        Some(match c {
            '1'..='7' if octal(self.rest.first()).is_none() => return None,
            '0'..='7' => {
                let mut value = c.to_digit(8)?;
                for _ in 0..2 {
                    let Some(digit) = octal(self.rest.first()) else {
                        break;
                    };
                    value = value * 8 + digit;
                    self.take()?;
                }
                value
            }
            'x' => self.hexadecimal()?,
            'a' => 0x07,
            'f' => 0x0c,
            'n' => 0x0a,
            'r' => 0x0d,
            't' => 0x09,
            'v' => 0x0b,
            _ if c.is_ascii() && !c.is_ascii_alphanumeric() => u32::from(c),
            _ => return None,
        })
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let first = self.take()?;
        if first != '{' {
            return Some(first.to_digit(16)? * 16 + self.take()?.to_digit(16)?);
        }
        let mut value = None;
        loop {
            match self.take()? {
                '}' => return value,
                c => {
                    let next = value.unwrap_or(0) * 16 + c.to_digit(16)?;
                    value = Some(next).filter(|&code| code <= u32::from(char::MAX));
                    value?;
                }
            }
        }
    }

    fn class(&mut self) -> Option<()> {
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

/// A range of a class; what is in it of surrogates, which no text holds, goes.
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
