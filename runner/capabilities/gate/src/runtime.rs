//! `sidestep:step/runtime`: the step's environment. It needs no grant.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use sidestep_events::{
    Class, Event, Failure, Foreign, ForeignValue, LineEnd, LogLevel, LogLine, LogSource, Owner,
    Progress, codes, cut,
};
use wasmtime::component::{HasSelf, Linker};

use crate::bindings::sidestep::host::types::Diagnostic;
use crate::bindings::sidestep::step::runtime::{self as wit, Field, Level, ProgressReport};
use crate::convert::{diagnostic_from_wit, help_size, milliseconds};
use crate::gate::PerByte;
use crate::gate::functions::runtime as functions;
use crate::panicked::Panicked;
use crate::{CallError, StepState, Stopped};

/// The maximum length of a log line, title or label, in bytes; longer text is cut.
const MAX_TEXT: usize = 64 << 10;
/// The maximum number of fields of one line; together they have at most [`MAX_TEXT`] bytes.
const MAX_FIELDS: usize = 64;
/// The maximum size of a checkpoint, in bytes of JSON.
const MAX_CHECKPOINT: usize = 64 << 10;
/// The maximum number of random bytes of one call.
const MAX_RANDOM: u32 = 64 << 10;

pub(crate) fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasSelf<StepState>>(linker, |state| state)
}

impl StepState {
    /// Charges the output of a call. A guest that has used up its output is stopped: these calls
    /// have no error to return.
    async fn may_say(&mut self, function: PerByte, bytes: usize) -> wasmtime::Result<()> {
        let charged = self.gate.charge(function.of(bytes)).await;
        let _room = charged.map_err(Stopped::trap)?;
        self.talk.take(bytes).map_err(Stopped::trap)
    }
}

impl wit::Host for StepState {
    async fn log(
        &mut self,
        level: Level,
        message: String,
        fields: Vec<Field>,
    ) -> wasmtime::Result<()> {
        let size = fields
            .iter()
            .map(|field| field.name.len() + field.value.len())
            .sum::<usize>()
            + message.len();
        self.may_say(functions::LOG, size).await?;
        // Masked before it is cut, so that no secret is split.
        let message = cut(&self.step.masks.text(&message), MAX_TEXT);
        // A journal record has a maximum size, into which all fields of a line must fit.
        let mut left = MAX_TEXT;
        let fields: BTreeMap<Foreign, ForeignValue> = fields
            .into_iter()
            .take(MAX_FIELDS)
            .take_while(|field| {
                let size = field.name.len() + field.value.len();
                let rest = left.checked_sub(size);
                left = rest.unwrap_or(left);
                rest.is_some()
            })
            .map(|field| {
                let value = cut(&self.step.masks.text(&field.value), MAX_TEXT);
                (
                    cut(&self.step.masks.text(&field.name), MAX_TEXT).into(),
                    Value::String(value).into(),
                )
            })
            .collect();
        self.step.emit(Event::Log(LogLine {
            source: LogSource::Plugin,
            level: match level {
                Level::Debug => LogLevel::Debug,
                Level::Info => LogLevel::Info,
                Level::Warn => LogLevel::Warn,
                Level::Error => LogLevel::Error,
            },
            message: message.into(),
            end: LineEnd::Feed,
            fields,
            offset: None,
        }));
        Ok(())
    }

    async fn group(&mut self, title: String) -> wasmtime::Result<()> {
        self.may_say(functions::GROUP, title.len()).await?;
        self.talk.begin_group();
        let title = cut(&self.step.masks.text(&title), MAX_TEXT).into();
        self.step.emit(Event::GroupStarted { title });
        Ok(())
    }

    async fn end_group(&mut self) -> wasmtime::Result<()> {
        if self.talk.end_group() {
            self.step.emit(Event::GroupFinished {});
        }
        Ok(())
    }

    async fn progress(&mut self, report: ProgressReport) -> wasmtime::Result<()> {
        let soon = self.talk.has_just_reported(&report.message);
        let last = report.total == Some(report.done);
        if soon && !last {
            return Ok(());
        }
        let size = report.message.len() + report.unit.len();
        self.may_say(functions::PROGRESS, size).await?;
        let label = cut(&self.step.masks.text(&report.message), MAX_TEXT);
        self.talk.report(report.message);
        self.step.emit(Event::Progress(Progress {
            label: label.into(),
            done: report.done,
            total: report.total,
            unit: cut(&self.step.masks.text(&report.unit), MAX_TEXT).into(),
        }));
        Ok(())
    }

