//! Places in a file, from the parser's.

use serde_saphyr::granit_parser::Span;
use sidestep_events::Position;

/// A place by the parser's numbers: lines from 1, columns from 0.
pub(super) fn position(line: usize, column: usize, length: usize) -> Position {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position {
        line: number(line.max(1)),
        column: number(column + 1),
        length: number(length),
    }
}

/// Where a span begins, and how long it is if it is on one line.
pub(super) fn place(span: &Span) -> Position {
    let length = if span.start.line() == span.end.line() {
        span.len()
    } else {
        0
    };
    position(span.start.line(), span.start.col(), length)
}
