//! Decides which instances start when.

mod ending;
mod pools;
mod queue;

use std::collections::{BTreeSet, HashMap};
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;
use sidestep_events::{Class, Event, Failure, Owner, Status, StepSkipped, StepWaiting, codes};
use sidestep_state::History;
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::attempts::{Ended, run_instance};
use crate::execute::Cut;
use crate::recorder::Scope;
use crate::shared::Shared;
use crate::start::Start;
use crate::{Admitted, NodeState, Program, RunView, Stop, StopReason, Verdict};

use pools::Pools;
use queue::Queue;

/// The state of one run in progress.
pub(crate) struct Schedule {
    program: Arc<dyn Program>,
    shared: Arc<Shared>,
    stop: Stop,
    view: RunView,
    /// The point at which each instance starts or resumes; `None` once it has started.
    starts: Vec<Option<Start>>,
    queue: Queue,
    tasks: JoinSet<Option<Ended>>,
    running: HashMap<Id, usize>,
    /// Completes when a step that waits for resources may start.
    room: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    pools: Pools,
    /// Cancels the instances that were running when the run was stopped. Later instances have their
    /// own token.
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
        let deadline = shared.options.timeout.map(|limit| Instant::now() + limit);
        Self {
            starts: (0..nodes.len())
                .map(|index| Some(Start::after(known(index))))
                .collect(),
            queue: Queue::new(nodes, |need| view.nodes[need].status.is_final()),
            program,
            shared,
            stop,
            view,
            tasks: JoinSet::new(),
            running: HashMap::new(),
            room: None,
            pools: Pools::default(),
            early: CancellationToken::new(),
            detach: CancellationToken::new(),
            deadline,
        }
    }

    pub(crate) fn into_view(self) -> RunView {
        self.view
    }

    /// Returns whether an attempt that was to be resumed never was. Its objects were not removed
    /// then.
    pub(crate) fn passed_over(&self, instance: &str, attempt: u32) -> bool {
        let nodes = self.program.nodes().iter();
        nodes.zip(&self.starts).any(|(node, start)| {
            node.instance == instance && start.as_ref().is_some_and(|start| start.owns(attempt))
        })
    }

    /// Runs all instances of `finally`, or all others, to their end.
    pub(crate) async fn drive(&mut self, finally: bool) {
        let nodes = self.program.nodes();
        let states = &self.view.nodes;
        self.queue.begin(
            (0..nodes.len()).filter(|index| {
                nodes[*index].finally == finally && !states[*index].status.is_final()
            }),
        );
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
            let room = self.room.take();
            let freed = async {
                match room {
                    Some(room) => room.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(joined) = self.tasks.join_next_with_id() => self.joined(joined),
                () = stop.cancelled(), if !stopped => {}
                () = freed => {}
                () = out_of_time => self.stop.stop(StopReason::TimedOut),
            }
        }
    }

    fn stopped(&mut self) {
        self.view.cancelled = true;
        // Conditions may read `cancelled()`.
        self.queue.ask_again();
        // Only one of the two: an attempt that saw both could treat itself as cancelled, and remove
        // the objects that a detached run has to keep.
        if self.stop.detaches() {
            self.detach.cancel();
        } else {
            self.early.cancel();
        }
    }

    /// Starts, skips or holds back the ready instances, until nothing changes.
    fn settle(&mut self, finally: bool) {
        if self.stop.detaches() || matches!(self.stop.reason(), Some(StopReason::Broken(_))) {
            return;
        }
        // Ending one instance may make others ready, at any index.
        let mut looked_at = BTreeSet::new();
        while let Some(index) = self.queue.next(&looked_at) {
            looked_at.insert(index);
            if self.pools.has_failed(&self.program.nodes()[index]) {
                let failure = Failure::cancelled("another instance of the matrix failed");
                self.end_now(index, Status::Cancelled, failure);
                continue;
            }
            if !self.queue.has_passed(index) && !self.passes(index) {
                continue;
            }
            if let Some(reason) = self.held_back(index) {
                self.tell_waiting(index, reason);
                continue;
            }
            match self.shared.executor.admit() {
                Ok(admitted) => self.start(index, finally, admitted),
                Err(wait) if self.running.is_empty() => {
                    self.end_now(index, Status::Failed, no_room(&wait.reason));
                }
                Err(wait) => {
                    self.tell_waiting(index, wait.reason);
                    self.room = Some(wait.until);
                }
            }
        }
    }

    fn tell_waiting(&mut self, index: usize, reason: String) {
        if self.queue.tell(index) {
            let event = Event::StepWaiting(StepWaiting {
                reason: reason.into(),
            });
            self.shared.recorder.emit(&self.scope(index), event);
        }
    }

    /// Evaluates the instance's condition and returns whether it is true. If it is not, or fails,
    /// the instance ends.
    fn passes(&mut self, index: usize) -> bool {
        match self.program.condition(index, &self.view) {
            Ok(Verdict::Run) => {
                self.queue.pass(index);
                return true;
            }
            Ok(Verdict::Skip {
                condition,
                values,
                because_of_failure,
            }) => {
                let skipped = StepSkipped {
                    condition: condition.into(),
                    values: values
                        .into_iter()
                        .map(|(name, value)| (name.into(), value.into()))
                        .collect(),
                    because_of_failure,
                };
                self.skip(index, skipped);
            }
            Err(failure) => self.end_now(index, Status::Failed, failure),
        }
        false
    }

    /// Returns why a limit holds the instance back, if one does.
    fn held_back(&self, index: usize) -> Option<String> {
        let most = self.shared.options.max_parallel.max(1);
        if self.running.len() >= most {
            return Some(format!("the maximum of {most} parallel steps is reached"));
        }
        let pool = self.program.nodes()[index].pool.as_ref()?;
        let most = pool.max_parallel?.max(1);
        let others = self.running.values().filter(|other| {
            let other = self.program.nodes()[**other].pool.as_ref();
            other.is_some_and(|other| other.name == pool.name)
        });
        (others.count() >= most).then(|| {
            format!(
                "the maximum of {most} parallel instances of {} is reached",
                pool.name
            )
        })
    }

    fn start(&mut self, index: usize, finally: bool, admitted: Admitted) {
        let inputs = match self.program.inputs(index, &self.view) {
            Ok(inputs) => inputs,
            Err(failure) => return self.end_now(index, Status::Failed, failure),
        };
        self.queue.take(index);
        self.view.nodes[index].status = Status::Running;
        // An instance starts once.
        let Some(start) = self.starts[index].take() else {
            return;
        };
        let id = self.spawn(index, start, inputs, finally, admitted);
        self.running.insert(id, index);
    }

    fn spawn(
        &mut self,
        index: usize,
        start: Start,
        inputs: Value,
        finally: bool,
        admitted: Admitted,
    ) -> Id {
        let node = self.program.nodes()[index].clone();
        let limit = node
            .timeout
            .or_else(|| finally.then_some(self.shared.options.finally_timeout));
        let cancel = if finally || self.view.cancelled {
            CancellationToken::new()
        } else {
            self.early.child_token()
        };
        let pool = self.pools.token(&node);
        let cut = Cut {
            cancel: cancel.clone(),
            detach: self.detach.clone(),
            run_ends: self.deadline.filter(|_| !finally),
        };
        let shared = self.shared.clone();
        let task = self.tasks.spawn(async move {
            let _admitted = admitted;
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

    fn scope(&self, index: usize) -> Scope {
        let node = &self.program.nodes()[index];
        Scope::instance(&node.step, &node.instance)
    }
}

/// Returns the failure when there is no room even though no other step is in progress.
fn no_room(reason: &str) -> Failure {
    Failure::new(
        Class::Exhausted,
        codes::step::NO_ROOM,
        Owner::Operator,
        format!(
            "there is not enough memory for the step, and no running step that could free some: {reason}"
        ),
    )
    .with_help("raise `memory` in the settings, or give the runner a larger machine")
}