    async fn annotate(&mut self, note: Diagnostic) -> wasmtime::Result<()> {
        let file = note.file.as_ref().map_or(0, String::len);
        let help: usize = note.help.iter().map(help_size).sum();
        let size = note.message.len() + note.code.len() + file + help;
        self.may_say(functions::ANNOTATE, size).await?;
        let note = self.step.masks.diagnostic(diagnostic_from_wit(note));
        self.step.emit(Event::Annotation(note.cut(MAX_TEXT)));
        Ok(())
    }

    async fn sleep(&mut self, milliseconds: u64) -> Result<(), CallError> {
        let _room = self.gate.enter(functions::SLEEP).await?;
        let time = Duration::from_millis(milliseconds);
        self.gate
            .unless_cancelled(async {
                tokio::time::sleep(time).await;
                Ok(())
            })
            .await?;
        Ok(())
    }

    async fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(milliseconds(Timestamp::now()))
    }

    async fn deadline(&mut self) -> wasmtime::Result<Option<u64>> {
        Ok(self.step.deadline.map(milliseconds))
    }

    async fn random(&mut self, length: u32) -> wasmtime::Result<Vec<u8>> {
        if length > MAX_RANDOM {
            return Err(wasmtime::Error::msg(format!(
                "the plugin asked for {length} random bytes; one call returns at most {MAX_RANDOM}"
            )));
        }
        let charged = self.gate.charge(functions::RANDOM.of(length)).await;
        let _room = charged.map_err(Stopped::trap)?;
        let mut bytes = vec![0; length as usize];
        getrandom::fill(&mut bytes)
            .map_err(|error| wasmtime::Error::msg(format!("no random bytes: {error}")))?;
        Ok(bytes)
    }

    async fn is_cancelled(&mut self) -> wasmtime::Result<bool> {
        Ok(self.step.cancel.is_cancelled())
    }

    async fn attempt(&mut self) -> wasmtime::Result<u32> {
        Ok(self.step.attempt)
    }

    async fn resumed(&mut self) -> wasmtime::Result<bool> {
        Ok(self.step.resumed)
    }

    async fn checkpoint(&mut self, json: String) -> Result<(), CallError> {
        let gate = Arc::clone(&self.gate);
        let _room = gate
            .enter(functions::CHECKPOINT.of(json.len().min(MAX_CHECKPOINT)))
            .await?;
        let wrong =
            |code, class, message: String| Failure::new(class, code, Owner::Plugin, message);
        if json.len() > MAX_CHECKPOINT {
            return Err(wrong(
                codes::checkpoint::TOO_LARGE,
                Class::Exhausted,
                format!(
                    "the checkpoint has {} bytes; at most {MAX_CHECKPOINT} are allowed",
                    json.len()
                ),
            )
            .into());
        }
        let state: Value = serde_json::from_str(&json).map_err(|error| {
            wrong(
                codes::checkpoint::NOT_JSON,
                Class::InvalidInput,
                format!("the checkpoint is not JSON: {error}"),
            )
        })?;
        if let Some(place) = self.step.masks.find(&state) {
            return Err(wrong(
                codes::checkpoint::SECRET,
                Class::Failed,
                format!(
                    "the checkpoint holds a secret at `{place}`; secrets are never written to disk"
                ),
            )
            .into());
        }
        self.step.sink.checkpoint(state).await?;
        self.last_checkpoint = Some(json);
        Ok(())
    }

    async fn last_checkpoint(&mut self) -> wasmtime::Result<Option<String>> {
        let charged = self.gate.charge(functions::LAST_CHECKPOINT).await;
        let _room = charged.map_err(Stopped::trap)?;
        Ok(self.last_checkpoint.clone())
    }

    async fn object_name(&mut self, purpose: String) -> wasmtime::Result<String> {
        let charged = self
            .gate
            .charge(functions::OBJECT_NAME.of(purpose.len()))
            .await;
        let _room = charged.map_err(Stopped::trap)?;
        let step = &self.step;
        Ok(sidestep_names::object_name(
            &step.run,
            &step.instance,
            step.attempt,
            &purpose,
        ))
    }

    async fn panicked(&mut self, message: String, place: String) -> wasmtime::Result<()> {
        let gate = Arc::clone(&self.gate);
        let charged = gate.charge(functions::PANICKED.of(message.len() + place.len()));
        let _room = charged.await.map_err(Stopped::trap)?;
        let panicked = Panicked {
            message: cut(&self.step.masks.text(&message), MAX_TEXT),
            place: cut(&self.step.masks.text(&place), MAX_TEXT),
        };
        self.set_panicked(panicked);
        Ok(())
    }
}
