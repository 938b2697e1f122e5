//! The privileges of the command.

/// Linux capabilities, without the prefix `CAP_`.
#[sidestep::data]
#[derive(Debug, Clone, Default)]
pub(crate) struct Capabilities {
    /// The capabilities to add.
    #[serde(default)]
    pub add: Vec<String>,
    /// The capabilities to drop; `ALL` drops those that are not added.
    #[serde(default)]
    pub drop: Vec<String>,
}

/// A filter of system calls.
#[sidestep::data]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SeccompProfile {
    /// The container runtime's default.
    #[default]
    #[serde(rename = "RuntimeDefault")]
    RuntimeDefault,
    /// None.
    #[serde(rename = "Unconfined")]
    Unconfined,
}

impl SeccompProfile {
    /// Returns the profile's name in a pod.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RuntimeDefault => "RuntimeDefault",
            Self::Unconfined => "Unconfined",
        }
    }
}
