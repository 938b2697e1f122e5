use std::path::PathBuf;

use sidestep_sandbox_cluster::ClusterError;

use crate::installed::{Installed, NotRemoved};

/// The reason why a sandbox cannot be served, found or started.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The sandbox's folder cannot be used.
    #[error("the sandbox's state in {path} can't be used: {source}")]
    State {
        /// The folder or file.
        path: PathBuf,
        /// The I/O error.
        source: std::io::Error,
    },
    /// A state file is corrupt.
    #[error("{path} is damaged, or a different version of the sandbox wrote it ({why})")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The parser's message.
        why: String,
    },
    /// A sandbox is already being served.
    #[error("a sandbox of scenario `{scenario}` is already served by process {pid}")]
    Busy {
        /// The scenario.
        scenario: String,
        /// The id of its process.
        pid: u32,
    },
    /// There is no scenario of that name.
    #[error("there is no scenario `{0}`; `sidestep sandbox scenarios` lists them")]
    UnknownScenario(String),
    /// The scenario changes the sandbox's own cluster.
    #[error("scenario `{0}` changes the sandbox's own cluster, so it can't be used with another")]
    NeedsOwnCluster(String),
    /// The user's cluster cannot be used.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Objects in the user's cluster cannot be removed.
    #[error("what sandbox `{name}` installed in the cluster can't be removed: {why}")]
    LeftBehind {
        /// The sandbox's name.
        name: String,
        /// The record of its objects.
        installed: Box<Installed>,
        /// The reason.
        why: NotRemoved,
    },
    /// There is no caller of that name.
    #[error("the sandbox has no caller `{asked}`; its callers are {}", known.join(", "))]
    UnknownCaller {
        /// The requested caller.
        asked: String,
        /// The existing callers.
        known: Vec<String>,
    },
    /// A server cannot be set up.
    #[error("the sandbox's {server} can't be set up: {why}")]
    Setup {
        /// The server.
        server: &'static str,
        /// The server's message.
        why: String,
    },
    /// The new process did not start.
    #[error("the sandbox did not start: {why}; its log is {log}")]
    NotUp {
        /// The observed failure.
        why: String,
        /// The file with its output.
        log: PathBuf,
    },
}

impl SandboxError {
    pub(crate) fn state(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::State { path, source }
    }

    pub(crate) fn setup(server: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Setup {
            server,
            why: why.to_string(),
        }
    }
}
