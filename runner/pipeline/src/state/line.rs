//! The results of an instance and of all its needs, for `success()` and `failure()`.

use sidestep_events::Status;

use super::{InstanceState, RunState};

/// The combined result of instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    /// Whether each succeeded or was skipped by its own condition.
    pub(super) satisfied: bool,
    /// Whether one failed, or was skipped because an earlier one failed.
    pub(super) failed: bool,
}

impl FromIterator<Line> for Line {
    fn from_iter<I: IntoIterator<Item = Line>>(lines: I) -> Self {
        let nothing = Self {
            satisfied: true,
            failed: false,
        };
        lines.into_iter().fold(nothing, |all, one| Self {
            satisfied: all.satisfied && one.satisfied,
            failed: all.failed || one.failed,
        })
    }
}

impl InstanceState {
    /// Returns the result of this instance alone.
    pub(super) fn own(&self) -> Line {
        Line {
            satisfied: self.satisfies(),
            failed: matches!(self.status, Status::Failed | Status::TimedOut)
                || (self.status == Status::Skipped && self.because_of_failure),
        }
    }
}

impl RunState {
    /// Returns the combined result of an instance and all its needs. All of them have ended, so the
    /// result is cached: each instance is visited once, however often it is read.
    pub(super) fn line(&self, id: &str) -> Line {
        // No recursion: after a resume, the first call may be for the end of a long chain.
        let mut open = vec![id];
        while let Some(&id) = open.last() {
            let Some(state) = self.instances.get(id) else {
                open.pop();
                continue;
            };
            let unknown = |need: &&String| {
                let need = self.instances.get(*need);
                need.is_some_and(|need| need.line.get().is_none())
            };
            let before = open.len();
            if state.line.get().is_none() {
                open.extend(state.needs.iter().filter(unknown).map(String::as_str));
            }
            if open.len() == before {
                let needs = state.needs.iter().filter_map(|id| self.instances.get(id));
                let needs = needs.filter_map(|need| need.line.get().copied());
                state
                    .line
                    .get_or_init(|| needs.chain([state.own()]).collect());
                open.pop();
            }
        }
        let state = self.instances.get(id);
        let line = state.and_then(|state| state.line.get().copied());
        line.unwrap_or_else(|| [].into_iter().collect())
    }
}
