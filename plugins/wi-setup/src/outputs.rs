//! The step's outputs.

/// The difference between the present and the wanted state.
#[sidestep::data]
#[derive(Debug, PartialEq)]
pub(crate) struct Outputs {
    /// The principal that has the roles on the targets.
    pub principal: String,
    /// Whether the changes were made. Without `apply`, they are only shown.
    pub applied: bool,
    /// The parts of the wanted state that were missing; with `remove`, those that are taken back.
    pub changes: Vec<Entry>,
    /// The parts of the wanted state that were there already; with `remove`, those that are kept.
    pub present: Vec<Entry>,
    /// The lines of the plan in `format`; empty for `diff`, which is only logged.
    pub lines: Vec<String>,
}

/// A part of the wanted state.
#[sidestep::data]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// Its kind.
    pub kind: Kind,
    /// The resource: `buckets/B`, `projects/P/serviceAccounts/E`, `NAMESPACE/ACCOUNT`, …
    pub on: String,
    /// The role of a binding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The member of a binding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// The condition of a binding (CEL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// The present value of the annotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The wanted value of the annotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// The kind of a part.
#[sidestep::data]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A Kubernetes service account.
    KubernetesAccount,
    /// A Google service account.
    GoogleAccount,
    /// A role of a member on a resource.
    Binding,
    /// The annotation that names a Google service account.
    Annotation,
}
