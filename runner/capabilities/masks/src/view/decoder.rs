//! A stage of a view that waits for the end of an escape.

use super::read::Read;
use super::{Unit, escapes, invisible};

/// Decodes or drops parts of a text that are at most a few dozen bytes long.
#[derive(Debug, Clone)]
pub(super) struct Decoder {
    /// Whether a byte may begin an escape.
    begins: fn(u8) -> bool,
    read: fn(&[u8]) -> Read,
    held: Vec<Unit>,
    /// The bytes of `held`.
    bytes: Vec<u8>,
}

impl Decoder {
    /// Drops colours and other renditions: the well-formed sequences `ESC [ … m` (ECMA-48, SGR).
    pub(super) fn colours() -> Self {
        Self::new(|byte| byte == 0x1b, escapes::colour)
    }

    /// Drops invisible characters.
    pub(super) fn invisible() -> Self {
        Self::new(invisible::begins, invisible::read)
    }

    /// Decodes the escapes of JSON (RFC 8259, section 7), and `\xHH`.
    pub(super) fn backslashes() -> Self {
        Self::new(|byte| byte == b'\\', escapes::backslash)
    }

    /// Decodes percent-encoding (RFC 3986, section 2.1).
    pub(super) fn percents() -> Self {
        Self::new(|byte| byte == b'%', escapes::percent)
    }

    fn new(begins: fn(u8) -> bool, read: fn(&[u8]) -> Read) -> Self {
        Self {
            begins,
            read,
            held: Vec::new(),
            bytes: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, unit: Unit, next: &mut dyn FnMut(Unit)) {
        if self.held.is_empty() && !(self.begins)(unit.byte) {
            return next(unit);
        }
        self.held.push(unit);
        self.bytes.push(unit.byte);
        self.settle(false, next);
    }

    pub(super) fn finish(&mut self, next: &mut dyn FnMut(Unit)) {
        self.settle(true, next);
    }

    pub(super) fn undecided(&self) -> Option<u64> {
        self.held.first().map(|unit| unit.from)
    }

    fn settle(&mut self, at_end: bool, next: &mut dyn FnMut(Unit)) {
        while let Some(first) = self.bytes.first() {
            let read = if (self.begins)(*first) {
                (self.read)(&self.bytes)
            } else {
                Read::Literal(1)
            };
            match read {
                Read::More if at_end => self.pass(1, next),
                Read::More => return,
                Read::Literal(count) => self.pass(count, next),
                Read::Dropped(count) => drop(self.take(count)),
                Read::Byte(count, byte) => self.replace(count, &[byte], next),
                Read::Character(count, character) => {
                    let mut bytes = [0; 4];
                    self.replace(count, character.encode_utf8(&mut bytes).as_bytes(), next);
                }
            }
        }
    }

    fn pass(&mut self, count: usize, next: &mut dyn FnMut(Unit)) {
        self.take(count).for_each(next);
    }

    fn replace(&mut self, count: usize, bytes: &[u8], next: &mut dyn FnMut(Unit)) {
        let from = self.held.first().map_or(0, |unit| unit.from);
        let to = self.take(count).next_back().map_or(from, |unit| unit.to);
        for byte in bytes {
            next(Unit {
                byte: *byte,
                from,
                to,
            });
        }
    }

    fn take(&mut self, count: usize) -> std::vec::Drain<'_, Unit> {
        self.bytes.drain(..count);
        self.held.drain(..count)
    }
}
