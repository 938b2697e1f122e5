//! The substitutions `$NAME` and `${NAME…}`.

use super::{DEEPEST, Lexer, MOST};
use crate::glob::Glob;

impl Lexer<'_> {
    fn name(&mut self) -> String {
        let start = self.at;
        let take = |lexer: &mut Self, fits: fn(char) -> bool| {
            while lexer.peek().is_some_and(fits) {
                lexer.at += 1;
            }
        };
        match self.peek() {
            Some(c) if c.is_numeric() => take(self, char::is_numeric),
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => self.at += 1,
            _ => take(self, |c| c.is_alphanumeric() || c == '_'),
        }
        self.chars[start..self.at].iter().collect()
    }

    fn value(&mut self, name: &str) -> Option<String> {
        self.asked.push(name.to_owned());
        (self.lookup)(name)
    }

    /// Returns the value of a variable without a default.
    fn plain(&mut self, name: &str, written: String) -> String {
        match self.value(name) {
            Some(value) => value,
            None if self.skips_unset => written,
            None => {
                self.unset.push(name.to_owned());
                String::new()
            }
        }
    }

    pub(super) fn dollar(&mut self) -> Result<String, String> {
        let value = self.substitution()?;
        self.grown += value.len();
        if self.grown > MOST {
            return Err(too_large());
        }
        Ok(value)
    }

    fn substitution(&mut self) -> Result<String, String> {
        if !self.next_if('{') {
            let name = self.name();
            return Ok(if name.is_empty() {
                "$".to_owned()
            } else {
                self.plain(&name, format!("${name}"))
            });
        }
        match self.peek() {
            None => return Err("syntax error: missing '}'".to_owned()),
            Some('{' | '}' | ':') => return Err("syntax error: bad substitution".to_owned()),
            Some(_) => {}
        }
        let name = self.name();
        let unsupported =
            |modifier: String| Err(format!("unsupported modifier ({modifier}) in substitution"));
        match self.next() {
            Some('}') => Ok(self.plain(&name, format!("${{{name}}}"))),
            Some('/') => self.replaced(&name),
            Some(c @ ('+' | '-' | '?' | '#' | '%')) => self.modified(&name, c, false),
            Some(':') => match self.next() {
                Some(c @ ('+' | '-' | '?')) => self.modified(&name, c, true),
                other => {
                    self.part('}', false)?;
                    unsupported(format!(":{}", other.unwrap_or('\u{fffd}')))
                }
            },
            Some(c) => unsupported(c.to_string()),
            None => unsupported("\u{fffd}".to_owned()),
        }
    }

    /// Reads a part of a substitution, up to its end character.
    fn part(&mut self, stop: char, raw: bool) -> Result<String, String> {
        self.parts += 1;
        if self.depth == DEEPEST {
            return Err(format!("substitutions nest more than {DEEPEST} deep"));
        }
        self.depth += 1;
        let part = self.until(Some(stop), raw);
        self.depth -= 1;
        match part {
            Ok((text, _)) => Ok(text),
            Err(_) if self.peek().is_none() && stop == '/' => {
                Err("syntax error: missing '/' in ${}".to_owned())
            }
            Err(_) if self.peek().is_none() => Err("syntax error: missing '}'".to_owned()),
            Err(why) => Err(why),
        }
    }

    /// Reads `${NAME-word}` and the like. `full`: there is a colon, so an empty value counts as
    /// unset.
    fn modified(&mut self, name: &str, modifier: char, full: bool) -> Result<String, String> {
        let unset = self.unset.len();
        let mut word = self.part('}', matches!(modifier, '#' | '%'))?;
        let set = self.value(name);
        if set.is_none() && self.skips_unset {
            let colon = if full { ":" } else { "" };
            return Ok(format!("${{{name}{colon}{modifier}{word}}}"));
        }
        let value = set.filter(|value| !full || !value.is_empty());
        // Unset variables in an unused word do not matter.
        if value.is_some() != (modifier == '+') {
            self.unset.truncate(unset);
        }
        match modifier {
            '-' => Ok(value.unwrap_or(word)),
            '+' => Ok(value.map(|_| word).unwrap_or_default()),
            '?' => value.ok_or_else(|| {
                if word.is_empty() {
                    let state = if full { "empty" } else { "unset" };
                    word = format!("is not allowed to be {state}");
                }
                format!("{name}: {word}")
            }),
            _ => {
                let longest = word.starts_with(modifier);
                let glob = Glob::new(word.strip_prefix(modifier).unwrap_or(&word))?;
                if value.is_none() {
                    self.unset.push(name.to_owned());
                }
                let value: Vec<char> = value.unwrap_or_default().chars().collect();
                let rest = if modifier == '#' {
                    &value[glob.prefix(&value, longest)?.unwrap_or(0)..]
                } else {
                    &value[..value.len() - glob.suffix(&value, longest)?.unwrap_or(0)]
                };
                Ok(rest.iter().collect())
            }
        }
    }

    /// Reads `${NAME/pattern/replacement}`.
    fn replaced(&mut self, name: &str) -> Result<String, String> {
        let all = self.next_if('/');
        let pattern = self.part('/', true)?;
        let with = self.part('}', true)?;
        let value = self.plain(name, format!("${{{name}/{pattern}/{with}}}"));
        let replaced = Glob::new(&pattern)?.replace(&value, &with, all, MOST)?;
        replaced.ok_or_else(too_large)
    }
}

fn too_large() -> String {
    format!("its variables expand to more than {MOST} bytes")
}
