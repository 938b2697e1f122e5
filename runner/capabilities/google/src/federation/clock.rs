use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The source of the current time for the lifetime of tokens; a test passes its own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// Creates a clock that calls `read` each time.
    pub fn from_fn(read: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// Returns the time in seconds since 1970.
    pub(super) fn now(&self) -> u64 {
        let time = (self.0)().duration_since(UNIX_EPOCH);
        time.map_or(0, |time| time.as_secs())
    }
}

impl Default for Clock {
    /// Returns the machine's clock.
    fn default() -> Self {
        Self(Arc::new(SystemTime::now))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
