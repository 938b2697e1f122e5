use std::io::Write;

use sidestep_events::{Envelope, show};

use crate::{Narrator, Reporter, TextOptions};

/// Writes plain lines to a pipe, a file or a CI system, and never redraws.
#[derive(Debug)]
pub struct Lines<W> {
    out: W,
    narrator: Narrator,
}

impl<W: Write> Lines<W> {
    /// Creates a reporter that writes to `out`.
    pub fn new(out: W, options: TextOptions) -> Self {
        Self {
            out,
            narrator: Narrator::new(TextOptions {
                progress_lines: true,
                ..options
            }),
        }
    }

    fn write(&mut self, lines: &[String]) {
        if !lines.is_empty() {
            let text = lines.join("\n") + "\n";
            let _ = self
                .out
                .write_all(show::sealed(&text).as_bytes())
                .and_then(|()| self.out.flush());
        }
    }

    /// Returns the writer.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write + Send> Reporter for Lines<W> {
    fn event(&mut self, envelope: &Envelope) {
        let lines = self.narrator.tell(envelope);
        self.write(&lines);
    }

    fn finish(&mut self) {
        let lines = self.narrator.rest();
        self.write(&lines);
    }
}
