//! Escapes, that is, the part after a backslash.

use super::Translator;
use std::fmt::Write as _;

impl Translator<'_> {
    /// Translates an escape outside brackets.
    pub(super) fn escaped(&mut self) -> Option<()> {
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

    /// Reads an escaped character, as a literal or as an octal or hexadecimal number.
    pub(super) fn escaped_char(&mut self) -> Option<u32> {
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
}
