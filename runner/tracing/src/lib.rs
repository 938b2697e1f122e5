//! The runner's own log: what its crates and the libraries under them say through `tracing` and
//! `log`, for whoever looks for the cause of a failure.
//!
//! It is not a run's record (those are events), and it is off unless somebody asks for it. Every
//! line loses what is known or looks like a secret before it is written: see [`Redactor`].

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

/// How long the end of a process waits for lines that are not written yet.
const PATIENCE: Duration = Duration::from_millis(250);

/// Takes one line at a time.
pub type Write = Box<dyn FnMut(&str) + Send>;

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Where lines go.
pub enum To {
    /// To the end of a file, which nobody but its owner can read.
    File(PathBuf),
    /// To a function, which is called on a thread of its own with one line at a time. It may take
    /// its time: lines that come faster are counted and lost.
    Each(Write),
}

/// What is logged, how, and where to.
pub struct Options {
    /// What is logged.
    pub filter: Filter,
    /// How.
    pub format: Format,
    /// Where to.
    pub to: To,
    /// Takes the secrets out of each line.
    pub redactor: Redactor,
}

/// The log of this process.
#[derive(Debug)]
pub struct Log {
    queue: Queue,
}

/// Installs the log for the whole process: for `tracing`, and for what libraries say through `log`.
///
/// # Errors
/// When the file can't be opened. A process that has a log already keeps that one.
pub fn install(options: Options) -> Result<Log, Unwritable> {
    let (subscriber, log, bridge) = parts(options)?;
    // These fail only where there is a log already.
    let _ = tracing::subscriber::set_global_default(subscriber);
    bridge.install();
    Ok(log)
}

/// Makes the log without installing it, for what is said through `tracing` alone.
///
/// # Errors
/// When the file can't be opened.
pub fn subscriber(options: Options) -> Result<(impl Subscriber + Send + Sync, Log), Unwritable> {
    parts(options).map(|(subscriber, log, _)| (subscriber, log))
}

fn parts(options: Options) -> Result<(impl Subscriber + Send + Sync, Log, Bridge), Unwritable> {
    let queue = match options.to {
        To::Each(write) => Queue::start(write, false),
        // A disk takes what it gets, or fails.
        To::File(path) => Queue::start(file::append_to(&path)?, true),
    };
    let lines = Lines::new(queue.clone(), options.redactor, options.format);
    let targets = options.filter.targets();
    let bridge = Bridge::new(targets.clone(), lines.clone());
    let subscriber = registry().with(targets).with(Events(lines));
    Ok((subscriber, Log { queue }, bridge))
}

impl Log {
    /// Waits until what was logged is written, but not long.
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
