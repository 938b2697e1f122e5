//! A kind of object, and what clean-up makes of it.

use serde_json::Value;

use crate::Target;

/// What becomes of an object that was created and is then removed as clean-up does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is gone.
    Gone,
    /// A controller, which the tests' API server does not have, ends its deletion.
    Going,
    /// It was never stored.
    Unstored,
    /// It is refused: it may not have the marks of a step.
    Refused,
}

/// A kind.
pub(super) struct Row {
    pub(super) api_version: &'static str,
    pub(super) kind: &'static str,
    /// The plural.
    pub(super) resource: &'static str,
    pub(super) name: String,
    pub(super) in_namespace: bool,
    /// The object without its name.
    pub(super) object: Value,
    pub(super) fate: Fate,
}

impl Row {
    pub(super) fn target(&self, namespace: &str) -> Target {
        Target {
            api_version: self.api_version.to_owned(),
            resource: self.resource.to_owned(),
            namespace: self.in_namespace.then(|| namespace.to_owned()),
        }
    }

    pub(super) fn of(self, fate: Fate) -> Self {
        Self { fate, ..self }
    }

    pub(super) fn named(self, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }

    pub(super) fn global(self) -> Self {
        Self {
            in_namespace: false,
            ..self
        }
    }
}

/// Returns a row for an object of the namespace that is gone after a clean-up.
pub(super) fn row(
    api_version: &'static str,
    kind: &'static str,
    resource: &'static str,
    object: Value,
) -> Row {
    Row {
        api_version,
        kind,
        resource,
        name: String::new(),
        in_namespace: true,
        object,
        fate: Fate::Gone,
    }
}
