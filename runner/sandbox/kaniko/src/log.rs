use jiff::Timestamp;
use std::{io::Write, sync::Mutex, time::Instant};

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Format {
    /// kaniko's default, with a coloured level.
    #[default]
    Color,
    Text,
    Json,
}

/// The log. Lines that cannot be written are lost, since there is no other way to report them.
pub(crate) struct Log<'a> {
    out: Mutex<&'a mut (dyn Write + Send)>,
    format: Format,
    start: Instant,
}

impl<'a> Log<'a> {
    pub(crate) fn new(out: &'a mut (dyn Write + Send), format: Format) -> Self {
        Self {
            out: Mutex::new(out),
            format,
            start: Instant::now(),
        }
    }

    pub(crate) fn info(&self, message: &str) {
        self.line("info", "INFO", 36, message);
    }

    pub(crate) fn warn(&self, message: &str) {
        self.line("warning", "WARN", 33, message);
    }

    fn line(&self, level: &str, short: &str, color: u8, message: &str) {
        let seconds = self.start.elapsed().as_secs();
        self.plain(&match self.format {
            Format::Color => format!("\u{1b}[{color}m{short}\u{1b}[0m[{seconds:04}] {message}"),
            Format::Text => format!("{short}[{seconds:04}] {message}"),
            Format::Json => {
                let time = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                serde_json::json!({ "level": level, "msg": message, "time": time }).to_string()
            }
        });
    }

    /// Writes a line without a level, whatever the format.
    pub(crate) fn plain(&self, message: &str) {
        let mut out = self
            .out
            .lock()
            .expect("no thread panics while it holds the lock");
        let _nobody_to_tell = writeln!(out, "{message}").and_then(|()| out.flush());
    }

    pub(crate) fn usage_error(&self, message: &str, usage: &str) {
        self.plain(&format!("Error: {message}\n{usage}"));
    }
}
