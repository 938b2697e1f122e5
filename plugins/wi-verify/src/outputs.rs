//! The step's outputs.

/// A working identity.
#[sidestep::data]
#[derive(Debug, PartialEq)]
pub(crate) struct Outputs {
    /// The principal that Google recognises the workload as.
    pub principal: String,
    /// `direct` or `impersonation`.
    pub form: String,
    /// The cluster's workload identity pool.
    pub pool: String,
    /// Every link that was checked.
    pub links: Vec<Finding>,
}

/// The result of one link.
#[sidestep::data]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    /// Its number, 1 to 16; 0 for the links of the runner itself.
    pub link: u8,
    /// Its id: `C0` to `C6` for the links of the runner itself, and the number of every other.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: Status,
    /// The check's finding.
    pub detail: String,
}

/// The status of a link.
#[sidestep::data]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// It holds.
    Ok,
    /// It holds or may hold, but needs attention.
    Warning,
    /// It does not apply here.
    Skipped,
    /// It is broken, and the step fails.
    Failed,
}
