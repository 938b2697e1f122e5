//! Bytes that a terminal interprets and does not display.

/// The position in a control sequence (ECMA-48, sections 5.3 to 5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum At {
    #[default]
    Text,
    /// After ESC.
    Escape,
    /// In `ESC [ …`, up to its final byte.
    Sequence,
    /// In a string: a window's title, a link.
    String,
    /// After ESC in a string.
    StringEscape,
}

/// Drops whole control sequences and control strings, as a terminal does.
#[derive(Debug, Clone, Default)]
pub(super) struct Terminal(At);

impl Terminal {
    /// Accepts the next byte, and returns whether it is visible, as far as this stage knows.
    pub(super) fn shows(&mut self, byte: u8) -> bool {
        let (next, shown) = match (self.0, byte) {
            // A backslash after ESC ends the string; any other sequence aborts it.
            (At::StringEscape, b'\\') => (At::Text, false),
            (At::String, 0x1b) => (At::StringEscape, false),
            (_, 0x1b) => (At::Escape, false),
            (At::Text, _) => (At::Text, true),
            (At::Escape | At::StringEscape, b'[') => (At::Sequence, false),
            (At::Escape | At::StringEscape, b']' | b'P' | b'X' | b'^' | b'_') => {
                (At::String, false)
            }
            // Intermediate bytes, such as those that select a character set.
            (At::Escape, 0x20..=0x2f) => (At::Escape, false),
            (At::Escape | At::StringEscape, 0x30..=0x7e) => (At::Text, false),
            (At::Sequence, 0x20..=0x3f) => (At::Sequence, false),
            (At::Sequence, 0x40..=0x7e) => (At::Text, false),
            // BEL, CAN and SUB end a string.
            (At::String, 0x07 | 0x18 | 0x1a) => (At::Text, false),
            (At::String, _) => (At::String, false),
            // Not a sequence after all.
            (At::Escape | At::StringEscape | At::Sequence, _) => (At::Text, true),
        };
        self.0 = next;
        shown
    }

    /// Returns whether it is outside of any sequence.
    pub(super) fn is_idle(&self) -> bool {
        self.0 == At::Text
    }
}
