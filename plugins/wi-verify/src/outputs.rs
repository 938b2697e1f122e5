//! What the step gives.

/// An identity that holds together.
#[sidestep::data]
#[derive(Debug, PartialEq)]
pub(crate) struct Outputs {
    /// Who Google says the workload is.
    pub principal: String,
    /// `direct` or `impersonation`.
    pub form: String,
    /// The cluster's workload identity pool.
    pub pool: String,
    /// Every link that was looked at.
    pub links: Vec<Finding>,
}

/// What came of one link.
#[sidestep::data]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    /// Its number, 1 to 16.
    pub link: u8,
    /// Its name.
    pub name: String,
    /// What came of it.
    pub status: Status,
    /// What was seen.
    pub detail: String,
}

/// What a link can come to.
#[sidestep::data]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// It holds.
    Ok,
    /// It holds, or may hold, and a person should look.
    Warning,
    /// It does not apply here.
    Skipped,
    /// It is broken: the step ends with it.
    Failed,
}
