//! Runs one step instance, from its first attempt to its end.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sidestep_events::{AttemptStarted, Event, Failure, Intent, Output, RetryScheduled, Status};
use tokio::time::{Instant, sleep};

use crate::backoff;
use crate::execute::{AttemptEnd, Cut, execute};
use crate::recorder::Scope;
use crate::shared::{Shared, millis};
use crate::start::{Incarnation, Start};
use crate::{AttemptSink, Node, Work};

/// The outcome of an instance.
pub(crate) struct Ended {
    pub(crate) status: Status,
    pub(crate) outputs: Option<Value>,
    pub(crate) failure: Option<Failure>,
    pub(crate) duration: Duration,
}

impl Ended {
    /// Returns the outcome of an instance that had no attempt, or whose task was lost.
    pub(crate) fn at_once(status: Status, failure: Failure) -> Self {
        Self {
            status,
            outputs: None,
            failure: Some(failure),
            duration: Duration::ZERO,
        }
    }
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
    let mut incarnation = start.incarnation;
    let mut done = start.outputs;
    let mut tries = 0;
    let (status, outputs, failure) = loop {
        tries += 1;
        let Incarnation {
            number,
            checkpoint,
            positions,
        } = std::mem::replace(&mut incarnation, Incarnation::first());
        let work = Work {
            index,
            step: node.step.clone(),
            instance: node.instance.clone(),
            attempt,
            incarnation: number,
            resumed: number > 1,
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
                let failure = Failure::cancelled("the step was stopped before it ended");
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
        let left = cut
            .run_ends
            .map(|end| end.saturating_duration_since(Instant::now()));
        let after = backoff::wait(&node.retry, run, &node.instance, tries, &failure);
        let after = left.map_or(after, |left| after.min(left));
        attempt += 1;
        shared.recorder.emit(
            &Scope {
                attempt: Some(attempt),
                ..scope.clone()
            },
            Event::RetryScheduled(RetryScheduled {
                after_ms: millis(after),
                because: because.as_str().into(),
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
    shared.clean_up(&scope, mine).await;
    shared
        .recorder
        .emit(&scope, Event::AttemptFinished(end.finished()));
    end
}
