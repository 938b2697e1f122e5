//! The status of a step.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use sidestep_contract::names;

names! {
    /// The status of a step, with the same names in expressions, plans, events and reports.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    pub enum Status {
        /// Not yet considered.
        Pending = "pending",
        /// An attempt is in progress.
        Running = "running",
        /// Ready, and held back by a limit, a lock or an approval.
        Waiting = "waiting",
        /// Ended with outputs.
        Succeeded = "succeeded",
        /// Ended with a failure.
        Failed = "failed",
        /// Never started: its condition was false, or what it needs failed.
        Skipped = "skipped",
        /// Stopped because the run was cancelled.
        Cancelled = "cancelled",
        /// Exceeded its timeout.
        TimedOut = "timed-out",
        /// Not run: the outputs of an earlier run are reused.
        Cached = "cached",
    }
}

impl Status {
    /// Returns whether the step has ended.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Running | Self::Waiting)
    }

    /// Returns whether the step's outputs can be read.
    pub fn has_outputs(self) -> bool {
        matches!(self, Self::Succeeded | Self::Cached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_written_by_its_name() {
        for status in Status::ALL {
            let json = serde_json::to_value(status).expect("a plain enum");
            assert_eq!(json, status.as_str());
        }
    }
}
