//! Damage in a journal, and its consequences for the run.

use std::fmt;
use std::path::{Path, PathBuf};

use sidestep_events::{Class, Failure, Foreign, Owner, codes, commands};

use crate::{Account, RunFolder, RunLock, StateError};

/// A range of a journal's bytes that once was one or more records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// The number of the first record that can't be read; the header's is 1.
    pub record: u64,
    /// The offset of its first byte in the file.
    pub from: u64,
    /// The offset of the next whole record, or the file's length.
    pub to: u64,
}

/// A journal that can't be resumed: the content of its damaged records is unknown, and one of them
/// may have named an external object.
#[derive(Debug, Clone, PartialEq)]
pub struct DamagedJournal {
    /// The run's id.
    pub run: String,
    /// The journal's path.
    pub path: PathBuf,
    /// The damaged ranges; never empty.
    pub damage: Vec<Damage>,
    /// The number of whole records.
    pub whole: u64,
    /// The sandbox scenario of the run.
    pub sandbox: Option<Foreign>,
    /// The pipeline file of the run.
    pub file: Option<Foreign>,
    /// Whether the run's end is among the whole records.
    pub ended: bool,
}

impl DamagedJournal {
    pub(crate) fn of(path: &Path, account: &Account) -> Option<Self> {
        let started = account.history.started.as_ref();
        (!account.damage.is_empty()).then(|| Self {
            run: account.header.run.clone(),
            path: path.to_owned(),
            damage: account.damage.clone(),
            whole: account.whole,
            sandbox: account.header.sandbox.as_ref().map(Foreign::from),
            file: started.and_then(|started| started.file.clone()),
            ended: account.history.finished.is_some(),
        })
    }
}

impl fmt::Display for DamagedJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.damage.first() else {
            return write!(f, "the journal of run {} is intact", self.run);
        };
        write!(
            f,
            "the journal of run {} is damaged: record {} can't be read (bytes {} to {} of {}",
            self.run,
            first.record,
            first.from,
            first.to,
            self.path.display()
        )?;
        match self.damage.len() - 1 {
            0 => {}
            1 => f.write_str(", and one more place after it")?,
            more => write!(f, ", and {more} more places after it")?,
        }
        let before = first.record - 1;
        write!(
            f,
            "); the {before} before it and {} after it are intact",
            self.whole.saturating_sub(before)
        )
    }
}

impl From<&DamagedJournal> for Failure {
    fn from(damaged: &DamagedJournal) -> Self {
        let sandbox = damaged.sandbox.as_ref().map(Foreign::exact);
        let mut failure = Self::new(
            Class::Failed,
            codes::state::DAMAGED,
            Owner::Operator,
            damaged.to_string(),
        )
        .with_help(
            "The lost record may be the only one of a finished step or a running pod, so the run \
             can't be resumed. Show the intact records:",
        )
        .with_helps(commands::show_run(&damaged.run))
        .with_help(if damaged.ended {
            "Remove objects that the run may have left:"
        } else {
            "Remove the run's objects, and set its folder aside:"
        })
        .with_helps(commands::gc(sandbox));
        if let Some(file) = &damaged.file {
            failure = failure
                .with_help("Then start a new run with the same inputs:")
                .with_helps(commands::run(file.exact(), sandbox));
        }
        failure
    }
}

impl RunFolder {
    /// Removes a run with a damaged journal from the list of runs. Its folder and content are kept
    /// under another name, which is returned. The run's id can be used again.
    pub fn set_aside(&self, _lock: &RunLock) -> Result<PathBuf, StateError> {
        let path = self.path();
        let mut aside = path.with_extension("damaged");
        let mut time = 1;
        while aside.exists() {
            time += 1;
            aside = path.with_extension(format!("damaged-{time}"));
        }
        std::fs::rename(path, &aside).map_err(StateError::io("rename", path))?;
        Ok(aside)
    }
}
