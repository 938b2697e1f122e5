use std::any::Any;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use sidestep_events::Failure;

/// An external object that the host watches for a plugin; the capability that starts the watch
/// implements it.
#[async_trait]
pub trait Following: Send + 'static {
    /// Returns the next update, or `None` after the timeout. After [`Update::Ended`], every call
    /// returns it again. Dropping the future loses nothing.
    async fn next(&mut self, timeout: Duration) -> Result<Option<Update>, Failure>;

    /// Returns the last bytes of a container's log, masked, cut at a line: at most `max` bytes.
    async fn tail(&mut self, container: &str, max: usize) -> Result<String, Failure>;
}

/// An update of a followed object.
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
        /// The container of the line.
        container: String,
        /// The matched text, masked, at most 4 KiB.
        text: String,
    },
    /// It ended; the last known state.
    Ended(Value),
}

/// The handle of a followed object.
pub struct Follow {
    following: Box<dyn Following>,
    _kept: Box<dyn Any + Send + Sync>,
}

impl Follow {
    /// Creates the handle. `kept`, such as the share of a budget, is dropped with it, after the
    /// followed object.
    pub fn new(following: impl Following, kept: impl Any + Send + Sync) -> Self {
        Self {
            following: Box::new(following),
            _kept: Box::new(kept),
        }
    }

    /// Returns the followed object.
    pub fn following(&mut self) -> &mut dyn Following {
        &mut *self.following
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Follow(…)")
    }
}
