use std::io::Write;

use sidestep_events::Envelope;

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
        if let Ok(mut line) = serde_json::to_vec(envelope) {
            line.push(b'\n');
            let _ = self.out.write_all(&line).and_then(|()| self.out.flush());
        }
    }
}
