//! A line that arrives in pieces.

use sidestep_gate::MaskStream;

use super::super::follow::Position;

/// A line whose end has not arrived yet: bytes that may begin a secret, or a character, are held
/// back until the next piece.
pub(super) struct LineUnderWay {
    masked: MaskStream,
    /// The beginning of a character whose other bytes have not arrived.
    half: Vec<u8>,
    /// The position up to which the line has been read.
    position: Position,
}

impl LineUnderWay {
    pub(super) fn new(masked: MaskStream) -> Self {
        Self {
            masked,
            half: Vec::new(),
            position: Position::default(),
        }
    }

    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// Accepts a piece that is read up to `position`; returns the masked bytes of the line that are
    /// decided, and the position to resume from once they are stored.
    pub(super) fn push(&mut self, piece: &[u8], position: Position) -> (Vec<u8>, Position) {
        let mut text = std::mem::take(&mut self.half);
        text.extend(self.masked.push(piece));
        // Readers of events get whole characters.
        self.half = text.split_off(whole_characters(&text));
        self.position = position;
        // The bytes that are held back are not stored: the next incarnation stores them.
        let held = self.masked.held() + self.half.len();
        (text, position.short_of(held as u64))
    }

    /// Returns the bytes that were held back, when no more will arrive.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.half.extend(self.masked.finish());
        self.half
    }
}

/// Returns the number of bytes that are whole characters, or not text at all; the rest may be the
/// beginning of one more character.
fn whole_characters(bytes: &[u8]) -> usize {
    // A character has at most four bytes.
    let tail = bytes.len().saturating_sub(3);
    for start in (tail..bytes.len()).rev() {
        match bytes[start] {
            // Another byte of the same character.
            0x80..=0xbf => {}
            _ => {
                let unfinished = std::str::from_utf8(&bytes[start..])
                    .is_err_and(|error| error.error_len().is_none());
                return if unfinished { start } else { bytes.len() };
            }
        }
    }
    bytes.len()
}
