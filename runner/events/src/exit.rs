use crate::{Failure, Rule};

/// The exit codes of `sidestep`, for CI systems. They are declared in order of precedence: if
/// several apply, the first wins, so `validate`, `plan` and `run` give one file the same code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exit {
    /// 70: a bug in Sidestep.
    Bug,
    /// 129: ended by SIGHUP.
    Hangup,
    /// 130: ended by SIGINT.
    Interrupted,
    /// 143: ended by SIGTERM.
    Terminated,
    /// 8: cancelled by `sidestep cancel`.
    Cancelled,
    /// 6: the operator's configuration or policy cannot be read.
    Configuration,
    /// 2: the pipeline, its inputs or the command line are wrong; nothing was started.
    Usage,
    /// 3: refused by grants or policy.
    Refused,
    /// 4: the cloud or the cluster denied a request, and a person must act.
    Denied,
    /// 5: timed out.
    TimedOut,
    /// 1: a step failed.
    Failed,
    /// 75: all failed steps failed because of the infrastructure; a retry is safe.
    Unavailable,
    /// 7: waiting for an approval.
    Waiting,
    /// 0: every step succeeded or was skipped by its own condition.
    Success,
}

impl Exit {
    /// Returns the exit code of the process.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Denied => 4,
            Self::TimedOut => 5,
            Self::Configuration => 6,
            Self::Waiting => 7,
            Self::Cancelled => 8,
            Self::Bug => 70,
            Self::Unavailable => 75,
            Self::Hangup => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// Returns the exit code for a step's failure: that of the first of the [rules](crate::RULES)
    /// that matches.
    pub fn of_failure(failure: &Failure) -> Self {
        Rule::of(failure)
            .next()
            .map_or(Self::Failed, |rule| rule.exit)
    }

    /// Returns the exit code of a run to which all of these apply; success if there are none.
    pub fn first(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().min().unwrap_or(Self::Success)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Class, Owner};

    fn failure(class: Class, code: &'static str, owner: Owner) -> Failure {
        Failure::new(class, code, owner, "m")
    }

    #[test]
    fn a_failure_counts_as_the_contract_says() {
        let table = [
            (Class::Failed, "kaniko.run-failed", Owner::Author, 1),
            (Class::InvalidInput, "input.wrong", Owner::Author, 1),
            (Class::Refused, "grant.missing", Owner::Author, 3),
            (Class::Denied, "kaniko.push-denied", Owner::Cloud, 4),
            (Class::Failed, "identity.binding-missing", Owner::Cloud, 4),
            (
                Class::Unavailable,
                "identity.metadata-unavailable",
                Owner::Cloud,
                75,
            ),
            (Class::TimedOut, "step.timed-out", Owner::Author, 5),
            (Class::Unavailable, "http.unavailable", Owner::Cloud, 75),
            (Class::Failed, "pod.evicted", Owner::Cluster, 75),
            (Class::Failed, "pod.out-of-memory", Owner::Author, 1),
            (Class::Failed, "pod.node-lost", Owner::Cluster, 75),
            (Class::Failed, "sidestep.bug", Owner::Sidestep, 70),
        ];
        for (class, code, owner, exit) in table {
            assert_eq!(
                Exit::of_failure(&failure(class, code, owner)).code(),
                exit,
                "{code}"
            );
        }
    }

    #[test]
    fn the_first_of_the_contract_wins() {
        assert_eq!(Exit::first([Exit::Unavailable, Exit::Failed]), Exit::Failed);
        assert_eq!(
            Exit::first([Exit::Failed, Exit::Denied, Exit::Refused]),
            Exit::Refused
        );
        assert_eq!(Exit::first([Exit::Interrupted, Exit::Bug]), Exit::Bug);
        assert_eq!(Exit::first([Exit::Waiting, Exit::Success]), Exit::Waiting);
        assert_eq!(Exit::first([]), Exit::Success);
    }
}
