//! Forwards the `log` messages of libraries (rustls and reqwest use it) as if they came through
//! `tracing`.

use log::{LevelFilter, Metadata, Record};
use tracing::Level;
use tracing_subscriber::filter::Targets;

use crate::line::{Lines, Said};

/// A logger for `log` that writes lines like the subscriber's.
pub(crate) struct Bridge {
    targets: Targets,
    lines: Lines,
}

impl Bridge {
    pub(crate) fn new(targets: Targets, lines: Lines) -> Self {
        Self { targets, lines }
    }

    /// Installs the logger for the whole process. It does nothing if there is a logger already.
    pub(crate) fn install(self) {
        // A logger lives as long as the process.
        if log::set_logger(Box::leak(Box::new(self))).is_ok() {
            log::set_max_level(LevelFilter::Trace);
        }
    }
}

impl log::Log for Bridge {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.targets
            .would_enable(metadata.target(), &level(metadata.level()))
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        self.lines.write(Said {
            level: level(record.level()),
            target: record.target(),
            spans: Vec::new(),
            message: record.args().to_string(),
            fields: Vec::new(),
        });
    }

    fn flush(&self) {}
}

fn level(level: log::Level) -> Level {
    match level {
        log::Level::Error => Level::ERROR,
        log::Level::Warn => Level::WARN,
        log::Level::Info => Level::INFO,
        log::Level::Debug => Level::DEBUG,
        log::Level::Trace => Level::TRACE,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use log::Log as _;
    use serde_json::Value;

    use super::*;
    use crate::queue::Queue;
    use crate::{Format, Redactor};

    fn said(format: Format) -> Vec<String> {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&kept);
        let queue = Queue::start(
            Box::new(move |line| {
                lines.lock().expect("not poisoned").push(line.to_owned());
            }),
            true,
        );
        let redactor = Redactor::new(str::to_owned);
        let targets = Targets::new().with_target("rustls", Level::DEBUG);
        let bridge = Bridge::new(targets, Lines::new(queue.clone(), redactor, format));
        for (target, level) in [
            ("rustls::client", log::Level::Debug),
            ("rustls::client", log::Level::Trace),
            ("reqwest", log::Level::Error),
        ] {
            bridge.log(
                &Record::builder()
                    .target(target)
                    .level(level)
                    .args(format_args!("sent\u{1b}[2J with Bearer s3cr3t-s3cr3t"))
                    .build(),
            );
        }
        queue.flush(std::time::Duration::from_mins(1));
        kept.lock().expect("not poisoned").clone()
    }

    #[test]
    fn what_is_said_through_log_is_filtered_redacted_and_escaped_alike() {
        let text = said(Format::Text);
        assert_eq!(text.len(), 1, "{text:?}");
        let line = &text[0];
        assert!(
            line.ends_with(" DEBUG rustls::client: sent\\u{1b}[2J with Bearer ***"),
            "{line}"
        );
        let json = said(Format::Json);
        assert_eq!(json.len(), 1, "{json:?}");
        let line: Value = serde_json::from_str(&json[0]).expect("JSON");
        assert_eq!(line["target"], "rustls::client");
        assert_eq!(line["fields"]["message"], "sent\u{1b}[2J with Bearer ***");
    }
}
