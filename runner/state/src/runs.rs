use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sidestep_events::{Foreign, Header, RunFinished};
use sidestep_names::file_name;

use crate::{
    Account, AttemptLog, DamagedJournal, Events, Journal, JournalReader, JournalWriter, RunId,
    RunLock, StateError, Writer, own, read_account, read_journal,
};

/// The folder that holds all runs, one subfolder each.
#[derive(Debug, Clone)]
pub struct Runs {
    root: PathBuf,
}

/// One run's folder: `journal`, `lock`, `plan.json`, and `logs/INSTANCE.ATTEMPT.log`.
#[derive(Debug, Clone)]
pub struct RunFolder {
    id: RunId,
    path: PathBuf,
}

/// A run in the list of runs.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    /// The run's id.
    pub id: RunId,
    /// The pipeline's name; absent when the process ended before the run began.
    pub pipeline: Option<Foreign>,
    /// The time at which the run was first started.
    pub began: Option<Timestamp>,
    /// The end of the run, once it has ended.
    pub finished: Option<RunFinished>,
    /// The process that is writing the run.
    pub writer: Option<u32>,
    /// The sandbox scenario of the run.
    pub sandbox: Option<Foreign>,
    /// The damage in its journal, if there is any. Then the other fields hold what could be read.
    pub damaged: Option<DamagedJournal>,
}

impl Runs {
    /// Returns the runs in this folder, which need not exist yet.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Returns the folder's path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Creates a new run's folder, takes its lock, and writes the journal's header.
    ///
    /// Fails when the run exists.
    pub fn create(
        &self,
        id: &RunId,
        header: &Header,
    ) -> Result<(RunFolder, RunLock, JournalWriter), StateError> {
        let folder = self.folder(id);
        // The lock comes first: it marks the folder as a run's, should this process end early.
        own::make_folder(&folder.path)?;
        let lock = folder.lock()?;
        own::make_folder(&folder.path.join("logs"))?;
        let journal = JournalWriter::create(&folder.journal_path(), header)?;
        Ok((folder, lock, journal))
    }

    /// Returns an existing run.
    pub fn open(&self, id: &RunId) -> Result<RunFolder, StateError> {
        let folder = self.folder(id);
        if folder.has_journal()? {
            Ok(folder)
        } else {
            Err(StateError::NotFound {
                run: id.to_string(),
                root: self.root.clone(),
            })
        }
    }

    /// Returns all runs, the latest first, and the errors of folders that can't be read.
    pub fn list(&self) -> Result<(Vec<RunSummary>, Vec<StateError>), StateError> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Default::default()),
            Err(error) => return Err(StateError::io("read", &self.root)(error)),
        };
        let (mut runs, mut unreadable) = (Vec::new(), Vec::new());
        for entry in entries {
            let entry = entry.map_err(StateError::io("read", &self.root))?;
            // Other folders may exist here; only those with an id and a journal are runs.
            let Some(id) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            else {
                continue;
            };
            let folder = self.folder(&id);
            match folder.has_journal() {
                Ok(true) => match folder.summary() {
                    Ok(summary) => runs.push(summary),
                    Err(error) => unreadable.push(error),
                },
                Ok(false) => {}
                Err(error) => unreadable.push(error),
            }
        }
        runs.sort_by(|a, b| (b.began, &b.id).cmp(&(a.began, &a.id)));
        Ok((runs, unreadable))
    }

    pub(crate) fn folder(&self, id: &RunId) -> RunFolder {
        RunFolder {
            id: id.clone(),
            path: self.root.join(id.as_str()),
        }
    }
}

impl RunFolder {
    /// Returns the run's id.
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// Returns the folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the run's lock, which excludes other writers.
    ///
    /// Fails at once, with the other process's id, when it is taken.
    pub fn lock(&self) -> Result<RunLock, StateError> {
        RunLock::take(&self.lock_path(), self.id.as_str())
    }

    /// Reads the journal. Log lines come in groups, without their text; see [`RunFolder::events`].
    pub fn read(&self) -> Result<Journal, StateError> {
        read_journal(&self.journal_path())
    }

    /// Returns a reader of the journal's records.
    pub fn records(&self) -> Result<JournalReader, StateError> {
        JournalReader::open(&self.journal_path()).map(|(_, reader)| reader)
    }

    /// Reads the journal's summary.
    pub fn account(&self) -> Result<Account, StateError> {
        read_account(&self.journal_path())
    }

