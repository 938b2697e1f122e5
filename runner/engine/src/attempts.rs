//! One step instance, from its first attempt to its end.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sidestep_events::{
    AttemptFinished, AttemptStarted, Class, Event, Failure, Intent, Output, Owner, RetryScheduled,
    Status,
};
use sidestep_state::InstanceHistory;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::backoff;
use crate::leftovers::clean_up;
use crate::recorder::{Recorder, Scope};
use crate::{AttemptSink, Cleaner, Executor, Node, RunOptions, Work};

/// What all instances of a run share.
pub(crate) struct Shared {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) cleaner: Arc<dyn Cleaner>,
    pub(crate) options: RunOptions,
}

/// How an instance ended.
pub(crate) struct Ended {
    pub(crate) status: Status,
    pub(crate) outputs: Option<Value>,
    pub(crate) failure: Option<Failure>,
    pub(crate) duration: Duration,
}

/// How one attempt ended.
enum AttemptEnd {
    Outputs(Value),
    Failed(Failure),
    Cancelled,
    TimedOut(Failure),
    /// Left as it is, for whoever resumes the run.
    Detached,
}

/// Where an instance takes up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Start {
    attempt: u32,
    incarnation: u32,
    checkpoint: Option<Value>,
    positions: BTreeMap<String, BTreeMap<String, Value>>,
    outputs: Option<Value>,
}

impl Start {
    /// An attempt that never ended goes on in a new incarnation; else the next one begins. One that
    /// had its outputs already has only its end before it: its work is not done twice.
    pub(crate) fn after(known: Option<&InstanceHistory>) -> Self {
        let attempts = known.map_or(&[][..], |known| &known.attempts);
        let count = u32::try_from(attempts.len()).unwrap_or(u32::MAX);
        match attempts.last() {
            Some(last) if !last.finished || last.outputs.is_some() => Self {
                attempt: count,
                incarnation: last.incarnations + 1,
                checkpoint: last.checkpoint.clone(),
                positions: last.positions.clone(),
                outputs: last.outputs.clone(),
            },
            _ => Self {
                attempt: count.saturating_add(1),
                incarnation: 1,
                checkpoint: None,
                positions: BTreeMap::new(),
                outputs: None,
            },
        }
    }

    /// Whether an attempt is taken up whose outside objects are still its own.
    pub(crate) fn owns(&self, attempt: u32) -> bool {
        self.incarnation > 1 && self.attempt == attempt
    }
}

/// When an instance has to end before its time.
#[derive(Clone)]
pub(crate) struct Cut {
    /// Fires when it is to be cancelled.
    pub(crate) cancel: CancellationToken,
    /// Fires when it is to be left as it is.
    pub(crate) detach: CancellationToken,
}

/// Runs the instance; `None` when it was detached.
pub(crate) async fn run_instance(
    shared: &Shared,
    index: usize,
    node: &Node,
    inputs: Value,
    start: Start,
    limit: Option<Duration>,
    cut: &Cut,
) -> Option<Ended> {
    let began = Instant::now();
    let scope = Scope::instance(&node.step, &node.instance);
    let mut attempt = start.attempt.max(1);
    let mut resume =
        (start.incarnation > 1).then_some((start.incarnation, start.checkpoint, start.positions));
    let mut done = start.outputs;
    let mut tries = 0;
    let (status, outputs, failure) = loop {
        tries += 1;
        let (incarnation, checkpoint, positions) =
            resume.take().unwrap_or_else(|| (1, None, BTreeMap::new()));
        let work = Work {
            index,
            step: node.step.clone(),
            instance: node.instance.clone(),
            attempt,
            incarnation,
            resumed: incarnation > 1,
            checkpoint,
            positions,
            inputs: inputs.clone(),
            timeout: limit,
        };
        let end = run_attempt(shared, &scope, work, done.take(), limit, cut).await;
        let (status, failure) = match end {
            AttemptEnd::Detached => return None,
            AttemptEnd::Outputs(outputs) => break (Status::Succeeded, Some(outputs), None),
            AttemptEnd::Cancelled => {
                let failure = Failure::cancelled("stopped before its end");
                break (Status::Cancelled, None, Some(failure));
            }
            AttemptEnd::TimedOut(failure) => (Status::TimedOut, failure),
            AttemptEnd::Failed(failure) => (Status::Failed, failure),
        };
        let because = node.retry.on.iter().find(|entry| failure.matches(entry));
        let Some(because) = because.filter(|_| tries < node.retry.attempts) else {
            break (status, None, Some(failure));
        };
        let run = shared.recorder.run();
        let after = backoff::wait(&node.retry, run, &node.instance, tries, &failure);
        attempt += 1;
        shared.recorder.emit(
            &Scope {
                attempt: Some(attempt),
                ..scope.clone()
            },
            Event::RetryScheduled(RetryScheduled {
                after_ms: millis(after),
                because: because.clone(),
            }),
        );
        tokio::select! {
            () = sleep(after) => {}
            () = cut.detach.cancelled() => return None,
            () = cut.cancel.cancelled() => break (Status::Cancelled, None, Some(failure)),
        }
    };
    Some(Ended {
        status,
        outputs,
        failure,
        duration: began.elapsed(),
    })
}

