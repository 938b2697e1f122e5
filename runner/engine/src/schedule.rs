//! What may start when.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sidestep_events::{Event, Failure, Status, StepFinished, StepSkipped, StepWaiting};
use sidestep_state::History;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::attempts::{Cut, Ended, Shared, Start, millis, run_instance};
use crate::recorder::Scope;
use crate::{NodeState, Pool, Program, RunView, Stop, StopReason, Verdict};

/// The course of one run.
pub(crate) struct Schedule {
    program: Arc<dyn Program>,
    shared: Arc<Shared>,
    stop: Stop,
    view: RunView,
    starts: Vec<Start>,
    /// How many needs of each instance are not over.
    unmet: Vec<usize>,
    dependents: Vec<Vec<usize>>,
    /// Instances whose needs are over, and which have not started.
    ready: BTreeSet<usize>,
    /// Those of them whose condition was true.
    passed: BTreeSet<usize>,
    /// Those of them that have said that they wait.
    told: BTreeSet<usize>,
    tasks: JoinSet<Option<Ended>>,
    running: HashMap<Id, usize>,
    pools: HashMap<String, CancellationToken>,
    /// Cancels what was running when the run was stopped; what starts later has another.
    early: CancellationToken,
    detach: CancellationToken,
    deadline: Option<Instant>,
}

impl Schedule {
    pub(crate) fn new(
        program: Arc<dyn Program>,
        shared: Arc<Shared>,
        history: &History,
        stop: Stop,
    ) -> Self {
        let nodes = program.nodes();
        let known = |index: usize| history.instances.get(&nodes[index].instance);
        let states = (0..nodes.len()).map(|index| match known(index) {
            Some(known) if known.status.is_some_and(Status::has_outputs) => NodeState {
                status: known.status.unwrap_or(Status::Succeeded),
                outputs: known.outputs.clone(),
                ..NodeState::default()
            },
            _ => NodeState::default(),
        });
        let view = RunView {
            nodes: states.collect(),
            cancelled: false,
        };
        let mut dependents = vec![Vec::new(); nodes.len()];
        let mut unmet = vec![0; nodes.len()];
        for (index, node) in nodes.iter().enumerate() {
            for need in node.needs.iter().copied() {
                if !view.nodes[need].status.is_final() {
                    dependents[need].push(index);
                    unmet[index] += 1;
                }
            }
        }
        let deadline = shared.options.timeout.map(|limit| Instant::now() + limit);
        Self {
            starts: (0..nodes.len()).map(|i| Start::after(known(i))).collect(),
            program,
            shared,
            stop,
            view,
            unmet,
            dependents,
            ready: BTreeSet::new(),
            passed: BTreeSet::new(),
            told: BTreeSet::new(),
            tasks: JoinSet::new(),
            running: HashMap::new(),
            pools: HashMap::new(),
            early: CancellationToken::new(),
            detach: CancellationToken::new(),
            deadline,
        }
    }

    pub(crate) fn into_view(self) -> RunView {
        self.view
    }

