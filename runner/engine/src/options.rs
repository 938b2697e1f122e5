use std::time::Duration;

/// The options of a run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The maximum number of instances that run in parallel; 0 counts as 1.
    pub max_parallel: usize,
    /// The timeout of the run, without `finally`.
    pub timeout: Option<Duration>,
    /// The grace period of a plugin after its timeout.
    pub grace: Duration,
    /// The grace period of a plugin after it was cancelled. Its objects are removed after that, and
    /// GitHub kills a cancelled job after 10 s.
    pub cancel_grace: Duration,
    /// The timeout for removing the objects of one attempt.
    pub cleanup: Duration,
    /// The timeout of an instance in `finally` without a timeout of its own.
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