async fn run_attempt(
    shared: &Shared,
    scope: &Scope,
    work: Work,
    done: Option<Value>,
    limit: Option<Duration>,
    cut: &Cut,
) -> AttemptEnd {
    let (instance, attempt) = (work.instance.clone(), work.attempt);
    let scope = scope.attempt(attempt, work.incarnation);
    let sink = Arc::new(AttemptSink::new(
        shared.recorder.clone(),
        &work.step,
        &instance,
        attempt,
        work.incarnation,
    ));
    shared.recorder.emit(
        &scope,
        Event::AttemptStarted(AttemptStarted {
            resumed: work.resumed,
        }),
    );
    let was_done = done.is_some();
    let mut end = match done {
        Some(outputs) => AttemptEnd::Outputs(outputs),
        None => execute(shared, work, sink, limit, cut).await,
    };
    shared.recorder.end_log(&instance, attempt);
    if let AttemptEnd::Detached = end {
        return end;
    }
    if !was_done
        && let AttemptEnd::Outputs(outputs) = &end
        && let Err(failure) = shared.recorder.output(Output {
            instance: instance.clone(),
            attempt,
            outputs: outputs.clone(),
        })
    {
        end = AttemptEnd::Failed(failure);
    }
    let mine = |intent: &Intent| intent.instance == instance && intent.attempt == attempt;
    let Shared {
        recorder, cleaner, ..
    } = shared;
    clean_up(recorder, &**cleaner, shared.options.cleanup, &scope, mine).await;
    let (status, failure) = match &end {
        AttemptEnd::Outputs(_) => (Status::Succeeded, None),
        AttemptEnd::Failed(failure) => (Status::Failed, Some(failure.clone())),
        AttemptEnd::TimedOut(failure) => (Status::TimedOut, Some(failure.clone())),
        AttemptEnd::Cancelled | AttemptEnd::Detached => (Status::Cancelled, None),
    };
    shared.recorder.emit(
        &scope,
        Event::AttemptFinished(AttemptFinished { status, failure }),
    );
    end
}

/// Runs the executor, and ends it: at its own end, when its time is up, or when it is cancelled,
/// each with the grace that the contract gives.
async fn execute(
    shared: &Shared,
    work: Work,
    sink: Arc<AttemptSink>,
    limit: Option<Duration>,
    cut: &Cut,
) -> AttemptEnd {
    let token = CancellationToken::new();
    let _stop_at_the_end = token.clone().drop_guard();
    let instance = work.instance.clone();
    let (executor, inner) = (shared.executor.clone(), token.clone());
    let run = async move { executor.execute(work, sink, inner).await };
    // A panic is our bug, and must not take the other instances with it.
    let run = futures_catch(run);
    tokio::pin!(run);
    let out_of_time = async {
        match limit {
            Some(limit) => sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = cut.detach.cancelled() => AttemptEnd::Detached,
        result = &mut run => match result {
            Ok(outputs) => AttemptEnd::Outputs(outputs),
            Err(failure) => AttemptEnd::Failed(failure),
        },
        () = cut.cancel.cancelled() => {
            token.cancel();
            // Outputs that come within the grace are not lost: what was done is done.
            match timeout(shared.options.grace, &mut run).await {
                Ok(Ok(outputs)) => AttemptEnd::Outputs(outputs),
                Ok(Err(_)) | Err(_) => AttemptEnd::Cancelled,
            }
        }
        () = out_of_time => {
            token.cancel();
            let limit = limit.unwrap_or_default();
            match timeout(shared.options.grace, &mut run).await {
                Ok(Ok(outputs)) => AttemptEnd::Outputs(outputs),
                Ok(Err(_)) | Err(_) => AttemptEnd::TimedOut(timed_out(&instance, limit)),
            }
        }
    }
}

fn timed_out(instance: &str, limit: Duration) -> Failure {
    Failure::new(
        Class::TimedOut,
        "step.timed-out",
        Owner::Author,
        format!("{instance} did not end within its time of {limit:?}"),
    )
    .with_help("Give the step more time (`timeout:`), or find out what it waited for in its log.")
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Runs the future; a panic in it becomes a failure that is ours.
async fn futures_catch(
    run: impl Future<Output = Result<Value, Failure>>,
) -> Result<Value, Failure> {
    let mut run = std::pin::pin!(run);
    std::future::poll_fn(move |context| {
        let poll = AssertUnwindSafe(|| run.as_mut().poll(context));
        match std::panic::catch_unwind(poll) {
            Ok(poll) => poll,
            Err(panic) => {
                let text = panic
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
                    .or_else(|| panic.downcast_ref::<String>().cloned())
                    .unwrap_or_default();
                std::task::Poll::Ready(Err(Failure::bug(format!(
                    "running the step panicked: {text}"
                ))))
            }
        }
    })
    .await
}
