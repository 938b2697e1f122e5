//! Masking: what keeps a known secret out of logs, events and failures.
//!
//! It is best effort: a text that a plugin cut, reversed or encrypted is not found. What keeps a
//! secret safe is that plugins hold handles and never the text.

mod needles;
mod stream;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;
use sidestep_events::{Diagnostic, Event, Failure, Foreign};

use needles::Needles;
pub use stream::MaskStream;

/// Secrets shorter than this many bytes can't be masked: they would be found everywhere.
pub const MIN_SECRET: usize = 4;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// The secrets known to one run, in every form that is looked for: as they are, each line of a
/// multi-line one, base64 (standard and URL-safe) at the three alignments, percent-encoded, and
/// escaped for JSON.
#[derive(Default)]
pub struct Masks {
    current: RwLock<Arc<Needles>>,
}

impl Masks {
    /// No secret is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a secret known. False if it is shorter than [`MIN_SECRET`] and will not be masked.
    pub fn add(&self, secret: &str) -> bool {
        if secret.len() < MIN_SECRET {
            return false;
        }
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(more) = current.with(secret) {
            *current = Arc::new(more);
        }
        true
    }

    /// The text without any known secret.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.current().mask(text)
    }

    /// Whether a known secret, in any form, is in the text.
    pub fn found_in(&self, text: &str) -> bool {
        self.current().found_in(text.as_bytes())
    }

    /// The first place (a JSON pointer, RFC 6901) of a value that holds a known secret, in a text
    /// or a key. A secret that a key holds is masked in the answer.
    pub fn find(&self, value: &Value) -> Option<String> {
        let needles = self.current();
        if needles.is_empty() {
            return None;
        }
        find(&needles, value, &mut String::new())
    }

    /// Masks every text and key of a JSON value in place.
    pub fn value(&self, value: &mut Value) {
        let needles = self.current();
        if !needles.is_empty() {
            mask_value(&needles, value);
        }
    }

    /// The failure without any known secret.
    #[must_use]
    pub fn failure(&self, mut failure: Failure) -> Failure {
        self.in_place(&mut failure.message);
        failure.help.iter_mut().for_each(|text| self.in_place(text));
        self.in_place(&mut failure.code);
        let mut details = Value::Object(std::mem::take(&mut failure.details));
        self.value(&mut details);
        if let Value::Object(details) = details {
            failure.details = details;
        }
        failure
    }

    /// The diagnostic without any known secret.
    #[must_use]
    pub fn diagnostic(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        self.in_place(&mut diagnostic.message);
        for text in [&mut diagnostic.help, &mut diagnostic.file]
            .into_iter()
            .flatten()
        {
            self.in_place(text);
        }
        self.in_place(&mut diagnostic.code);
        diagnostic
    }

    /// What a plugin makes happen, without any known secret. Events of the engine itself pass
    /// unchanged, save their failures.
    #[must_use]
    pub fn event(&self, mut event: Event) -> Event {
        match &mut event {
            Event::Log(line) => {
                self.in_place(&mut line.message);
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
                warning.help.iter_mut().for_each(|text| self.in_place(text));
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

    /// Masks a text that arrives in pieces, such as a pod's log.
    pub fn stream(self: &Arc<Self>) -> MaskStream {
        MaskStream::new(Arc::clone(self))
    }

    fn optional_failure(&self, failure: &mut Option<Failure>) {
        *failure = failure.take().map(|failure| self.failure(failure));
    }

    fn in_place(&self, text: &mut Foreign) {
        if let Cow::Owned(masked) = self.text(text.exact()) {
            *text = masked.into();
        }
    }

    fn current(&self) -> Arc<Needles> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Masks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masks(…)")
    }
}

fn find(needles: &Needles, value: &Value, at: &mut String) -> Option<String> {
    let depth = at.len();
    match value {
        Value::String(text) => needles.found_in(text.as_bytes()).then(|| at.clone()),
        // A secret of digits may come back as a number.
        Value::Number(number) => needles
            .found_in(number.to_string().as_bytes())
            .then(|| at.clone()),
        Value::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
            at.truncate(depth);
            at.push('/');
            at.push_str(&index.to_string());
            find(needles, item, at)
        }),
        Value::Object(entries) => entries.iter().find_map(|(key, item)| {
            at.truncate(depth);
            at.push('/');
            at.push_str(&needles.mask(&key.replace('~', "~0").replace('/', "~1")));
            if needles.found_in(key.as_bytes()) {
                return Some(at.clone());
            }
            find(needles, item, at)
        }),
        Value::Null | Value::Bool(_) => None,
    }
}

fn mask_value(needles: &Needles, value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(masked) = needles.mask(text) {
                *text = masked;
            }
        }
        Value::Number(number) if needles.found_in(number.to_string().as_bytes()) => {
            *value = Value::String(MASK.to_owned());
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mask_value(needles, item)),
        Value::Object(entries) => {
            if entries.keys().any(|key| needles.found_in(key.as_bytes())) {
                *entries = std::mem::take(entries)
                    .into_iter()
                    .map(|(key, item)| (needles.mask(&key).into_owned(), item))
                    .collect();
            }
            entries
                .values_mut()
                .for_each(|item| mask_value(needles, item));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sidestep_events::{Class, Owner};

    use super::*;

    fn masks(secret: &str) -> Masks {
        let masks = Masks::new();
        assert!(masks.add(secret));
        masks
    }

    #[test]
    fn too_short_a_secret_is_said_not_masked() {
        let masks = Masks::new();
        assert!(!masks.add("abc"));
        assert_eq!(masks.text("abc"), "abc");
    }

    #[test]
    fn failures_are_masked_in_every_text() {
        let failure = Failure::new(Class::Failed, "x.y", Owner::Plugin, "got hunter22")
            .with_help("try hunter22 again")
            .with_detail("hunter22", json!(["a hunter22 b", {"k": "hunter22"}]));
        let masked = masks("hunter22").failure(failure);
        let text = serde_json::to_string(&masked).expect("serialisable");
        assert!(!text.contains("hunter22"), "{text}");
        assert_eq!(masked.message, "got ***");
        assert_eq!(masked.details["***"][1]["k"], "***");
    }

    #[test]
    fn an_output_is_found_by_place_and_number() {
        let masks = masks("12345678");
        assert_eq!(
            masks.find(&json!({"a": {"b/c": ["x", 1_234_567_890]}})),
            Some("/a/b~1c/1".into())
        );
        assert_eq!(masks.find(&json!({"a": "1234"})), None);
        assert_eq!(masks.find(&json!({"12345678": 1})), Some("/***".into()));
    }
}
