//! What a terminal takes for its own and does not show.

/// Where in a control sequence a text is (ECMA-48, sections 5.3 to 5.6).
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

/// Drops control sequences and control strings whole, as a terminal does.
#[derive(Debug, Clone, Default)]
pub(super) struct Terminal(At);

impl Terminal {
    /// Takes the next byte. Whether it is shown, as far as this stage knows.
    pub(super) fn shows(&mut self, byte: u8) -> bool {
        let (next, shown) = match (self.0, byte) {
            // A backslash after ESC ends the string; any other sequence breaks it off.
            (At::StringEscape, b'\\') => (At::Text, false),
            (At::String, 0x1b) => (At::StringEscape, false),
            (_, 0x1b) => (At::Escape, false),
            (At::Text, _) => (At::Text, true),
            (At::Escape | At::StringEscape, b'[') => (At::Sequence, false),
            (At::Escape | At::StringEscape, b']' | b'P' | b'X' | b'^' | b'_') => {
                (At::String, false)
            }
            // Intermediate bytes, such as those that choose a character set.
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

    /// Whether it is in no sequence.
    pub(super) fn is_idle(&self) -> bool {
        self.0 == At::Text
    }
}
