//! Translates the regular expression that patternmatcher builds, in Go's syntax, to one of the
//! `regex` crate with the same meaning.
//!
//! patternmatcher passes much of a pattern unchanged to Go's compiler: the text in brackets,
//! escapes, `^`, and, since its table of characters to escape does not have them, `{`, `|` and `}`.
//! So `\d` is a digit, `[[:alpha:]]` a letter, and `*.a|b` two alternatives. The two syntaxes
//! differ, and so do their errors; every part is parsed here by Go's rules and written in an
//! unambiguous form.

mod class;
mod escape;
mod repeat;

use regex::bytes::{Regex, RegexBuilder};
use std::fmt::Write as _;

/// An expression that matches nothing.
const NEVER: &str = r"[^\x{0}-\x{10FFFF}]";

/// Compiles an expression in Go's syntax, for matching on the output of [`super::clean::decode`].
/// `None` if Go rejects it.
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

/// The error for an expression that Go rejects.
struct Refused;

/// A translator that reads Go's syntax from `rest` and writes the `regex` crate's to `out`.
struct Translator<'a> {
    rest: &'a [char],
    out: String,
}

impl Translator<'_> {
    fn run(mut self) -> Option<String> {
        // The start of the expression that a repetition would apply to.
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
            // A surrogate, which cannot be in a text.
            None => self.out.push_str(NEVER),
        }
    }
}