    /// Runs all instances of `finally`, or all others, to their end.
    pub(crate) async fn drive(&mut self, finally: bool) {
        let nodes = self.program.nodes();
        self.ready = (0..nodes.len())
            .filter(|index| nodes[*index].finally == finally)
            .filter(|index| self.unmet[*index] == 0 && !self.is_over(*index))
            .collect();
        let stop = self.stop.token().clone();
        let mut stopped = false;
        loop {
            if stop.is_cancelled() && !stopped {
                stopped = true;
                self.stopped();
            }
            self.settle(finally);
            if self.tasks.is_empty() {
                break;
            }
            let deadline = self.deadline.filter(|_| !finally && !stopped);
            let out_of_time = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(joined) = self.tasks.join_next_with_id() => self.joined(joined),
                () = stop.cancelled(), if !stopped => {}
                () = out_of_time => self.stop.stop(StopReason::TimedOut),
            }
        }
    }

    fn stopped(&mut self) {
        self.view.cancelled = true;
        // Conditions may read `cancelled()`.
        self.passed.clear();
        // One or the other: an attempt that saw both might take itself for cancelled, and remove
        // what it is to leave.
        if self.stop.detaches() {
            self.detach.cancel();
        } else {
            self.early.cancel();
        }
    }

    /// Starts, skips or holds back what is ready, until nothing changes.
    fn settle(&mut self, finally: bool) {
        if self.stop.detaches() || matches!(self.stop.reason(), Some(StopReason::Broken(_))) {
            return;
        }
        // Ending one instance may make others ready, with any index.
        let mut looked_at = BTreeSet::new();
        while let Some(index) = self.ready.difference(&looked_at).next().copied() {
            looked_at.insert(index);
            if let Some(pool) = self.pool_of(index)
                && self.pool_token(&pool).is_cancelled()
            {
                let failure = Failure::cancelled("another instance of the matrix failed");
                self.end_now(index, Status::Cancelled, failure);
                continue;
            }
            if !self.passed.contains(&index) {
                match self.program.condition(index, &self.view) {
                    Ok(Verdict::Run) => {
                        self.passed.insert(index);
                    }
                    Ok(Verdict::Skip {
                        condition,
                        values,
                        because_of_failure,
                    }) => {
                        self.skip(
                            index,
                            StepSkipped {
                                condition,
                                values,
                                because_of_failure,
                            },
                        );
                        continue;
                    }
                    Err(failure) => {
                        self.end_now(index, Status::Failed, failure);
                        continue;
                    }
                }
            }
            match self.held_back(index) {
                Some(reason) => {
                    if self.told.insert(index) {
                        let event = Event::StepWaiting(StepWaiting { reason });
                        self.shared.recorder.emit(&self.scope(index), event);
                    }
                }
                None => self.start(index, finally),
            }
        }
    }

    /// Why the instance can't start yet, if a limit holds it back.
    fn held_back(&self, index: usize) -> Option<String> {
        let most = self.shared.options.max_parallel.max(1);
        if self.running.len() >= most {
            return Some(format!("{most} steps run side by side, no more may"));
        }
        let pool = self.program.nodes()[index].pool.as_ref()?;
        let most = pool.max_parallel?.max(1);
        let others = self.running.values().filter(|other| {
            let other = self.program.nodes()[**other].pool.as_ref();
            other.is_some_and(|other| other.name == pool.name)
        });
        (others.count() >= most)
            .then(|| format!("{most} instances of {} run side by side", pool.name))
    }

    fn start(&mut self, index: usize, finally: bool) {
        let inputs = match self.program.inputs(index, &self.view) {
            Ok(inputs) => inputs,
            Err(failure) => return self.end_now(index, Status::Failed, failure),
        };
        self.forget(index);
        self.view.nodes[index].status = Status::Running;
        let id = self.spawn(index, inputs, finally);
        self.running.insert(id, index);
    }

    fn spawn(&mut self, index: usize, inputs: Value, finally: bool) -> Id {
        let node = self.program.nodes()[index].clone();
        let limit = node
            .timeout
            .or_else(|| finally.then_some(self.shared.options.finally_timeout));
        let cancel = if finally || self.view.cancelled {
            CancellationToken::new()
        } else {
            self.early.child_token()
        };
        let pool = node
            .pool
            .clone()
            .filter(|pool| pool.fail_fast)
            .map(|pool| self.pool_token(&pool));
        let cut = Cut {
            cancel: cancel.clone(),
            detach: self.detach.clone(),
        };
        let (shared, start) = (self.shared.clone(), self.starts[index].clone());
        let task = self.tasks.spawn(async move {
            let run = run_instance(&shared, index, &node, inputs, start, limit, &cut);
            tokio::pin!(run);
            if let Some(pool) = pool {
                tokio::select! {
                    ended = &mut run => return ended,
                    () = pool.cancelled() => cancel.cancel(),
                }
            }
            run.await
        });
        task.id()
    }

    fn joined(&mut self, joined: Result<(Id, Option<Ended>), JoinError>) {
        let (id, ended) = match joined {
            Ok((id, ended)) => (id, ended),
            Err(error) => {
                let failure = Failure::bug(format!("a step's task ended early: {error}"));
                let ended = Ended {
                    status: Status::Failed,
                    outputs: None,
                    failure: Some(failure),
                    duration: Duration::ZERO,
                };
                (error.id(), Some(ended))
            }
        };
        let Some(index) = self.running.remove(&id) else {
            return;
        };
        // Detached: its state is for whoever resumes.
        let Some(ended) = ended else { return };
        self.end(index, ended);
    }

    fn end_now(&mut self, index: usize, status: Status, failure: Failure) {
        self.end(
            index,
            Ended {
                status,
                outputs: None,
                failure: Some(failure),
                duration: Duration::ZERO,
            },
        );
    }

    fn end(&mut self, index: usize, ended: Ended) {
        self.shared.recorder.emit(
            &self.scope(index),
            Event::StepFinished(StepFinished {
                status: ended.status,
                failure: ended.failure.clone(),
                outputs: ended.outputs.clone(),
                duration_ms: millis(ended.duration),
            }),
        );
        if matches!(ended.status, Status::Failed | Status::TimedOut)
            && let Some(pool) = self.pool_of(index)
        {
            self.pool_token(&pool).cancel();
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

    fn skip(&mut self, index: usize, skipped: StepSkipped) {
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
        self.forget(index);
        self.view.nodes[index] = state;
        let finally = self.program.nodes()[index].finally;
        for dependent in std::mem::take(&mut self.dependents[index]) {
            self.unmet[dependent] -= 1;
            if self.unmet[dependent] == 0 && self.program.nodes()[dependent].finally == finally {
                self.ready.insert(dependent);
            }
        }
    }

    fn forget(&mut self, index: usize) {
        self.ready.remove(&index);
        self.passed.remove(&index);
        self.told.remove(&index);
    }

    fn is_over(&self, index: usize) -> bool {
        self.view.nodes[index].status.is_final()
    }

    fn scope(&self, index: usize) -> Scope {
        let node = &self.program.nodes()[index];
        Scope::instance(&node.step, &node.instance)
    }

    /// The instance's matrix, if a failure in it cancels the others.
    fn pool_of(&self, index: usize) -> Option<Pool> {
        let pool = self.program.nodes()[index].pool.as_ref();
        pool.filter(|pool| pool.fail_fast).cloned()
    }

    fn pool_token(&mut self, pool: &Pool) -> CancellationToken {
        self.pools.entry(pool.name.clone()).or_default().clone()
    }
}
