use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of a step so far: one closed list for expressions, plan, events and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Not yet looked at.
    Pending,
    /// An attempt is under way.
    Running,
    /// Ready, and held back by a limit, a lock or an approval.
    Waiting,
    /// Ended with outputs.
    Succeeded,
    /// Ended with a failure.
    Failed,
    /// Never started: its condition was false, or what it needs failed.
    Skipped,
    /// Stopped because the run was cancelled.
    Cancelled,
    /// Its time was up.
    TimedOut,
    /// Not run: an earlier run's outputs stand for it.
    Cached,
}

impl Status {
    /// Whether nothing more can happen to the step.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Running | Self::Waiting)
    }

    /// Whether the step's outputs can be read.
    pub fn has_outputs(self) -> bool {
        matches!(self, Self::Succeeded | Self::Cached)
    }

    /// The status's name as scripts and expressions write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed-out",
            Self::Cached => "cached",
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
