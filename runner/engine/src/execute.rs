//! An attempt's work, and how it is ended.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sidestep_events::{AttemptFinished, Class, Failure, Owner, Status};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

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
    let token = CancellationToken::new();
    let _stop_at_the_end = token.clone().drop_guard();
    let instance = work.instance.clone();
    let (executor, inner) = (shared.executor.clone(), token.clone());
    let run = async move { executor.execute(work, sink, inner).await };
    // A panic is our bug, and must not take the other instances with it.
    let run = catching(run);
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
