//! A followed pod's log, on its way into the attempt's log.

mod line;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use sidestep_events::{Event, LogLevel, LogLine, LogSource, WarningRaised, log_field};

use super::follow::{Outlet, Piece, Position};
use crate::StepContext;

use line::LineUnderWay;

/// Emits each line as an event of the step; the engine stores its text.
///
/// A line may come in several pieces, and a secret may begin in one and end in the next: what may
/// be its beginning is held back until the next piece tells.
pub(super) struct StepOutlet {
    step: Arc<StepContext>,
    pod: String,
    /// The line under way of each container.
    lines: Mutex<HashMap<String, LineUnderWay>>,
}

impl StepOutlet {
    pub(super) fn new(step: Arc<StepContext>, pod: String) -> Self {
        Self {
            step,
            pod,
            lines: Mutex::default(),
        }
    }

    fn emit(&self, container: &str, text: &[u8], partial: bool, position: Position) {
        let mut fields = BTreeMap::from([
            (log_field::POD.into(), Value::from(self.pod.as_str()).into()),
            (log_field::CONTAINER.into(), Value::from(container).into()),
        ]);
        if let Ok(position) = serde_json::to_value(position) {
            fields.insert(log_field::POSITION.into(), position.into());
        }
        if partial {
            fields.insert(log_field::PARTIAL.into(), Value::Bool(true).into());
        }
        self.step.emit(Event::Log(LogLine {
            source: LogSource::Pod,
            level: LogLevel::Info,
            message: String::from_utf8_lossy(text).into(),
            fields,
            offset: None,
        }));
    }

    /// Lets go of what was held back of a line that will have no end.
    fn give_up(&self, container: &str) {
        let line = self.lock().remove(container);
        if let Some(line) = line {
            let position = line.position();
            let rest = line.finish();
            if !rest.is_empty() {
                self.emit(container, &rest, true, position);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, LineUnderWay>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet for StepOutlet {
    fn piece(&self, container: &str, piece: &Piece, position: Position) {
        if piece.first {
            self.give_up(container);
        }
        let mut lines = self.lock();
        let mut line = lines
            .remove(container)
            .unwrap_or_else(|| LineUnderWay::new(self.step.masks.stream()));
        let (mut text, mut stored) = line.push(&piece.bytes, position);
        if piece.last {
            text.extend(line.finish());
            stored = position;
        } else {
            lines.insert(container.to_owned(), line);
        }
        drop(lines);
        if piece.last || !text.is_empty() {
            self.emit(container, &text, !piece.last, stored);
        }
    }

    fn mask(&self, text: &str, whole: bool) -> String {
        if whole {
            return self.step.masks.text(text).into_owned();
        }
        // What may be the beginning of a secret is left out with the rest of the line.
        let masked = self.step.masks.stream().push(text.as_bytes());
        String::from_utf8_lossy(&masked).into_owned()
    }

    fn gap(&self, container: &str) {
        self.step.emit(Event::Warning(WarningRaised {
            code: "pod.log-gap".into(),
            message: format!(
                "lines of the log of {} ({container}) may be missing here: it was rotated, or \
                 its container restarted, before they were read",
                self.pod
            )
            .into(),
            help: Vec::new(),
        }));
    }

    fn cut_off(&self, container: &str, why: &str) {
        self.give_up(container);
        self.step.emit(Event::Warning(WarningRaised {
            code: "pod.log-cut-off".into(),
            message: format!(
                "the end of the log of {} ({container}) may be missing: {why}",
                self.pod
            )
            .into(),
            help: Vec::new(),
        }));
    }
}
