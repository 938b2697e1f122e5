//! Changes that are not in effect on all of Google's servers yet.

/// A change that was read, and that fixes a failure by itself once it takes effect everywhere. The
/// step does not wait for what was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settling {
    /// The policies grant it.
    Grant,
    /// The Google service account exists and is enabled.
    Account,
    /// The cluster has the pool.
    Pool,
    /// The API is enabled.
    Api,
}

impl Settling {
    /// Returns a clause about what was read, which "but Google does not see that yet" follows.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Grant => "the policies grant it",
            Self::Account => "the account exists and is enabled",
            Self::Pool => "the cluster has the pool",
            Self::Api => "the API is enabled",
        }
    }
}

/// The facts that the links before the proof have read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// The Google service account exists and is enabled.
    pub(crate) account: bool,
    /// The APIs are enabled.
    pub(crate) apis: bool,
}
