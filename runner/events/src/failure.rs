//! Failures and their reasons.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sidestep_contract::codes;

use crate::{Class, Foreign, Help, Owner, Speaker, show};

/// A failure: its reason, its owner, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The kind of failure, for `retry.on` and exit codes.
    pub class: Class,
    /// The failure's code, with dots: `pod.evicted`, `identity.binding-missing`. The docs explain
    /// each.
    #[schemars(with = "codes::Code")]
    pub code: Foreign,
    /// The party that can act on it.
    pub owner: Owner,
    /// The event and the resource that it happened to, in one or two sentences.
    pub message: Foreign,
    /// The next steps, one per entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<Help>,
    /// The author of the text. If it is absent, readers assume a plugin.
    #[serde(default)]
    pub by: Speaker,
    /// The time to wait before a retry, in milliseconds, if the service requested one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Details for programs. Later versions may add more.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

impl Failure {
    /// Creates a failure of the runner, without help or details.
    pub fn new(
        class: Class,
        code: impl Into<Foreign>,
        owner: Owner,
        message: impl Into<Foreign>,
    ) -> Self {
        Self {
            class,
            code: code.into(),
            owner,
            message: message.into(),
            help: Vec::new(),
            by: Speaker::Runner,
            retry_after_ms: None,
            details: Map::new(),
        }
    }

    /// Creates a failure for a bug in Sidestep.
    pub fn bug(message: impl Into<Foreign>) -> Self {
        Self::new(
            Class::Failed,
            codes::sidestep::BUG,
            Owner::Sidestep,
            message,
        )
    }

    /// Creates a failure for work that was cancelled with its run or its step.
    pub fn cancelled(message: impl Into<Foreign>) -> Self {
        Self::new(
            Class::Cancelled,
            codes::run::CANCELLED,
            Owner::Operator,
            message,
        )
    }

    /// Adds a next step.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<Help>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds further next steps: none, one or many.
    #[must_use]
    pub fn with_helps(mut self, helps: impl IntoIterator<Item = impl Into<Help>>) -> Self {
        self.help.extend(helps.into_iter().map(Into::into));
        self
    }

    /// Adds a fact as a machine-readable detail.
    #[must_use]
    pub fn with_detail(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.details.insert(name.into(), value.into());
        self
    }

    /// Returns whether an entry of `retry.on` matches this failure: the name of its class, its
    /// code, or a prefix of its code that ends at a dot (`pod` matches `pod.evicted`).
    pub fn matches(&self, entry: &str) -> bool {
        entry == self.class.as_str() || self.has_code(entry)
    }
}

impl Failure {
    /// Returns whether the failure has this code, or one below it.
    pub(crate) fn has_code(&self, code: &str) -> bool {
        self.code
            .exact()
            .strip_prefix(code)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

/// Formats the failure on one line, as [`show::line`] shows it.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (message, code) = (show::line(&self.message), show::line(&self.code));
        write!(f, "{message} ({code})")
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_class_reads_as_failed() {
        let failure: Failure = serde_json::from_str(
            r#"{"class":"melted","code":"x.y","owner":"cloud","message":"m"}"#,
        )
        .expect("readers accept classes of a later version");
        assert_eq!(failure.class, Class::Failed);
    }

    #[test]
    fn retry_entries_match_classes_codes_and_whole_prefixes() {
        let failure = Failure::new(Class::Unavailable, "pod.node-lost", Owner::Cluster, "gone");
        for entry in ["unavailable", "pod", "pod.node-lost"] {
            assert!(failure.matches(entry), "{entry}");
        }
        for entry in ["failed", "po", "pod.node", "pod.node-lost.x", ""] {
            assert!(!failure.matches(entry), "{entry}");
        }
    }
}
