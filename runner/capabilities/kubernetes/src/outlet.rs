//! Writes a followed pod's log into the attempt's log.

mod line;
#[cfg(test)]
mod resumed;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use sidestep_events::{
    Event, LineEnd, LogLevel, LogLine, LogSource, WarningRaised, codes, log_field,
};
use sidestep_gate::StepContext;

use super::follow::{Gap, Outlet, Part, Piece, Position};

use line::LineUnderWay;

/// Emits each line, or each piece of a long one, as an event of the step; the engine stores its
/// bytes.
///
/// A secret may begin in one piece and end in the next: bytes that may be its beginning are held
/// back until the next piece.
pub(super) struct StepOutlet {
    step: Arc<StepContext>,
    pod: String,
    /// The incomplete line of each container.
    lines: Mutex<HashMap<String, LineUnderWay>>,
    /// The part of a line that an earlier incarnation stored, by container, until that line
    /// arrives.
    stored: Mutex<HashMap<String, Part>>,
}

impl StepOutlet {
    /// Returns an outlet that resumes from `positions`, by container.
    pub(super) fn new(
        step: Arc<StepContext>,
        pod: String,
        positions: &HashMap<String, Position>,
    ) -> Self {
        let stored = positions
            .iter()
            .filter_map(|(container, position)| Some((container.clone(), position.part?)));
        Self {
            step,
            pod,
            lines: Mutex::default(),
            stored: Mutex::new(stored.collect()),
        }
    }

    fn emit(&self, container: &str, text: Vec<u8>, end: LineEnd, position: Option<Position>) {
        let name = |name: &str| Value::from(self.step.masks.text(name)).into();
        let mut fields = BTreeMap::from([
            (log_field::POD.into(), name(&self.pod)),
            (log_field::CONTAINER.into(), name(container)),
        ]);
        if let Some(Ok(position)) = position.map(serde_json::to_value) {
            fields.insert(log_field::POSITION.into(), position.into());
        }
        // The text is already masked, as one stream: a piece alone could contain a text that looks
        // like a secret but is not one.
        self.step.sink.event(Event::Log(LogLine {
            source: LogSource::Pod,
            level: LogLevel::Info,
            message: text.into(),
            end,
            fields,
            offset: None,
        }));
    }

    /// Begins a line when its first piece has arrived.
    fn begin(&self, container: &str, piece: &Piece) -> LineUnderWay {
        let masks = &self.step.masks;
        let stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = { stored }.remove(container);
        LineUnderWay::new(match stored {
            None => masks.stream(),
            Some(part) if part.time == piece.stamp => masks.stream_after(part.bytes),
            Some(_) => {
                // The line is no longer in the log. The next piece has the position.
                self.emit(container, Vec::new(), LineEnd::Missing, None);
                masks.stream()
            }
        })
    }

    /// Emits the held-back bytes of a line that will have no end.
    fn give_up(&self, container: &str) {
        let line = self.lock().remove(container);
        if let Some(line) = line {
            let position = line.position();
            self.emit(container, line.finish(), LineEnd::Missing, Some(position));
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
        let line = self.lock().remove(container);
        let mut line = line.unwrap_or_else(|| self.begin(container, piece));
        let (mut text, mut stored) = line.push(&piece.bytes, position);
        if piece.is_last() {
            text.extend(line.finish());
            stored = position;
        } else {
            self.lock().insert(container.to_owned(), line);
        }
        if piece.is_last() || !text.is_empty() {
            self.emit(container, text, piece.end, Some(stored));
        }
    }

    fn mask(&self, text: &str, whole: bool) -> String {
        if whole {
            return self.step.masks.text(text).into_owned();
        }
        // Text that may be the beginning of a secret is omitted with the rest of the line.
        let masked = self.step.masks.stream().push(text.as_bytes());
        String::from_utf8_lossy(&masked).into_owned()
    }

    fn gap(&self, container: &str, gap: Gap) {
        self.step.emit(Event::Warning(WarningRaised {
            code: codes::pod::LOG_GAP.into(),
            message: format!(
                "lines of the log of {} ({container}) between {} and {} may be missing here: it \
                 was rotated, or its container restarted, before they were read",
                self.pod, gap.after, gap.before
            )
            .into(),
            help: Vec::new(),
        }));
    }

    fn without_events(&self, why: &str) {
        self.step.emit(Event::Warning(WarningRaised {
            code: codes::pod::EVENTS_UNREAD.into(),
            message: format!(
                "the events of {} are not shown: {}",
                self.pod,
                self.step.masks.text(why)
            )
            .into(),
            help: vec!["a cluster administrator can grant what the plan needs: `sidestep plan --rbac` prints the Roles".into()],
        }));
    }

    fn cut_off(&self, container: &str, why: &str) {
        self.give_up(container);
        self.step.emit(Event::Warning(WarningRaised {
            code: codes::pod::LOG_CUT_OFF.into(),
            message: format!(
                "the end of the log of {} ({container}) may be missing: {why}",
                self.pod
            )
            .into(),
            help: Vec::new(),
        }));
    }
}
