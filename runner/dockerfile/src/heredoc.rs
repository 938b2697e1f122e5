//! Here-documents: `<<EOF` on a line of `RUN`, `COPY` or `ADD`, and the lines up to `EOF`.

use std::sync::Arc;

use crate::{
    Error,
    expand::{name_words, raw_words},
    lines::Lines,
};

/// A here-document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// What ends it.
    pub name: String,
    /// Whether variables in it are replaced: its name has no quotes.
    pub expands: bool,
    /// `<<-`: whether the tabs that lines begin with are taken away.
    pub chomps: bool,
    /// Its lines. Every word that names it shares them.
    pub text: Arc<str>,
    /// The byte of the Dockerfile that its lines begin at.
    pub at: usize,
}

impl Heredoc {
    /// Its lines, without the tabs that they begin with where it is to be so.
    pub fn chomped(&self) -> String {
        if self.chomps {
            let lines = self.text.split_inclusive('\n');
            lines.map(|line| line.trim_start_matches('\t')).collect()
        } else {
            self.text.to_string()
        }
    }

    /// What a word begins, if it begins one. The error is the parser's.
    pub(crate) fn of_word(word: &str) -> Result<Option<Self>, String> {
        let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
        let Some(rest) = rest.strip_prefix("<<") else {
            return Ok(None);
        };
        let (rest, chomps) = match rest.strip_prefix('-') {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let rest = rest.trim_start();
        if rest.is_empty() || rest.contains('<') {
            return Ok(None);
        }
        let words = name_words(rest, false)?;
        let [name] = words.as_slice() else {
            return Ok(None);
        };
        let raw = name_words(rest, true)?;
        let quotes = |text: &str| text.matches(['\'', '"']).count();
        Ok(Some(Self {
            expands: raw.first().is_some_and(|raw| quotes(raw) == quotes(name)),
            name: name.clone(),
            chomps,
            text: Arc::default(),
            at: 0,
        }))
    }

    /// Those that a line begins. A line that is no shell's begins none.
    pub(crate) fn of_line(line: &str) -> Result<Vec<Self>, String> {
        let words = raw_words(line).unwrap_or_default();
        let found = words.iter().map(|word| Self::of_word(word));
        found.filter_map(Result::transpose).collect()
    }

    /// Reads up to what ends it. `line` is where the instruction begins.
    pub(crate) fn read(&mut self, lines: &mut Lines<'_>, line: usize) -> Result<(), Error> {
        let (mut first, mut text) = (None, String::new());
        while let Some((at, raw)) = lines.physical()? {
            first.get_or_insert(at);
            let mut end = raw.trim_end_matches(['\r', '\n']);
            if self.chomps {
                end = end.trim_start_matches('\t');
            }
            if end == self.name {
                self.at = first.unwrap_or(at);
                self.text = text.into();
                return Ok(());
            }
            text.push_str(raw);
        }
        Err(Error::new(line, "unterminated heredoc"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<(String, bool, bool)> {
        let found = Heredoc::of_line(line).expect("a line");
        found
            .into_iter()
            .map(|one| (one.name, one.expands, one.chomps))
            .collect()
    }

    #[test]
    fn they_are_found_where_the_parser_finds_them() {
        assert_eq!(
            names("RUN cat <<A 3<<-'B' > x"),
            [("A".to_owned(), true, false), ("B".to_owned(), false, true)]
        );
        assert_eq!(names("COPY << EOF /x"), [("EOF".to_owned(), true, false)]);
        assert!(names("RUN echo \"<<EOF\"").is_empty());
        assert!(names("RUN cat <<<EOF").is_empty());
        assert!(names("RUN echo $((1<<2)) it's").is_empty());
        assert!(
            names("RUN x=${#y} <<EOF").is_empty(),
            "the parser gives up at ${{#y}}"
        );
    }
}
