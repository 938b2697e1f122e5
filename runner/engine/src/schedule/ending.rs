//! Applies the end of an instance to the others.

use sidestep_events::{Event, Failure, ForeignValue, Status, StepFinished, StepSkipped};
use tokio::task::{Id, JoinError};

use super::Schedule;
use crate::NodeState;
use crate::attempts::Ended;
use crate::shared::millis;

impl Schedule {
    /// Handles the end of a task.
    pub(super) fn joined(&mut self, joined: Result<(Id, Option<Ended>), JoinError>) {
        let (id, ended) = match joined {
            Ok((id, ended)) => (id, ended),
            Err(error) => {
                let failure = Failure::bug(format!("a step's task ended early: {error}"));
                (error.id(), Some(Ended::at_once(Status::Failed, failure)))
            }
        };
        let Some(index) = self.running.remove(&id) else {
            return;
        };
        // Detached: a resumed run continues from its journaled state.
        let Some(ended) = ended else { return };
        self.end(index, ended);
    }

    /// Ends the instance without an attempt.
    pub(super) fn end_now(&mut self, index: usize, status: Status, failure: Failure) {
        self.end(index, Ended::at_once(status, failure));
    }

    fn end(&mut self, index: usize, ended: Ended) {
        self.shared.recorder.emit(
            &self.scope(index),
            Event::StepFinished(StepFinished {
                status: ended.status,
                failure: ended.failure.clone(),
                outputs: ended.outputs.clone().map(ForeignValue::from),
                duration_ms: millis(ended.duration),
            }),
        );
        if matches!(ended.status, Status::Failed | Status::TimedOut) {
            self.pools.fail(&self.program.nodes()[index]);
        }
        self.over(
            index,
            NodeState {
                status: ended.status,
                outputs: ended.outputs,
                failure: ended.failure,
                because_of_failure: false,
            },
        );
    }

    pub(super) fn skip(&mut self, index: usize, skipped: StepSkipped) {
        let state = NodeState {
            status: Status::Skipped,
            because_of_failure: skipped.because_of_failure,
            ..NodeState::default()
        };
        self.shared
            .recorder
            .emit(&self.scope(index), Event::StepSkipped(skipped));
        self.over(index, state);
    }

    fn over(&mut self, index: usize, state: NodeState) {
        self.view.nodes[index] = state;
        let nodes = self.program.nodes();
        let finally = nodes[index].finally;
        self.queue
            .over(index, |dependent| nodes[dependent].finally == finally);
    }
}
