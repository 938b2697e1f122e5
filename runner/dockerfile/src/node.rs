//! A line split into its parts, before the checks of its meaning.

use crate::{
    Error, Flag, Heredoc, Pair, Word, flags,
    lines::{Line, Lines},
    words::{self, Json},
};

/// The part after an instruction's keyword and flags.
#[derive(Debug)]
pub(crate) enum Rest {
    Words(Vec<Word>),
    /// A JSON list.
    List(Vec<Word>),
    Text(Word),
    Pairs(Vec<Pair>),
    /// `HEALTHCHECK`'s first word, and the part after it.
    Check(Word, Box<Rest>),
    /// `ONBUILD`'s instruction.
    Trigger(Box<Node>),
}

/// An instruction's parts.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) keyword: Word,
    /// The line, with continuations joined.
    pub(crate) text: String,
    pub(crate) number: usize,
    pub(crate) flags: Vec<Flag>,
    pub(crate) rest: Rest,
    pub(crate) heredocs: Vec<Heredoc>,
}

impl Node {
    /// Returns the next instruction of a file, with its here-documents.
    pub(crate) fn next(lines: &mut Lines<'_>) -> Result<Option<Self>, Error> {
        let Some(line) = lines.logical()? else {
            return Ok(None);
        };
        let mut node = Self::new(&line, 0, lines.escape, false)?;
        if node.may_have_heredocs() && line.text.contains("<<") {
            let at = node.keyword.at;
            node.heredocs = Heredoc::of_line(&line.text).map_err(|why| Error::new(at, why))?;
            for heredoc in &mut node.heredocs {
                heredoc.read(lines, at)?;
            }
        }
        Ok(Some(node))
    }

    /// Parses a line from a byte offset on; `triggered` if it is after `ONBUILD`.
    fn new(line: &Line, from: usize, escape: char, triggered: bool) -> Result<Self, Error> {
        let text = &line.text[from..];
        let from = from + (text.len() - text.trim_start().len());
        let text = text.trim();
        let end = text.find(words::is_blank).unwrap_or(text.len());
        let keyword = Word {
            text: text[..end].to_owned(),
            at: line.at(from),
        };
        let (found, rest) = flags::split(&text[end..], escape);
        let flags = found.into_iter().map(|word| {
            let (name, value) = match word.text.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (&*word.text, None),
            };
            Flag {
                name: name.strip_prefix("--").unwrap_or(name).to_owned(),
                value,
                at: line.at(from + end + word.at),
            }
        });
        let flags = flags.collect();
        let rest = &text[end + rest..];
        let start = from + (text.len() - rest.len()) + (rest.len() - rest.trim_start().len());
        let reader = Reader {
            line,
            start,
            rest: rest.trim(),
            escape,
            triggered,
            keyword: &keyword,
        };
        Ok(Self {
            rest: reader.read()?,
            text: text.to_owned(),
            number: line.number,
            heredocs: Vec::new(),
            flags,
            keyword,
        })
    }

    fn may_have_heredocs(&self) -> bool {
        let node = match &self.rest {
            Rest::Trigger(node) => node,
            _ => self,
        };
        let keyword = node.keyword.text.to_lowercase();
        ["add", "copy", "run"].contains(&&*keyword) && !matches!(node.rest, Rest::List(_))
    }
}

/// A reader of the part after keyword and flags.
struct Reader<'l> {
    line: &'l Line,
    /// The offset of the rest in the line.
    start: usize,
    rest: &'l str,
    escape: char,
    triggered: bool,
    keyword: &'l Word,
}

