//! What runs containers: the cluster is given one, and knows only this.

use async_trait::async_trait;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::resolve::ResolvedContainer;
use crate::logs::LogWriter;

/// Runs a container as the cluster's nodes do.
#[async_trait]
pub trait Runtime: Send + Sync + 'static {
    /// Whether the image can be had, as a pull would find out.
    async fn check_image(&self, image: &str) -> Result<(), PullError>;

    /// Runs a container to its end. On [`Stop::terminated`] it should end soon (SIGTERM), on
    /// [`Stop::killed`] at once (SIGKILL). What it writes to `log` is its output.
    ///
    /// The future is dropped when the sandbox ends while the container runs: whether the
    /// container goes on, to be taken up by [`Self::attach`], is the runtime's to decide.
    async fn run(
        &self,
        pod: &Value,
        container: &ResolvedContainer,
        log: LogWriter,
        stop: Stop,
    ) -> ContainerExit;

    /// Takes up a container that an earlier process of the sandbox started, and waits for its
    /// end. `None` when it cannot be found: its pod then says so.
    async fn attach(
        &self,
        pod: &Value,
        container: &ResolvedContainer,
        log: LogWriter,
        stop: Stop,
    ) -> Option<ContainerExit> {
        let _ = (pod, container, log, stop);
        None
    }
}

/// Why an image cannot be pulled, in the words of the event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PullError {
    /// What the registry or the runtime said.
    pub message: String,
}

impl PullError {
    /// A failed pull.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

/// How a container ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerExit {
    /// The exit code; 128 + N for signal N.
    pub code: i32,
    /// `None`: `Completed` or `Error`, by the code. `OOMKilled`, `ContainerCannotRun`, …
    pub reason: Option<String>,
    /// `None`: what lies in the container's termination message file (or its log's end).
    pub message: Option<String>,
}

impl ContainerExit {
    /// An end with this code and nothing else to say.
    pub fn code(code: i32) -> Self {
        Self {
            code,
            ..Self::default()
        }
    }
}

/// The two signals that end a container.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    terminate: CancellationToken,
    kill: CancellationToken,
}

impl Stop {
    /// Resolves when the container is asked to end (SIGTERM).
    pub async fn terminated(&self) {
        self.terminate.cancelled().await;
    }

    /// Resolves when the container must end now (SIGKILL).
    pub async fn killed(&self) {
        self.kill.cancelled().await;
    }

    pub(crate) fn is_terminated(&self) -> bool {
        self.terminate.is_cancelled()
    }

    pub(crate) fn terminate(&self) {
        self.terminate.cancel();
    }

    pub(crate) fn kill(&self) {
        self.terminate.cancel();
        self.kill.cancel();
    }

    /// One that follows this one and can also be used alone.
    pub(crate) fn child(&self) -> Self {
        Self {
            terminate: self.terminate.child_token(),
            kill: self.kill.child_token(),
        }
    }
}
