//! One line of a log: `TIME STREAM F|P TEXT`.

use jiff::Timestamp;

use super::Output;
use crate::clock::nanoseconds;

/// A line that was read, or a part of one.
pub(super) struct Line<'a> {
    pub(super) time: Timestamp,
    /// Whether the line ends here.
    pub(super) whole: bool,
    pub(super) text: &'a [u8],
}

impl<'a> Line<'a> {
    pub(super) fn parse(raw: &'a [u8]) -> Option<Self> {
        let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
        let mut parts = raw.splitn(4, |b| *b == b' ');
        let time = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
        let _stream = parts.next()?;
        let whole = parts.next()? == b"F";
        Some(Self {
            time,
            whole,
            text: parts.next()?,
        })
    }
}

/// Writes a line, or a part of one, with the current time.
pub(super) fn write(into: &mut Vec<u8>, output: Output, whole: bool, text: &[u8]) {
    let stream = if output == Output::Stdout {
        "stdout"
    } else {
        "stderr"
    };
    into.extend_from_slice(nanoseconds(Timestamp::now()).as_bytes());
    into.extend_from_slice(format!(" {stream} {} ", if whole { 'F' } else { 'P' }).as_bytes());
    into.extend_from_slice(text);
    into.push(b'\n');
}
