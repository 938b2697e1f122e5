//! The pod's own time limits.

use std::time::Duration;

/// The time that the pod's processes get to end.
pub const GRACE: Duration = Duration::from_secs(5);
/// The limit of a pod whose step has no `timeout`.
const LONGEST: Duration = Duration::from_hours(6);
/// The time that the pod may outlive the step, so that the step ends first and reports why.
const MARGIN: Duration = Duration::from_mins(1);

/// Returns the pod's `activeDeadlineSeconds`: whatever becomes of the runner, the cluster ends the
/// pod. `remaining` is the rest of the step's time.
pub fn deadline(remaining: Option<Duration>) -> u64 {
    remaining.map_or(LONGEST, |time| time + MARGIN).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cluster_ends_the_pod_after_the_step_would_have() {
        assert_eq!(deadline(Some(Duration::from_mins(10))), 660);
        assert_eq!(deadline(None), 6 * 3600);
    }
}
