use std::io::Write;

use sidestep_events::{Envelope, show};

use crate::Reporter;

/// One event a line, as `sidestep schema events` describes it, flushed at once so that a reader
/// can follow.
#[derive(Debug)]
pub struct JsonLines<W> {
    out: W,
}

impl<W: Write> JsonLines<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    /// Gives the writer back.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write + Send> Reporter for JsonLines<W> {
    fn event(&mut self, envelope: &Envelope) {
        // Types of events hold nothing that JSON can't write; a reader that went away is not the
        // run's trouble.
        if let Ok(mut line) = show::json(envelope) {
            line.push('\n');
            let written = self.out.write_all(line.as_bytes());
            let _ = written.and_then(|()| self.out.flush());
        }
    }
}
