use std::path::PathBuf;

/// Why a sandbox can't be served, found or started.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Its folder can't be used.
    #[error("the sandbox's state in {path} can't be used: {source}")]
    State {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of its state does not hold what was written there.
    #[error("{path} is not what the sandbox wrote there, or another version of it did ({why})")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What its reader said.
        why: String,
    },
    /// One is being served already.
    #[error("a sandbox of scenario `{scenario}` is served already, by process {pid}")]
    Busy {
        /// The scenario.
        scenario: String,
        /// Its process.
        pid: u32,
    },
    /// No scenario has that name.
    #[error("there is no scenario `{0}`; `sidestep sandbox scenarios` lists them")]
    UnknownScenario(String),
    /// Nobody is called like that.
    #[error("the sandbox knows nobody called `{asked}`; it knows {}", known.join(", "))]
    UnknownCaller {
        /// Who was asked for.
        asked: String,
        /// Who could be.
        known: Vec<String>,
    },
    /// One of its servers can't be set up.
    #[error("the sandbox's {server} can't be set up: {why}")]
    Setup {
        /// Which.
        server: &'static str,
        /// What it said.
        why: String,
    },
    /// The process that was started did not come up.
    #[error("the sandbox did not come up: {why}; its log is {log}")]
    NotUp {
        /// What was seen of it.
        why: String,
        /// Where its output is.
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
