use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use sidestep_events::Failure;

/// Something outside that the host watches for a plugin; the capability that begins it says how.
#[async_trait]
pub trait Following: Send + 'static {
    /// The next update; none if there is none within the time. After [`Update::Ended`], every call
    /// answers it again. Dropping the future loses nothing.
    async fn next(&mut self, timeout: Duration) -> Result<Option<Update>, Failure>;

    /// The last bytes of a container's log, masked, cut at a line: at most `max` bytes.
    async fn tail(&mut self, container: &str, max: usize) -> Result<String, Failure>;
}

/// What a followed object did.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// Its state changed.
    Status(Value),
    /// An event about it.
    Event(Value),
    /// A line of its log matched.
    Matched {
        /// The pattern's id.
        pattern: String,
        /// The container whose line it is.
        container: String,
        /// The matched text, masked, at most 4 KiB.
        text: String,
    },
    /// It is over; the last state that was seen.
    Ended(Value),
}

/// The handle of a followed object.
pub struct Follow(Box<dyn Following>);

impl Follow {
    /// Makes the handle.
    pub fn new(following: impl Following) -> Self {
        Self(Box::new(following))
    }

    /// Returns what is followed.
    pub fn following(&mut self) -> &mut dyn Following {
        &mut *self.0
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Follow(…)")
    }
}
