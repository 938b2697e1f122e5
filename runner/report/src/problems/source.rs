//! Indexes a text that diagnostics point into, so that each place is found without scanning the
//! whole text.

use std::ops::Range;

use sidestep_events::Position;

/// The number of characters between two marks, and the maximum number scanned to find a place.
const STRIDE: usize = 256;

/// A named text with an index of its lines and characters.
#[derive(Debug)]
pub struct SourceText {
    pub(super) name: String,
    text: String,
    /// The start of each line, as a byte and as a character offset.
    lines: Vec<(usize, usize)>,
    /// The byte offset of every 256th character.
    marks: Vec<usize>,
}

/// A range within one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LineSpan {
    /// The line's index, from 0.
    pub(super) line: usize,
    /// The number of characters before it on its line.
    pub(super) column: usize,
    /// The byte range in the text.
    pub(super) bytes: Range<usize>,
}

impl SourceText {
    /// Indexes a text. `name` is shown above its lines.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let (mut lines, mut marks) = (Vec::new(), Vec::new());
        let mut begins = true;
        for (character, (byte, c)) in text.char_indices().enumerate() {
            if begins {
                lines.push((byte, character));
            }
            if character % STRIDE == 0 {
                marks.push(byte);
            }
            begins = c == '\n';
        }
        Self {
            name: name.into(),
            text,
            lines,
            marks,
        }
    }

    /// Returns whether `text` equals this text.
    pub fn holds(&self, text: &str) -> bool {
        self.text == text
    }

    /// Finds a place. A position beyond the text yields the end of its last line. If only the start
    /// is known, the place is the word there, up to `longest` characters.
    pub(super) fn place(&self, at: Position, longest: usize) -> LineSpan {
        let last = self.lines.len().saturating_sub(1);
        let asked = at.line.saturating_sub(1) as usize;
        let line = asked.min(last);
        let whole = self.line(line);
        let first = self.lines.get(line).map_or(0, |(_, character)| *character);
        let column = at.column.saturating_sub(1) as usize;
        let within = |column: usize| {
            let byte = self.byte(first.saturating_add(column));
            byte.clamp(whole.start, whole.end)
        };
        let start = if asked > last {
            whole.end
        } else {
            within(column)
        };
        let end = if at.length == 0 {
            let rest = self.text[start..whole.end].chars().take(longest);
            let word = rest.take_while(|c| !c.is_whitespace());
            start + word.map(char::len_utf8).sum::<usize>()
        } else {
            let length = (at.length as usize).min(longest);
            within(column.saturating_add(length)).max(start)
        };
        LineSpan {
            line,
            column: self.character(start).saturating_sub(first),
            bytes: start..end,
        }
    }

    /// Returns the byte range of a line without its line break; empty beyond the last line.
    pub(super) fn line(&self, line: usize) -> Range<usize> {
        let Some(&(start, _)) = self.lines.get(line) else {
            return self.text.len()..self.text.len();
        };
        let end = match self.lines.get(line + 1) {
            Some((next, _)) => next - 1,
            None => self.text.strip_suffix('\n').unwrap_or(&self.text).len(),
        };
        let carried = self.text[start..end].ends_with('\r');
        start..end - usize::from(carried)
    }

    /// Returns the number of lines.
    pub(super) fn lines(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn text(&self, bytes: Range<usize>) -> &str {
        self.text.get(bytes).unwrap_or_default()
    }

    /// Returns the byte offset of a character; the text's length beyond the last one.
    fn byte(&self, character: usize) -> usize {
        let Some(&mark) = self.marks.get(character / STRIDE) else {
            return self.text.len();
        };
        let mut rest = self.text[mark..].char_indices();
        let found = rest.nth(character % STRIDE);
        found.map_or(self.text.len(), |(at, _)| mark + at)
    }

    /// Returns the index of the character at a byte offset.
    fn character(&self, byte: usize) -> usize {
        let mark = self.marks.partition_point(|mark| *mark <= byte);
        let Some(before) = mark.checked_sub(1) else {
            return 0;
        };
        before * STRIDE + self.text[self.marks[before]..byte].chars().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: usize = 1000;

    fn place(text: &str, line: u32, column: u32, length: u32) -> (usize, usize, Range<usize>) {
        let at = Position {
            line,
            column,
            length,
        };
        let place = SourceText::new("f", text).place(at, ANY);
        (place.line, place.column, place.bytes)
    }

    #[test]
    fn places_are_counted_in_characters() {
        assert_eq!(place("a\n\u{e4}\u{e4}bc\n", 2, 3, 2), (1, 2, 6..8));
        let long = format!("x\n{}needle rest\n", "\u{20ac}".repeat(1000));
        assert_eq!(place(&long, 2, 1001, 0), (1, 1000, 3002..3008));
    }

    #[test]
    fn where_only_the_beginning_is_known_the_word_is_meant() {
        let text = "\u{e4}\nCOPY --from=\u{e4} a\n";
        assert_eq!(place(text, 2, 6, 0), (1, 5, 8..17));
    }

    #[test]
    fn places_outside_of_the_text_are_at_an_end() {
        for text in ["", "\n", "a\u{e4}\nb", "a\r\nb\r\n", "\r", "\n\n"] {
            for (line, column, length) in [
                (0, 0, 0),
                (1, 99, 3),
                (1, 99, 0),
                (99, 1, 1),
                (2, 1, 0),
                (1, 1, u32::MAX),
                (u32::MAX, u32::MAX, u32::MAX),
            ] {
                let (line, _, bytes) = place(text, line, column, length);
                let source = SourceText::new("f", text);
                let whole = source.line(line);
                assert!(bytes.start <= bytes.end, "{text:?} {bytes:?}");
                assert!(whole.start <= bytes.start && bytes.end <= whole.end.max(bytes.start));
                assert!(text.get(bytes.clone()).is_some(), "{text:?} {bytes:?}");
            }
        }
    }

    #[test]
    fn lines_end_before_their_line_ends() {
        let source = SourceText::new("f", "a\r\n\nb");
        let lines: Vec<_> = (0..5).map(|line| source.text(source.line(line))).collect();
        assert_eq!(lines, ["a", "", "b", "", ""]);
        assert_eq!(source.lines(), 3);
    }
}
