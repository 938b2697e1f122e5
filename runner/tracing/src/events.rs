//! Writes the events of `tracing`.

use std::error::Error;
use std::fmt::Debug;

use serde_json::Value;
use tracing::field::{Field as Name, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::line::{Field, Lines, Said};

/// A layer that writes a line for each event. Of spans it writes only the names.
pub(crate) struct Events(pub(crate) Lines);

impl<S> Layer<S> for Events
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let spans = context.event_scope(event).into_iter();
        let spans = spans.flat_map(|scope| scope.from_root().map(|span| span.name()));
        let mut said = Said {
            level: *metadata.level(),
            target: metadata.target(),
            spans: spans.collect(),
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut Fields(&mut said));
        self.0.write(said);
    }
}

/// Reads the fields of an event.
struct Fields<'f, 's>(&'f mut Said<'s>);

impl Fields<'_, '_> {
    fn value(&mut self, name: &Name, value: Value) {
        match (name.name(), value) {
            ("message", Value::String(text)) => self.0.message = text,
            (name, value) => self.0.fields.push((name, Field::Value(value))),
        }
    }

    fn shown(&mut self, name: &Name, shown: String) {
        match name.name() {
            "message" => self.0.message = shown,
            name => self.0.fields.push((name, Field::Shown(shown))),
        }
    }
}

impl Visit for Fields<'_, '_> {
    fn record_debug(&mut self, field: &Name, value: &dyn Debug) {
        self.shown(field, format!("{value:?}"));
    }

    fn record_error(&mut self, field: &Name, value: &(dyn Error + 'static)) {
        self.shown(field, value.to_string());
    }

    fn record_str(&mut self, field: &Name, value: &str) {
        self.value(field, value.into());
    }

    fn record_bool(&mut self, field: &Name, value: bool) {
        self.value(field, value.into());
    }

    fn record_i64(&mut self, field: &Name, value: i64) {
        self.value(field, value.into());
    }

    fn record_u64(&mut self, field: &Name, value: u64) {
        self.value(field, value.into());
    }

    fn record_f64(&mut self, field: &Name, value: f64) {
        self.value(field, value.into());
    }
}
