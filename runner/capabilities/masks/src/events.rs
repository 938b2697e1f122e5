//! Masks secrets in events and failures.

use std::borrow::Cow;

use serde_json::Value;
use sidestep_events::{Diagnostic, Event, Failure, Foreign, Help, LogText};

use super::Masks;

impl Masks {
    /// Returns the failure without any known secret.
    #[must_use]
    pub fn failure(&self, mut failure: Failure) -> Failure {
        self.in_place(&mut failure.message);
        self.help(&mut failure.help);
        self.in_place(&mut failure.code);
        let mut details = Value::Object(std::mem::take(&mut failure.details));
        self.value(&mut details);
        if let Value::Object(details) = details {
            failure.details = details;
        }
        failure
    }

    /// Returns the diagnostic without any known secret.
    #[must_use]
    pub fn diagnostic(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        self.in_place(&mut diagnostic.message);
        self.help(&mut diagnostic.help);
        if let Some(file) = &mut diagnostic.file {
            self.in_place(file);
        }
        self.in_place(&mut diagnostic.code);
        diagnostic
    }

    /// Returns a plugin's event without any known secret. Events of the engine itself pass
    /// unchanged, except for their failures.
    #[must_use]
    pub fn event(&self, mut event: Event) -> Event {
        match &mut event {
            Event::Log(line) => {
                self.in_log(&mut line.message);
                let fields = std::mem::take(&mut line.fields).into_iter();
                let mut fields: Value = fields
                    .map(|(name, value)| (name.into_exact(), value.into_exact()))
                    .collect();
                self.value(&mut fields);
                if let Value::Object(fields) = fields {
                    let fields = fields.into_iter();
                    line.fields = fields
                        .map(|(name, value)| (name.into(), value.into()))
                        .collect();
                }
            }
            Event::GroupStarted { title } => self.in_place(title),
            Event::Progress(progress) => {
                self.in_place(&mut progress.label);
                self.in_place(&mut progress.unit);
            }
            Event::Annotation(diagnostic) => {
                let masked = self.diagnostic(diagnostic.clone());
                *diagnostic = masked;
            }
            Event::HostCall(call) => self.in_place(&mut call.target),
            Event::Warning(warning) => {
                self.in_place(&mut warning.message);
                self.help(&mut warning.help);
            }
            Event::CleanedUp(cleaned) => self.optional_failure(&mut cleaned.failure),
            Event::StepFinished(finished) => self.optional_failure(&mut finished.failure),
            Event::AttemptFinished(finished) => self.optional_failure(&mut finished.failure),
            Event::StepSkipped(skipped) => {
                let values = skipped.values.values_mut();
                values.for_each(|v| self.value(v.exact_mut()));
            }
            _ => {}
        }
        event
    }

    fn optional_failure(&self, failure: &mut Option<Failure>) {
        *failure = failure.take().map(|failure| self.failure(failure));
    }

    /// A command that is masked cannot be run any more, and becomes a text. A secret may be split
    /// across several words of it.
    fn help(&self, helps: &mut [Help]) {
        for help in helps {
            let mut masked = false;
            help.each_text(|text| {
                if let Cow::Owned(without) = self.text(text) {
                    *text = without;
                    masked = true;
                }
            });
            let line = help.exact();
            match self.text(&line) {
                Cow::Owned(without) => *help = without.into(),
                Cow::Borrowed(_) if masked => *help = line.into(),
                Cow::Borrowed(_) => {}
            }
        }
    }

    fn in_log(&self, text: &mut LogText) {
        if let Some(masked) = self.bytes(text.bytes()) {
            *text = masked.into();
        }
    }

    fn in_place(&self, text: &mut Foreign) {
        if let Cow::Owned(masked) = self.text(text.exact()) {
            *text = masked.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sidestep_events::{Class, Command, Owner};

    use super::*;

    #[test]
    fn failures_are_masked_in_every_text() {
        let failure = Failure::new(Class::Failed, "x.y", Owner::Plugin, "got hunter22")
            .with_help("try hun\0ter22 again")
            .with_helps(
                Command::new(&["login"])
                    .option("--password", "hunter22")
                    .words(&["now"])
                    .build(),
            )
            .with_detail("hunter22", json!(["a hunter22 b", {"k": "hunter22"}]));
        let masks = Masks::new();
        assert_eq!(masks.add("hunter22"), Ok(()));
        let masked = masks.failure(failure);
        assert_eq!(masked.message, "got ***");
        assert_eq!(masked.help, ["try *** again", "login --password '***' now"]);
        assert_eq!(masked.details["***"], json!(["a *** b", {"k": "***"}]));
    }
}
