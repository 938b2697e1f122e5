//! Finds places of a text in ascending order.

/// The lines of a text, and the last place that was found. The next search starts there, so that a
/// text of one line is not scanned again for each of its values.
pub(super) struct Lines<'a> {
    lines: Vec<&'a str>,
    line: usize,
    column: usize,
    byte: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            lines: text.lines().collect(),
            line: 0,
            column: 0,
            byte: 0,
        }
    }

    /// Returns the rest of a line from a character on, both counted from 0, or `None` beyond its
    /// last character.
    pub(super) fn rest(&mut self, line: usize, column: usize) -> Option<&'a str> {
        let text = *self.lines.get(line)?;
        if line != self.line || column < self.column {
            (self.line, self.column, self.byte) = (line, 0, 0);
        }
        let mut ahead = text[self.byte..].char_indices();
        let (further, _) = ahead.nth(column - self.column)?;
        self.column = column;
        self.byte += further;
        Some(&text[self.byte..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_in_any_order() {
        let mut lines = Lines::new("\u{e4}bc\nd\u{20ac}f\n");
        for (line, column, rest) in [
            (0, 1, Some("bc")),
            (0, 2, Some("c")),
            (0, 0, Some("\u{e4}bc")),
            (1, 2, Some("f")),
            (1, 3, None),
            (1, 1, Some("\u{20ac}f")),
            (0, 2, Some("c")),
            (2, 0, None),
        ] {
            assert_eq!(lines.rest(line, column), rest, "{line}:{column}");
        }
    }
}
