//! Formats messages as lines that may leave the process.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sidestep_events::show;
use tracing::Level;

use crate::queue::Queue;
use crate::{Format, Redactor};

/// Writes messages as lines.
#[derive(Clone)]
pub(crate) struct Lines(Arc<Inner>);

struct Inner {
    queue: Queue,
    redactor: Redactor,
    format: Format,
}

/// A message.
pub(crate) struct Said<'a> {
    pub(crate) level: Level,
    /// The module of the message.
    pub(crate) target: &'a str,
    /// The names of the message's spans, from the outermost.
    pub(crate) spans: Vec<&'static str>,
    pub(crate) message: String,
    pub(crate) fields: Vec<(&'static str, Field)>,
}

/// The value of a field.
pub(crate) enum Field {
    /// A text, a number or a boolean.
    Value(Value),
    /// The output of `Display` or `Debug`.
    Shown(String),
}

impl Lines {
    pub(crate) fn new(queue: Queue, redactor: Redactor, format: Format) -> Self {
        Self(Arc::new(Inner {
            queue,
            redactor,
            format,
        }))
    }

    /// Queues a line, without secrets.
    pub(crate) fn write(&self, said: Said<'_>) {
        let Inner {
            queue,
            redactor,
            format,
        } = &*self.0;
        let now = Timestamp::now();
        queue.push(match format {
            // Quoted text stays on its line, and no control character in it takes effect.
            Format::Text => show::line(&redactor.text(&said.text(now))),
            Format::Json => {
                let mut value = said.json(now);
                redactor.value(&mut value);
                show::json(&value).unwrap_or_default()
            }
        });
    }
}

impl Said<'_> {
    fn text(&self, now: Timestamp) -> String {
        let Self {
            level,
            target,
            spans,
            message,
            fields,
        } = self;
        let mut text = format!("{now:.3} {level:>5} ");
        for span in spans {
            let _ = write!(text, "{span}: ");
        }
        let _ = write!(text, "{target}: {message}");
        for (name, field) in fields {
            let _ = match field {
                Field::Value(value) => write!(text, " {name}={value}"),
                Field::Shown(shown) => write!(text, " {name}={shown}"),
            };
        }
        text
    }

    fn json(self, now: Timestamp) -> Value {
        let mut fields = Map::from_iter([("message".to_owned(), self.message.into())]);
        for (name, field) in self.fields {
            let value = match field {
                Field::Value(value) => value,
                Field::Shown(shown) => shown.into(),
            };
            fields.insert(name.to_owned(), value);
        }
        json!({
            "timestamp": format!("{now:.3}"),
            "level": self.level.as_str(),
            "target": self.target,
            "spans": self.spans,
            "fields": fields,
        })
    }
}
