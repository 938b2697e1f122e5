//! Limits on how much a run, and one attempt of it, may write.

mod ledger;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use sidestep_events::{Class, Failure, Owner, codes};
use tokio_util::sync::CancellationToken;

pub(crate) use ledger::Ledger;

/// The limits on what a run may write. The host's own records (intents, ends) are not limited by
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceilings {
    /// The limit on the run's journal, in bytes.
    pub journal: u64,
    /// The limit on all of the run's log files together, in bytes.
    pub logs: u64,
}

/// One attempt may use a quarter of what the run may. The [`Ledger`] keeps several attempts from
/// using up the room of the others.
const SHARE: u64 = 4;

impl Default for Ceilings {
    fn default() -> Self {
        Self {
            journal: 256 << 20,
            logs: 1 << 30,
        }
    }
}

/// A limit that is reached, with its size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// The run's journal.
    Journal(u64),
    /// The attempt's share of the run's journal.
    JournalShare(u64),
    /// The run's log files.
    Logs(u64),
    /// The attempt's share of the run's log files.
    LogShare(u64),
}

impl From<Full> for Failure {
    fn from(full: Full) -> Self {
        let (code, bytes, what, setting) = match full {
            Full::Journal(bytes) => (
                codes::journal::FULL,
                bytes,
                "the run's journal",
                "journalLimit",
            ),
            Full::JournalShare(bytes) => (
                codes::journal::FULL,
                bytes,
                "the step's share of the run's journal",
                "journalLimit",
            ),
            Full::Logs(bytes) => (
                codes::log::FULL,
                bytes,
                "the space for the run's log files",
                "logLimit",
            ),
            Full::LogShare(bytes) => (
                codes::log::FULL,
                bytes,
                "the step's share of the run's log files",
                "logLimit",
            ),
        };
        let message = match full {
            Full::Journal(_) | Full::Logs(_) => format!(
                "{what} has no room left for the step: the rest of its {bytes} bytes is reserved for \
                 the other steps"
            ),
            Full::JournalShare(_) | Full::LogShare(_) => {
                format!("{what} is full: at most {bytes} bytes are kept")
            }
        };
        Self::new(Class::Exhausted, code, Owner::Plugin, message).with_help(format!(
            "check in the step's log what it writes so much of; if it needs that much, raise the \
             setting `{setting}`"
        ))
    }
}

/// The bytes that one incarnation may still write, and why it may write no more.
#[derive(Debug)]
pub(crate) struct Room {
    instance: String,
    shares: Ceilings,
    journal: AtomicU64,
    logs: AtomicU64,
    full: OnceLock<Failure>,
    is_full: CancellationToken,
}

impl Room {
    pub(crate) fn new(instance: &str, ceilings: Ceilings) -> Self {
        let shares = Ceilings {
            journal: ceilings.journal / SHARE,
            logs: ceilings.logs / SHARE,
        };
        Self {
            instance: instance.to_owned(),
            shares,
            journal: AtomicU64::new(shares.journal),
            logs: AtomicU64::new(shares.logs),
            full: OnceLock::new(),
            is_full: CancellationToken::new(),
        }
    }

    /// Returns the instance that this room belongs to.
    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    /// Returns how many bytes of the journal are left.
    pub(crate) fn journal(&self) -> u64 {
        self.journal.load(Ordering::Relaxed)
    }

    /// Takes bytes of the journal, down to zero if fewer are left.
    pub(crate) fn take_journal(&self, bytes: u64) {
        take(&self.journal, bytes);
    }

    /// Takes a line's bytes if there is room for them.
    pub(crate) fn take_line(&self, journal: u64, log: u64) -> Result<(), Full> {
        if self.logs.load(Ordering::Relaxed) < log {
            return Err(Full::LogShare(self.shares.logs));
        }
        if self.journal() < journal {
            return Err(self.share());
        }
        take(&self.logs, log);
        take(&self.journal, journal);
        Ok(())
    }

    /// Returns the limit to report when the attempt's share of the journal is used up.
    pub(crate) fn share(&self) -> Full {
        Full::JournalShare(self.shares.journal)
    }

    /// Ends all writing for the attempt and returns the failure to end it with. If there already is
    /// a failure, that one is kept.
    pub(crate) fn fill(&self, full: Full) -> Failure {
        let failure = self.full.get_or_init(|| full.into()).clone();
        self.is_full.cancel();
        failure
    }

    /// Returns why nothing more is written for the attempt, if that is so.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.full.get().cloned()
    }

    /// Waits until nothing more is written for the attempt, and returns why.
    pub(crate) async fn filled(&self) -> Failure {
        self.is_full.cancelled().await;
        let failure = self.failure();
        failure.unwrap_or_else(|| Failure::bug("a step's room was full for no reason"))
    }
}

fn take(left: &AtomicU64, bytes: u64) {
    let less = |left: u64| Some(left.saturating_sub(bytes));
    let _ = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
}
