use std::time::Duration;

/// How a run is to be run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// How many instances run side by side; at least one does.
    pub max_parallel: usize,
    /// How long the run may take, `finally` aside.
    pub timeout: Option<Duration>,
    /// How long a plugin may go on after its time was up.
    pub grace: Duration,
    /// How long a plugin may go on after it was cancelled. What it leaves is removed after that,
    /// and GitHub kills a cancelled job after 10 s.
    pub cancel_grace: Duration,
    /// How long the host may take to remove what one attempt left.
    pub cleanup: Duration,
    /// The time of an instance in `finally` that names none.
    pub finally_timeout: Duration,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            max_parallel: 8,
            timeout: None,
            grace: Duration::from_secs(10),
            cancel_grace: Duration::from_secs(4),
            cleanup: Duration::from_secs(30),
            finally_timeout: Duration::from_mins(5),
        }
    }
}
