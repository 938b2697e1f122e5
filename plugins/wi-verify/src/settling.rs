//! What Google's servers do not all know yet.

/// A change that was read, and that heals a failure by itself once every server knows it. What was
/// not read is not waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settling {
    /// The policies grant it.
    Grant,
    /// The Google service account is there and enabled.
    Account,
    /// The cluster has the pool.
    Pool,
    /// The API is enabled.
    Api,
}

impl Settling {
    /// Says what was read, in a sentence that goes on with "and Google does not see that yet".
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Grant => "the policies grant it",
            Self::Account => "the account exists and is enabled",
            Self::Pool => "the cluster has the pool",
            Self::Api => "the API is enabled",
        }
    }
}

/// Which facts the links before the proof have read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// The Google service account is there and enabled.
    pub(crate) account: bool,
    /// The APIs are enabled.
    pub(crate) apis: bool,
}
