//! The meaning of the bytes that a stage of a view holds back.

/// The meaning of the first held-back bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// Perhaps the beginning of an escape; the next byte is needed.
    More,
    /// This many bytes that stand for themselves.
    Literal(usize),
    /// This many bytes that are invisible.
    Dropped(usize),
    /// This many bytes that stand for a character.
    Character(usize, char),
    /// This many bytes that stand for one byte.
    Byte(usize, u8),
}
