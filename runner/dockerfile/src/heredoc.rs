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
    /// The word that ends it.
    pub name: String,
    /// Whether variables in it are replaced, because its name has no quotes.
    pub expands: bool,
    /// `<<-`: whether leading tabs are removed.
    pub chomps: bool,
    /// The here-document's lines. Every word that names it shares them.
    pub text: Arc<str>,
    /// The byte offset of its lines in the Dockerfile.
    pub at: usize,
}

impl Heredoc {
    /// Returns the lines, without leading tabs if [`Self::chomps`].
    pub fn chomped(&self) -> String {
        if self.chomps {
            let lines = self.text.split_inclusive('\n');
            lines.map(|line| line.trim_start_matches('\t')).collect()
        } else {
            self.text.to_string()
        }
    }

    /// Returns the here-document that a word begins, if it begins one. The error is the parser's.
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

    /// Returns the here-documents that a line begins; none if the line cannot be split into shell
    /// words.
    pub(crate) fn of_line(line: &str) -> Result<Vec<Self>, String> {
        let words = raw_words(line).unwrap_or_default();
        let found = words.iter().map(|word| Self::of_word(word));
        found.filter_map(Result::transpose).collect()
    }

    /// Reads up to the end of the here-document. `line` is the first line of the instruction.
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
