//! Extracts the lines around a place, shortened for display.

use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use sidestep_events::{Position, show};

use super::source::SourceText;

/// The maximum number of characters shown of a line, including the place.
const WIDEST: usize = 200;
/// The number of characters shown before a place that is far from the start of its line.
const LEAD: usize = 60;
/// Marks where a line is cut.
const CUT: char = '\u{2026}';

/// The line of a place, with one line before and one after it.
#[derive(Debug)]
pub(super) struct Excerpt {
    name: String,
    text: String,
    /// The index of the first line, from 0.
    first: usize,
    /// The index of the place's line, from 0.
    line: usize,
    column: usize,
    label: Range<usize>,
}

impl Excerpt {
    pub(super) fn new(source: &SourceText, at: Position) -> Self {
        let place = source.place(at, WIDEST - LEAD);
        let first = place.line.saturating_sub(1);
        let mut text = String::new();
        let mut label = 0..0;
        for line in first..(place.line + 2).min(source.lines().max(1)) {
            if line > first {
                text.push('\n');
            }
            let whole = source.line(line);
            if line != place.line {
                text.push_str(&head(source.text(whole), WIDEST));
                continue;
            }
            // If the place is near the start of its line, show all that is before it.
            let before = source.text(whole.start..place.bytes.start);
            if place.column > LEAD {
                let lead = before.chars().rev().take(LEAD);
                let lead = lead.map(char::len_utf8).sum::<usize>();
                text.push(CUT);
                text.push_str(&show::excerpt(&before[before.len() - lead..]));
            } else {
                text.push_str(&show::excerpt(before));
            }
            let start = text.len();
            let marked = source.text(place.bytes.clone());
            text.push_str(&show::excerpt(marked));
            label = start..text.len();
            let left = WIDEST - place.column.min(LEAD) - marked.chars().count();
            text.push_str(&head(source.text(place.bytes.end..whole.end), left));
        }
        Self {
            name: show::line(&source.name),
            text,
            first,
            line: place.line,
            column: place.column,
            label,
        }
    }

    /// Returns the place's byte range in the excerpt.
    pub(super) fn label(&self) -> Range<usize> {
        self.label.clone()
    }
}

/// Returns the first characters of a text, and whether there are more.
fn head(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}{CUT}", show::excerpt(&text[..end])),
        None => show::excerpt(text),
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // Without context lines, only the place itself is requested, for the headline.
        let contents = if before == 0 && after == 0 {
            let bytes = span.offset()..span.offset() + span.len();
            let data = self.text.get(bytes).ok_or(MietteError::OutOfBounds)?;
            (data, *span, self.line, self.column)
        } else {
            (
                &*self.text,
                (0, self.text.len()).into(),
                self.first,
                0_usize,
            )
        };
        let (data, span, line, column) = contents;
        let count = data.matches('\n').count() + 1;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            data.as_bytes(),
            span,
            line,
            column,
            count,
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(text: &str, line: u32, column: u32, length: u32) -> Excerpt {
        let at = Position {
            line,
            column,
            length,
        };
        Excerpt::new(&SourceText::new("f", text), at)
    }

    #[test]
    fn a_place_is_shown_with_a_line_before_and_after_it() {
        let shown = excerpt("one\ntwo\nthree\nfour\n", 3, 2, 2);
        assert_eq!(shown.text, "two\nthree\nfour");
        assert_eq!(&shown.text[shown.label()], "hr");
        assert_eq!(excerpt("one\ntwo\n", 1, 1, 3).text, "one\ntwo");
        assert_eq!(excerpt("one\ntwo\n", 2, 1, 3).text, "one\ntwo");
        assert_eq!(excerpt("", 1, 1, 3).text, "");
    }

    #[test]
    fn what_strangers_wrote_is_escaped_and_the_place_still_meant() {
        let shown = excerpt("a\u{1b}[31mb: c\u{202e}d\n", 1, 6, 4);
        assert!(!shown.text.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
        assert!(shown.text[shown.label()].starts_with("mb: "), "{shown:?}");
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let text = format!("{0}\n{0}needle{0}\n{0}\n", "\u{20ac}".repeat(5000));
        let shown = excerpt(&text, 2, 5001, 6);
        assert_eq!(&shown.text[shown.label()], "needle");
        assert_eq!(shown.column, 5000);
        for line in shown.text.lines() {
            assert!(line.chars().count() <= WIDEST + 2, "{line}");
        }
        let wide = excerpt(&text, 2, 1, u32::MAX);
        assert_eq!(shown.text.lines().count(), 3);
        assert_eq!(wide.text[wide.label()].chars().count(), WIDEST - LEAD);
    }
}
