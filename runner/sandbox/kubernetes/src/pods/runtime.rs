//! The runtime of containers, which is the cluster's only interface to it.

use async_trait::async_trait;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::resolve::ResolvedContainer;
use crate::logs::LogWriter;

/// A container runtime, as on the cluster's nodes.
#[async_trait]
pub trait Runtime: Send + Sync + 'static {
    /// Returns whether the image is available, as a pull would.
    async fn check_image(&self, image: &str) -> Result<(), PullError>;

    /// Runs a container until it ends. On [`Stop::terminated`] it should end soon (SIGTERM), on
    /// [`Stop::killed`] at once (SIGKILL). Its output is written to `log`.
    ///
    /// The future is dropped when the sandbox ends while the container runs. The runtime decides
    /// whether the container keeps running, to be resumed by [`Self::attach`].
    async fn run(
        &self,
        pod: &Value,
        container: &ResolvedContainer,
        log: LogWriter,
        stop: Stop,
    ) -> ContainerExit;

    /// Resumes a container that an earlier process of the sandbox started, and waits for its end.
    /// Returns `None` if it cannot be found; its pod then reports that.
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

/// The reason why an image cannot be pulled, in the words of the event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PullError {
    /// The message of the registry or the runtime.
    pub message: String,
}

impl PullError {
    /// Creates the error of a failed pull.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

/// The result of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerExit {
    /// The exit code; 128 + N for signal N.
    pub code: i32,
    /// The reason, such as `OOMKilled` or `ContainerCannotRun`. `None` means `Completed` or
    /// `Error`, by the code.
    pub reason: Option<String>,
    /// The termination message. `None` means the content of the container's termination message
    /// file (or the end of its log).
    pub message: Option<String>,
}

impl ContainerExit {
    /// Creates a result with this exit code and no reason or message.
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
    /// Resolves when the container should end (SIGTERM).
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

    /// Returns a child, which is stopped with this one and can also be stopped alone.
    pub(crate) fn child(&self) -> Self {
        Self {
            terminate: self.terminate.child_token(),
            kill: self.kill.child_token(),
        }
    }
}
