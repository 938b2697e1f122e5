use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// Why something did not work, whose it is, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The kind of failure, for `retry.on` and exit codes.
    pub class: Class,
    /// The exact failure, dotted: `pod.evicted`, `identity.binding-missing`. Each has a page in
    /// the docs.
    pub code: Cow<'static, str>,
    /// Who can mend it.
    pub owner: Owner,
    /// What happened, in one or two sentences, with the resource that it happened to.
    pub message: String,
    /// What to do next, one step an entry; a command stands alone in its entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<String>,
    /// How long to wait before another try, in milliseconds, where the other side said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Facts for programs; the place to grow.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

impl Failure {
    /// A failure without help or details.
    pub fn new(
        class: Class,
        code: impl Into<Cow<'static, str>>,
        owner: Owner,
        message: impl Into<String>,
    ) -> Self {
        Self {
            class,
            code: code.into(),
            owner,
            message: message.into(),
            help: Vec::new(),
            retry_after_ms: None,
            details: Map::new(),
        }
    }

    /// Our own bug: something that can't happen did.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Class::Failed, "sidestep.bug", Owner::Sidestep, message)
    }

    /// The run or the step was cancelled while this was under way.
    pub fn cancelled(message: impl Into<String>) -> Self {
        Self::new(Class::Cancelled, "run.cancelled", Owner::Operator, message)
    }

    /// Adds a next step.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds a fact for programs.
    #[must_use]
    pub fn with_detail(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.details.insert(name.into(), value.into());
        self
    }

    /// Whether `retry.on`'s entry names this failure: a class's name, or a code or a prefix of
    /// one that ends at a dot (`pod` names `pod.evicted`).
    pub fn matches(&self, entry: &str) -> bool {
        entry == self.class.as_str()
            || self
                .code
                .strip_prefix(entry)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for Failure {}

/// The kind of failure. Closed to people; a reader takes a name that it doesn't know as `failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// What was asked for makes no sense.
    InvalidInput,
    /// Our gate's or the policy's no.
    Refused,
    /// The cloud's or the cluster's no.
    Denied,
    /// It isn't there.
    NotFound,
    /// Somebody else changed it, or it is there already.
    Conflict,
    /// The other side can't answer now; trying again may help.
    Unavailable,
    /// A limit, a quota or a resource is used up.
    Exhausted,
    /// It took too long.
    TimedOut,
    /// It was stopped on purpose.
    Cancelled,
    /// It was tried and did not work.
    Failed,
}

impl Class {
    /// All classes, in the order of the contract.
    pub const ALL: [Self; 10] = [
        Self::InvalidInput,
        Self::Refused,
        Self::Denied,
        Self::NotFound,
        Self::Conflict,
        Self::Unavailable,
        Self::Exhausted,
        Self::TimedOut,
        Self::Cancelled,
        Self::Failed,
    ];

    /// The class's name as files and scripts write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid-input",
            Self::Refused => "refused",
            Self::Denied => "denied",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Unavailable => "unavailable",
            Self::Exhausted => "exhausted",
            Self::TimedOut => "timed-out",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// The class of that name; `failed` for a name that this version doesn't know.
    pub fn from_name(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|class| class.as_str() == name)
            .unwrap_or(Self::Failed)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Class {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_name(&String::deserialize(deserializer)?))
    }
}

/// Who can mend a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// Who wrote the pipeline, or the code that it builds.
    Author,
    /// Who wrote the plugin.
    Plugin,
    /// Who runs the Google Cloud project.
    Cloud,
    /// Who runs the cluster.
    Cluster,
    /// Who runs Sidestep here: settings, policy, the machine.
    Operator,
    /// Us: a bug.
    Sidestep,
}

impl Owner {
    /// The owner's name as events write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Plugin => "plugin",
            Self::Cloud => "cloud",
            Self::Cluster => "cluster",
            Self::Operator => "operator",
            Self::Sidestep => "sidestep",
        }
    }

    /// The owner of that name, if it is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Author,
            Self::Plugin,
            Self::Cloud,
            Self::Cluster,
            Self::Operator,
            Self::Sidestep,
        ]
        .into_iter()
        .find(|owner| owner.as_str() == name)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

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

    #[test]
    fn every_class_is_read_back() {
        for class in Class::ALL {
            let json = serde_json::to_value(class).expect("a plain enum");
            assert_eq!(json, class.as_str());
            assert_eq!(
                serde_json::from_value::<Class>(json).expect("its own name"),
                class
            );
        }
    }
}
