//! The logical lines of a text: directives, comments and continuations.

use crate::{Error, Word};

/// The maximum length of a physical line, without its end (Go's `bufio.MaxScanTokenSize`).
const LONGEST: usize = 64 * 1024 - 1;
/// The known directives; any other comment ends them.
const DIRECTIVES: [&str; 3] = ["syntax", "escape", "check"];

/// A directive (`# syntax=…` and the like), before anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// `syntax`, `escape` or `check`.
    pub name: String,
    /// The value after the `=`.
    pub value: Word,
}

/// An instruction's logical line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    pub(crate) text: String,
    /// The origins of pieces of the text: the offset in the text, and in the Dockerfile.
    pieces: Vec<(usize, usize)>,
    /// The number of the first physical line.
    pub(crate) number: usize,
}

impl Line {
    /// Returns the offset in the Dockerfile for an offset in the text.
    pub(crate) fn at(&self, byte: usize) -> usize {
        let piece = self.pieces.partition_point(|(start, _)| *start <= byte);
        let (start, source) = self.pieces[..piece].last().copied().unwrap_or_default();
        source + (byte - start)
    }

    fn push(&mut self, text: &str, at: usize) {
        if !text.is_empty() {
            self.pieces.push((self.text.len(), at));
            self.text.push_str(text);
        }
    }
}

/// An iteration over the lines of a text.
pub(crate) struct Lines<'t> {
    text: &'t str,
    at: usize,
    number: usize,
    in_directives: bool,
    pub(crate) escape: char,
    pub(crate) directives: Vec<Directive>,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            text,
            at: if text.starts_with('\u{feff}') { 3 } else { 0 },
            number: 0,
            in_directives: true,
            escape: '\\',
            directives: Vec::new(),
        }
    }

    /// Returns the next physical line with its end, and its offset.
    pub(crate) fn physical(&mut self) -> Result<Option<(usize, &'t str)>, Error> {
        let rest = &self.text[self.at..];
        let Some(line) = rest.split_inclusive('\n').next() else {
            return Ok(None);
        };
        let at = self.at;
        self.at += line.len();
        self.number += 1;
        if line.len() > LONGEST {
            let message = format!("dockerfile line greater than max allowed size of {LONGEST}");
            return Err(Error::new(at, message));
        }
        Ok(Some((at, line)))
    }

    /// Returns the next line that is not empty and not a comment, with continuations joined.
    pub(crate) fn logical(&mut self) -> Result<Option<Line>, Error> {
        while let Some((at, raw)) = self.physical()? {
            let text = raw.trim_end_matches(['\r', '\n']);
            let start = text.trim_start();
            let at = at + (text.len() - start.len());
            self.directive(start, at)?;
            let start = if is_comment(start) { "" } else { start };
            let mut line = Line {
                number: self.number,
                ..Line::default()
            };
            let (start, mut continues) = self.uncontinued(start);
            if start.is_empty() && !continues {
                continue;
            }
            line.push(start, at);
            while continues && let Some((at, raw)) = self.physical()? {
                let text = raw.trim_end_matches(['\r', '\n']);
                if is_comment(text) || text.trim().is_empty() {
                    continue;
                }
                let (text, more) = self.uncontinued(text);
                continues = more;
                line.push(text, at);
            }
            return Ok(Some(line));
        }
        Ok(None)
    }

    /// Returns the line without its continuation escape, and whether there was one. An escaped
    /// escape does not continue a line.
    fn uncontinued<'l>(&self, line: &'l str) -> (&'l str, bool) {
        let trimmed = line.trim_end_matches([' ', '\t']);
        match trimmed.strip_suffix(self.escape) {
            Some(before) if !before.ends_with(self.escape) => (before, true),
            _ => (line, false),
        }
    }

    fn directive(&mut self, line: &str, at: usize) -> Result<(), Error> {
        if !self.in_directives {
            return Ok(());
        }
        let Some((name, value)) = directive(line) else {
            self.in_directives = false;
            return Ok(());
        };
        if self.directives.iter().any(|known| known.name == name) {
            let message = format!("only one {name} parser directive can be used");
            return Err(Error::new(at, message));
        }
        if name == "escape" {
            self.escape = match value {
                "\\" => '\\',
                "`" => '`',
                _ => {
                    let message = format!("invalid escape token '{value}' does not match ` or \\");
                    return Err(Error::new(at, message));
                }
            };
        }
        let at = at + (value.as_ptr() as usize - line.as_ptr() as usize);
        self.directives.push(Directive {
            name,
            value: Word {
                text: value.to_owned(),
                at,
            },
        });
        Ok(())
    }
}

fn directive(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.strip_prefix('#')?.trim_start().split_once('=')?;
    let name = name.trim_end();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric());
    let (name, value) = (name.to_lowercase(), value.trim());
    (is_name && !value.is_empty() && DIRECTIVES.contains(&name.as_str())).then_some((name, value))
}

/// Returns the options of `# check=…` as kaniko searches for them, separately from its parsing of
/// the file (BuildKit's `parser.ParseDirective`): a shebang line is skipped, there is no blank
/// before a `#`, and the value ends at its first space.
pub(crate) fn lint_options(text: &str) -> Option<Word> {
    let all = text.strip_prefix('\u{feff}').unwrap_or(text);
    let has_shebang = all.starts_with("#!");
    for line in all.lines().skip(usize::from(has_shebang)) {
        let (name, value) = directive(line)?;
        if name == "check" {
            let at = value.as_ptr() as usize - text.as_ptr() as usize;
            let text = value.split(' ').next().unwrap_or_default().to_owned();
            return Some(Word { text, at });
        }
    }
    None
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(String, usize)> {
        let mut lines = Lines::new(text);
        let mut out = Vec::new();
        while let Some(line) = lines.logical().expect("a text that can be read") {
            out.push((line.text, line.number));
        }
        out
    }

    #[test]
    fn continuations_leave_out_comments_and_empty_lines() {
        let text = "\u{feff}# note\n  RUN a \\  \n# why\n\n   b && \\\n c\r\nCMD x\\\\\nUSER y";
        let want = [("RUN a    b &&  c", 2), ("CMD x\\\\", 7), ("USER y", 8)];
        assert_eq!(all(text), want.map(|(text, line)| (text.to_owned(), line)));
    }

    #[test]
    fn a_byte_is_found_again_behind_a_continuation() {
        let text = "RUN a \\\n  b";
        let line = Lines::new(text).logical().expect("read").expect("a line");
        let byte = line.text.find('b').expect("it is there");
        assert_eq!(&text[line.at(byte)..], "b");
        assert_eq!(line.at(0), 0);
    }

    #[test]
    fn directives_end_with_the_first_line_that_is_none() {
        let mut lines =
            Lines::new("# syntax = docker/dockerfile:1\n#escape=`\nRUN a `\n b\n# check=x\n");
        assert_eq!(
            lines.logical().expect("read").expect("a line").text,
            "RUN a  b"
        );
        let found: Vec<_> = lines
            .directives
            .iter()
            .map(|one| (&*one.name, &*one.value.text))
            .collect();
        assert_eq!(found, [("syntax", "docker/dockerfile:1"), ("escape", "`")]);
        let twice = Lines::new("# escape=`\n# escape=`\n")
            .logical()
            .expect_err("refused");
        assert_eq!(
            twice.message,
            "only one escape parser directive can be used"
        );
        assert!(Lines::new("# escape=x\n").logical().is_err());
    }
}
