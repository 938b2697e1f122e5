//! A line that comes in pieces.

use sidestep_gate::MaskStream;

use super::super::follow::Position;

/// A line whose end has not come yet: what may be the beginning of a secret, or of a character, is
/// held back until the next piece tells.
pub(super) struct LineUnderWay {
    masked: MaskStream,
    /// The beginning of a character whose other bytes are still to come.
    half: Vec<u8>,
    /// Up to where the line has been read.
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

    /// Takes a piece that is read up to `position`; what may be said of the line now, and what to
    /// go on from once that is stored.
    pub(super) fn push(&mut self, piece: &[u8], position: Position) -> (Vec<u8>, Position) {
        let mut text = std::mem::take(&mut self.half);
        text.extend(self.masked.push(piece));
        // Readers of events get whole characters.
        self.half = text.split_off(whole_characters(&text));
        self.position = position;
        // What is held back is not stored: the next incarnation stores it.
        let held = self.masked.held() + self.half.len();
        (text, position.short_of(held as u64))
    }

    /// What was held back, when nothing more will come.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.half.extend(self.masked.finish());
        self.half
    }
}

/// How many of the bytes are whole characters, or no text at all; the rest may be the beginning of
/// one more character.
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
