//! Runs an attempt's work and ends it.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sidestep_events::{AttemptFinished, Failure, Status};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::deadline::{Deadline, Late};
use crate::shared::Shared;
use crate::{AttemptSink, Work};

/// The outcome of one attempt.
pub(crate) enum AttemptEnd {
    Outputs(Value),
    Failed(Failure),
    Cancelled,
    TimedOut(Failure),
    /// The attempt's objects are left in place, for a resumed run.
    Detached,
}

impl AttemptEnd {
    /// Returns the event's form of the outcome.
    pub(crate) fn finished(&self) -> AttemptFinished {
        let (status, failure) = match self {
            Self::Outputs(_) => (Status::Succeeded, None),
            Self::Failed(failure) => (Status::Failed, Some(failure.clone())),
            Self::TimedOut(failure) => (Status::TimedOut, Some(failure.clone())),
            Self::Cancelled | Self::Detached => (Status::Cancelled, None),
        };
        AttemptFinished { status, failure }
    }
}

/// The signals that end an instance early.
#[derive(Clone)]
pub(crate) struct Cut {
    /// Fires when the instance is cancelled.
    pub(crate) cancel: CancellationToken,
    /// Fires when the instance is detached.
    pub(crate) detach: CancellationToken,
    /// The time at which the run's timeout expires, if that ends the instance.
    pub(crate) run_ends: Option<Instant>,
}

/// Runs the executor until it ends by itself, its timeout expires, or it is cancelled. On a timeout
/// or a cancellation the attempt gets the grace period of the contract.
pub(crate) async fn execute(
    shared: &Shared,
    work: Work,
    sink: Arc<AttemptSink>,
    limit: Option<Duration>,
    cut: &Cut,
) -> AttemptEnd {
    let deadline = Deadline::after(limit);
    let token = CancellationToken::new();
    let _stop_at_the_end = token.clone().drop_guard();
    let (executor, inner) = (shared.executor.clone(), token.clone());
    let written = Arc::clone(&sink);
    let run = async move { executor.execute(work, sink, inner).await };
    // A panic is a bug of the runner, and must not end the other instances.
    let run = catching(run);
    tokio::pin!(run);
    tokio::select! {
        biased;
        () = cut.detach.cancelled() => AttemptEnd::Detached,
        result = &mut run => match (deadline.passed(Late::Ended), written.exhausted(), result) {
            // The attempt may have blocked the thread, so the clock decides, not which future is
            // ready first.
            (Some(failure), _, _) => AttemptEnd::TimedOut(failure),
            (None, Some(failure), _) | (None, None, Err(failure)) => AttemptEnd::Failed(failure),
            (None, None, Ok(outputs)) => AttemptEnd::Outputs(outputs),
        },
        failure = written.until_exhausted() => {
            token.cancel();
            // The result does not count even if it comes within the grace period, since output was
            // dropped.
            let _ = within_grace(shared, cut, run.as_mut()).await;
            AttemptEnd::Failed(failure)
        }
        () = cut.cancel.cancelled() => {
            token.cancel();
            // Outputs that come within the grace period are kept, because the work is done.
            match timeout(shared.options.cancel_grace, &mut run).await {
                Ok(Ok(outputs)) if deadline.passed(Late::Ended).is_none() => {
                    AttemptEnd::Outputs(outputs)
                }
                _ => AttemptEnd::Cancelled,
            }
        }
        () = deadline.reached() => {
            token.cancel();
            // The grace period is for cleaning up. Its results do not count.
            let late = match within_grace(shared, cut, run.as_mut()).await {
                Some(_) => Late::Ended,
                None => Late::Stopped,
            };
            let failure = deadline.passed(late);
            AttemptEnd::TimedOut(failure.unwrap_or_else(|| Failure::bug("a deadline was reached and not passed")))
        }
    }
}

/// Returns the attempt's result if it ends within the grace period. Once the run is stopped the
/// grace period is shorter, since the attempt's objects must be removed in time. The host stops a
/// plugin after the same period, so the clock decides whether the attempt ended by itself.
async fn within_grace<T>(
    shared: &Shared,
    cut: &Cut,
    run: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    let grace = shared.options.grace;
    let begun = Instant::now();
    let stopped = async {
        cut.cancel.cancelled().await;
        tokio::time::sleep(shared.options.cancel_grace).await;
    };
    tokio::select! {
        biased;
        answer = timeout(grace, run) => answer.ok().filter(|_| begun.elapsed() < grace),
        () = stopped => None,
    }
}

/// Runs the future, and turns a panic in it into a failure that is reported as a bug of the runner.
async fn catching(run: impl Future<Output = Result<Value, Failure>>) -> Result<Value, Failure> {
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
                    "the runner panicked while it ran the step: {text}"
                ))))
            }
        }
    })
    .await
}
