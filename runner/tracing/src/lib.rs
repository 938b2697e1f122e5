//! The runner's own log: the messages of its crates and of their libraries through `tracing` and
//! `log`, for finding the cause of a failure.
//!
//! It is not a run's record (those are events), and it is off by default. Known secrets, and texts
//! that look like secrets, are removed from every line before it is written: see [`Redactor`].

mod bridge;
mod events;
mod file;
mod filter;
mod line;
mod queue;
mod redact;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

pub use file::Unwritable;
pub use filter::{Filter, WrongFilter};
pub use redact::Redactor;

use bridge::Bridge;
use events::Events;
use line::Lines;
use queue::Queue;

/// The maximum time that the end of a process waits for lines that are not yet written.
const PATIENCE: Duration = Duration::from_millis(250);

/// A function that writes one line at a time.
pub type Write = Box<dyn FnMut(&str) + Send>;

/// The format of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Text for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// The destination of lines.
pub enum To {
    /// The end of a file, which only its owner can read. It receives every line. A device or a
    /// pipe may be slow: it is treated like [`To::Each`].
    File(PathBuf),
    /// A function, which is called on a thread of its own with one line at a time. It may be slow:
    /// lines that arrive faster are counted and lost.
    Each(Write),
}

/// The options of a log.
pub struct Options {
    /// The filter of the log.
    pub filter: Filter,
    /// The format of a line.
    pub format: Format,
    /// The destination of lines.
    pub to: To,
    /// Removes the secrets from each line.
    pub redactor: Redactor,
}

/// The log of this process.
#[derive(Debug)]
pub struct Log {
    queue: Queue,
}

/// Installs the log for the whole process: for `tracing`, and for the messages of libraries through
/// `log`.
///
/// # Errors
/// When the file cannot be opened. A process that has a log already keeps that one.
pub fn install(options: Options) -> Result<Log, Unwritable> {
    let (subscriber, log, bridge) = parts(options)?;
    // These fail only if there is a log already.
    let _ = tracing::subscriber::set_global_default(subscriber);
    bridge.install();
    Ok(log)
}

/// Creates the log without installing it, for messages through `tracing` only.
///
/// # Errors
/// When the file cannot be opened.
pub fn subscriber(options: Options) -> Result<(impl Subscriber + Send + Sync, Log), Unwritable> {
    parts(options).map(|(subscriber, log, _)| (subscriber, log))
}

fn parts(options: Options) -> Result<(impl Subscriber + Send + Sync, Log, Bridge), Unwritable> {
    let queue = match options.to {
        To::Each(write) => Queue::start(write, false),
        To::File(path) => {
            let (write, is_file) = file::append_to(&path)?;
            // A disk accepts every line, or fails. The reader of a pipe or of a terminal may stop.
            Queue::start(write, is_file)
        }
    };
    let lines = Lines::new(queue.clone(), options.redactor, options.format);
    let targets = options.filter.targets();
    let bridge = Bridge::new(targets.clone(), lines.clone());
    let subscriber = registry().with(targets).with(Events(lines));
    Ok((subscriber, Log { queue }, bridge))
}

impl Log {
    /// Waits until all logged lines are written, at most for a short time.
    pub fn finish(&self) {
        self.queue.flush(PATIENCE);
    }
}

impl fmt::Debug for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Each(_) => f.write_str("Each"),
        }
    }
}
