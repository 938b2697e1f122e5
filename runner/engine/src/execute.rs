//! An attempt's work, and how it is ended.

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

/// How one attempt ended.
pub(crate) enum AttemptEnd {
    Outputs(Value),
    Failed(Failure),
    Cancelled,
    TimedOut(Failure),
    /// Left as it is, for whoever resumes the run.
    Detached,
}

impl AttemptEnd {
    /// The end as it is told.
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

/// When an instance has to end before its time.
#[derive(Clone)]
pub(crate) struct Cut {
    /// Fires when it is to be cancelled.
    pub(crate) cancel: CancellationToken,
    /// Fires when it is to be left as it is.
    pub(crate) detach: CancellationToken,
    /// When the run's time is over, if that ends the instance.
    pub(crate) run_ends: Option<Instant>,
}

/// Runs the executor, and ends it: at its own end, when its time is up, or when it is cancelled,
/// each with the grace that the contract gives.
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
    // A panic is our bug, and must not take the other instances with it.
    let run = catching(run);
    tokio::pin!(run);
    tokio::select! {
        biased;
        () = cut.detach.cancelled() => AttemptEnd::Detached,
        result = &mut run => match (deadline.passed(Late::Ended), written.exhausted(), result) {
            // It may have blocked the thread meanwhile, so the clock decides, not who came first.
            (Some(failure), _, _) => AttemptEnd::TimedOut(failure),
            (None, Some(failure), _) | (None, None, Err(failure)) => AttemptEnd::Failed(failure),
            (None, None, Ok(outputs)) => AttemptEnd::Outputs(outputs),
        },
        failure = written.until_exhausted() => {
            token.cancel();
            // Whatever comes within the grace, not all of it is kept.
            let _ = within_grace(shared, cut, run.as_mut()).await;
            AttemptEnd::Failed(failure)
        }
        () = cut.cancel.cancelled() => {
            token.cancel();
            // Outputs that come within the grace are not lost: what was done is done.
            match timeout(shared.options.cancel_grace, &mut run).await {
                Ok(Ok(outputs)) if deadline.passed(Late::Ended).is_none() => {
                    AttemptEnd::Outputs(outputs)
                }
                _ => AttemptEnd::Cancelled,
            }
        }
        () = deadline.reached() => {
            token.cancel();
            // The grace is for tidying up: nothing that it brings counts.
            let late = match within_grace(shared, cut, run.as_mut()).await {
                Some(_) => Late::Ended,
                None => Late::Stopped,
            };
            let failure = deadline.passed(late);
            AttemptEnd::TimedOut(failure.unwrap_or_else(|| Failure::bug("a deadline was reached and not passed")))
        }
    }
}

/// What the attempt answers within its grace, which is shorter once the run is stopped: the removal
/// of what it made can't wait.
async fn within_grace<T>(
    shared: &Shared,
    cut: &Cut,
    run: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    let stopped = async {
        cut.cancel.cancelled().await;
        tokio::time::sleep(shared.options.cancel_grace).await;
    };
    tokio::select! {
        biased;
        answer = timeout(shared.options.grace, run) => answer.ok(),
        () = stopped => None,
    }
}

/// Runs the future; a panic in it becomes a failure that is ours.
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
                    "running the step panicked: {text}"
                ))))
            }
        }
    })
    .await
}