impl Reader<'_> {
    fn read(&self) -> Result<Rest, Error> {
        Ok(match self.keyword.text.to_lowercase().as_str() {
            "arg" => Rest::Words(self.by_quotes()),
            "add" | "copy" | "volume" => match self.json(self.rest)? {
                Some(list) => list,
                None => self.by_blanks(),
            },
            "cmd" | "entrypoint" | "run" | "shell" => self.command(0)?,
            "env" | "label" => Rest::Pairs(self.pairs()?),
            "expose" | "from" => self.by_blanks(),
            "healthcheck" => self.check()?,
            "onbuild" if self.rest.is_empty() => Rest::Words(Vec::new()),
            // A nested `ONBUILD` is always rejected, at any depth, so its content is not parsed.
            "onbuild" if self.triggered => self.text(0),
            "onbuild" => {
                let trigger = Node::new(self.line, self.start, self.escape, true)?;
                Rest::Trigger(Box::new(trigger))
            }
            _ => self.text(0),
        })
    }

    fn word(&self, text: impl Into<String>, at: usize) -> Word {
        Word {
            text: text.into(),
            at: self.line.at(self.start + at),
        }
    }

    fn by_blanks(&self) -> Rest {
        let words = words::by_blanks(self.rest).into_iter();
        Rest::Words(words.map(|(at, word)| self.word(word, at)).collect())
    }

    fn by_quotes(&self) -> Vec<Word> {
        let words = words::by_quotes(self.rest, self.escape).into_iter();
        words.map(|(at, word)| self.word(word, at)).collect()
    }

    fn text(&self, from: usize) -> Rest {
        let text = &self.rest[from..];
        if text.is_empty() {
            Rest::Words(Vec::new())
        } else {
            Rest::Text(self.word(text, from))
        }
    }

    fn json(&self, text: &str) -> Result<Option<Rest>, Error> {
        let from = self.rest.len() - text.len();
        match words::json(text) {
            Json::No => Ok(None),
            Json::Mixed => Err(Error::new(
                self.line.at(self.start + from),
                "when using JSON array syntax, arrays must be comprised of strings only",
            )),
            Json::List(items) => {
                let items = items.into_iter().map(|item| self.word(item, from));
                Ok(Some(Rest::List(items.collect())))
            }
        }
    }

    fn command(&self, from: usize) -> Result<Rest, Error> {
        let list = self.json(&self.rest[from..])?;
        Ok(list.unwrap_or_else(|| self.text(from)))
    }

    fn check(&self) -> Result<Rest, Error> {
        let end = self
            .rest
            .find(char::is_whitespace)
            .unwrap_or(self.rest.len());
        let after = &self.rest[end..];
        let next = end + (after.len() - after.trim_start().len());
        if end == 0 {
            return Ok(Rest::Words(Vec::new()));
        }
        let kind = self.word(&self.rest[..end], 0);
        Ok(Rest::Check(kind, Box::new(self.command(next)?)))
    }

    /// Parses `NAME=VALUE …`, or the old form `NAME VALUE` if the first word has no `=`.
    fn pairs(&self) -> Result<Vec<Pair>, Error> {
        let words = self.by_quotes();
        let Some(first) = words.first() else {
            return Ok(Vec::new());
        };
        let name = self.keyword.text.to_uppercase();
        if !first.text.contains('=') {
            let Some((key, value)) = self.rest.split_once(words::is_blank) else {
                return Err(Error::new(
                    first.at,
                    format!("{name} must have two arguments"),
                ));
            };
            let value = value.trim_start_matches(words::is_blank);
            return Ok(vec![Pair {
                name: self.word(key, 0),
                value: self.word(value, self.rest.len() - value.len()),
            }]);
        }
        let pairs = words
            .into_iter()
            .map(|word| match word.text.split_once('=') {
                Some((key, value)) => Ok(Pair {
                    value: Word {
                        text: value.to_owned(),
                        at: word.at + key.len() + 1,
                    },
                    name: Word {
                        text: key.to_owned(),
                        at: word.at,
                    },
                }),
                None => {
                    let message = format!(
                        "Syntax error - can't find = in {:?}. Must be of the form: name=value",
                        word.text
                    );
                    Err(Error::new(word.at, message))
                }
            });
        pairs.collect()
    }
}
