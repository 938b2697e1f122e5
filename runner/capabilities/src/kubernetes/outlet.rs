//! A followed pod's log, on its way into the attempt's log.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use sidestep_events::{Event, LogLevel, LogLine, LogSource, WarningRaised, log_field};

use super::follow::{Outlet, Piece, Position};
use crate::StepContext;

/// Emits each line as an event of the step; the engine stores its text.
pub(super) struct StepOutlet {
    step: Arc<StepContext>,
    pod: String,
}

impl StepOutlet {
    pub(super) fn new(step: Arc<StepContext>, pod: String) -> Self {
        Self { step, pod }
    }
}

impl Outlet for StepOutlet {
    fn piece(&self, container: &str, piece: &Piece, position: Position) {
        let mut fields = BTreeMap::from([
            (log_field::POD.to_owned(), Value::from(self.pod.as_str())),
            (log_field::CONTAINER.to_owned(), Value::from(container)),
        ]);
        if let Ok(position) = serde_json::to_value(position) {
            fields.insert(log_field::POSITION.to_owned(), position);
        }
        if !piece.last {
            fields.insert(log_field::PARTIAL.to_owned(), Value::Bool(true));
        }
        self.step.emit(Event::Log(LogLine {
            source: LogSource::Pod,
            level: LogLevel::Info,
            message: String::from_utf8_lossy(&piece.bytes).into_owned(),
            fields,
            offset: None,
        }));
    }

    fn mask(&self, text: &str) -> String {
        self.step.masks.text(text).into_owned()
    }

    fn gap(&self, container: &str) {
        self.step.emit(Event::Warning(WarningRaised {
            code: "pod.log-gap".to_owned(),
            message: format!(
                "lines of the log of {} ({container}) may be missing here: it was rotated, or \
                 its container restarted, before they were read",
                self.pod
            ),
            help: Vec::new(),
        }));
    }

    fn cut_off(&self, container: &str, why: &str) {
        self.step.emit(Event::Warning(WarningRaised {
            code: "pod.log-cut-off".to_owned(),
            message: format!(
                "the end of the log of {} ({container}) is lost: {why}",
                self.pod
            ),
            help: Vec::new(),
        }));
    }
}
