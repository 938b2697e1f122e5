//! Converts the parser's positions to places in a file.

use serde_saphyr::granit_parser::Span;
use sidestep_events::Position;

/// Returns the place for the parser's numbers: lines from 1, columns from 0.
pub(super) fn position(line: usize, column: usize, length: usize) -> Position {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position {
        line: number(line.max(1)),
        column: number(column + 1),
        length: number(length),
    }
}

/// Returns the beginning of a span, and its length if it is on one line.
pub(super) fn place(span: &Span) -> Position {
    let length = if span.start.line() == span.end.line() {
        span.len()
    } else {
        0
    };
    position(span.start.line(), span.start.col(), length)
}