    /// Opens the journal to resume the run. The caller holds the lock.
    ///
    /// Fails with [`StateError::Damaged`] when a record that may name an external object is lost,
    /// and with [`StateError::OtherRun`] when the folder has another run's name.
    pub fn resume(&self, _lock: &RunLock) -> Result<(JournalWriter, Account), StateError> {
        let (journal, account) = JournalWriter::open(&self.journal_path())?;
        self.check(&account.header)?;
        Ok((journal, account))
    }

    /// Opens the journal, damaged or not, to record what is removed of the run's objects. The
    /// caller holds the lock.
    ///
    /// Fails with [`StateError::OtherRun`] when the folder has another run's name.
    pub fn clean_up(&self, _lock: &RunLock) -> Result<(JournalWriter, Account), StateError> {
        let (journal, account) = JournalWriter::open_to_clean_up(&self.journal_path())?;
        self.check(&account.header)?;
        Ok((journal, account))
    }

    /// Checks that the journal with this header belongs to this run. It does not if the folder was
    /// renamed or copied; then the objects that it names may be those of another process.
    pub fn check(&self, header: &Header) -> Result<(), StateError> {
        if header.run == self.id.as_str() {
            Ok(())
        } else {
            Err(StateError::OtherRun {
                path: self.journal_path(),
                run: header.run.clone(),
            })
        }
    }

    /// Returns a reader of the run's events in order, with the text of every log line.
    pub fn events(&self) -> Result<Events, StateError> {
        Events::open(self)
    }

    /// Like [`RunFolder::events`], for a part of the journal: from byte `from` to byte `to`, which
    /// must be record boundaries ([`JournalWriter::length`]).
    pub fn events_between(&self, from: u64, to: u64) -> Result<Events, StateError> {
        Events::part(self, from, to)
    }

    /// Returns the damage in the journal, if there is any.
    pub fn damaged(&self) -> Result<Option<DamagedJournal>, StateError> {
        Ok(DamagedJournal::of(&self.journal_path(), &self.account()?))
    }

    /// Opens the log file of one attempt for appending. `journaled` is the offset at which the last
    /// journaled line ends ([`crate::AttemptHistory::log_end`]).
    pub fn attempt_log(
        &self,
        instance: &str,
        attempt: u32,
        journaled: Option<u64>,
    ) -> Result<AttemptLog, StateError> {
        AttemptLog::open(&self.log_path(instance, attempt), journaled)
    }

    /// Returns the path of an attempt's log.
    pub fn log_path(&self, instance: &str, attempt: u32) -> PathBuf {
        self.path
            .join("logs")
            .join(format!("{}.{attempt}.log", file_name(instance)))
    }

    /// Stores a document, such as the run's plan, beside the journal. It is written atomically.
    pub fn write_document(&self, name: &str, bytes: &[u8]) -> Result<(), StateError> {
        let path = self.path.join(name);
        let draft = self.path.join(format!("{name}.new"));
        own::make(&draft)?
            .write_all(bytes)
            .map_err(StateError::io("write", &draft))?;
        fs::rename(&draft, &path).map_err(StateError::io("write", &path))
    }

    /// Reads a document that [`RunFolder::write_document`] stored.
    pub fn read_document(&self, name: &str) -> Result<Vec<u8>, StateError> {
        let path = self.path.join(name);
        let mut bytes = Vec::new();
        own::read(&path)?
            .read_to_end(&mut bytes)
            .map_err(StateError::io("read", &path))?;
        Ok(bytes)
    }

    /// Returns the run's entry in the list of runs.
    pub fn summary(&self) -> Result<RunSummary, StateError> {
        let account = self.account()?;
        let damaged = DamagedJournal::of(&self.journal_path(), &account);
        let history = account.history;
        Ok(RunSummary {
            id: self.id.clone(),
            pipeline: history.started.map(|started| started.pipeline),
            began: history.began,
            finished: history.finished,
            writer: match self.writer() {
                Writer::Alive(pid) => pid,
                Writer::Nobody | Writer::Gone(_) => None,
            },
            sandbox: account.header.sandbox.map(Foreign::from),
            damaged,
        })
    }

    /// Returns whether the folder holds a journal, which makes it a run. A folder that can't be
    /// searched, such as another user's, is an error.
    pub(crate) fn has_journal(&self) -> Result<bool, StateError> {
        let path = self.journal_path();
        match fs::metadata(&path) {
            Ok(metadata) => Ok(metadata.is_file()),
            Err(error) if own::is_absent(&error) => Ok(false),
            Err(error) => Err(StateError::io("read", &path)(error)),
        }
    }

    pub(crate) fn journal_path(&self) -> PathBuf {
        self.path.join("journal")
    }

    pub(crate) fn lock_path(&self) -> PathBuf {
        self.path.join("lock")
    }
}
