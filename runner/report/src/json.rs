use std::io::Write;

use sidestep_events::{Envelope, show};

use crate::Reporter;

/// Writes one event per line, as `sidestep schema events` describes it. Each line is flushed at
/// once, so that a reader can follow.
#[derive(Debug)]
pub struct JsonLines<W> {
    out: W,
}

impl<W: Write> JsonLines<W> {
    /// Creates a reporter that writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    /// Returns the writer.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write + Send> Reporter for JsonLines<W> {
    fn event(&mut self, envelope: &Envelope) {
        // All event types can be serialized. A closed reader must not affect the run.
        if let Ok(mut line) = show::json(envelope) {
            line.push('\n');
            let written = self.out.write_all(line.as_bytes());
            let _ = written.and_then(|()| self.out.flush());
        }
    }
}
