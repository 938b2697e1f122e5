use std::io;
use std::path::{Path, PathBuf};

use sidestep_events::{Class, Command, Failure, JOURNAL_VERSION, Owner, codes};
use sidestep_files::own::NotOwn;
use thiserror::Error;

use crate::DamagedJournal;

/// The failure code when another process is writing the run.
pub const LOCKED: &str = codes::state::LOCKED;

/// The reason why a run's state could not be read or written.
#[derive(Debug, Error)]
pub enum StateError {
    /// An operating system error.
    #[error("can't {doing} {}: {source}", path.display())]
    Io {
        /// The operation: `read`, `write`, `create`.
        doing: &'static str,
        /// The path of the file or folder.
        path: PathBuf,
        /// The underlying error.
        source: io::Error,
    },
    /// The journal was written by a newer version.
    #[error(
        "the journal of run {run} has format {format} (written by {writer}); this version reads up to {JOURNAL_VERSION}"
    )]
    NewerFormat {
        /// The run's id.
        run: String,
        /// The format of the journal.
        format: u32,
        /// The name and version of the program that wrote it.
        writer: String,
    },
    /// The file does not begin with a whole header.
    #[error("{} is not a journal, or its header is damaged", .0.display())]
    NotAJournal(PathBuf),
    /// A record that once was whole can't be read any more.
    #[error("{0}")]
    Damaged(Box<DamagedJournal>),
    /// Another user can change the file.
    #[error("{0}, so it is not used")]
    NotOwn(#[from] NotOwn),
    /// A log file is shorter than the journal says.
    #[error("{missing} bytes are missing in {}", path.display())]
    Short {
        /// The log file's path.
        path: PathBuf,
        /// The number of missing bytes.
        missing: u64,
    },
    /// The journal belongs to another run, because its folder was renamed.
    #[error("the journal {} belongs to run {run}, not to this run", path.display())]
    OtherRun {
        /// The journal's path.
        path: PathBuf,
        /// The id of the run that it belongs to.
        run: String,
    },
    /// Another process is writing this run.
    #[error("run {run} is being written by another process{}", pid.map_or(String::new(), |pid| format!(" (pid {pid})")))]
    Locked {
        /// The run's id.
        run: String,
        /// The other process's id, if it has written it yet.
        pid: Option<u32>,
    },
    /// The run does not exist.
    #[error("there is no run {run} in {}", root.display())]
    NotFound {
        /// The run's id.
        run: String,
        /// The folder that holds the runs.
        root: PathBuf,
    },
    /// The run exists already.
    #[error("run {0} exists already")]
    Exists(String),
}

impl StateError {
    pub(crate) fn io(
        doing: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        let message = error.to_string();
        let failure = |class, code: &'static str| Self::new(class, code, Owner::Operator, message);
        match error {
            StateError::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull
                | io::ErrorKind::QuotaExceeded
                | io::ErrorKind::FileTooLarge => {
                    failure(Class::Exhausted, codes::state::FULL)
                        .with_help("Free space on that disk, or set `state: dir:PATH` to another one, and try again.")
                }
                io::ErrorKind::PermissionDenied
                | io::ErrorKind::ReadOnlyFilesystem
                | io::ErrorKind::NotADirectory => {
                    failure(Class::Failed, codes::state::DENIED)
                        .with_help("Make the folder writable, or set `state: dir:PATH` to a writable one.")
                }
                _ => failure(Class::Failed, codes::state::IO),
            },
            StateError::NewerFormat { .. } => failure(Class::Refused, codes::state::NEWER_FORMAT)
                .with_help("Use the version of sidestep that started the run, or a later one."),
            StateError::Short { .. } => failure(Class::Failed, codes::state::DAMAGED)
                .with_help("Only the text of these lines is lost; the run's journal is intact."),
            StateError::OtherRun { .. } => failure(Class::Refused, codes::state::DAMAGED)
                .with_help("Rename the run's folder back to its run id."),
            StateError::NotAJournal(_) => failure(Class::Failed, codes::state::DAMAGED)
                .with_help("The run can't be resumed; start a new run with another id."),
            StateError::Damaged(damaged) => Self::from(&*damaged),
            StateError::NotOwn(found) => failure(Class::Refused, codes::state::NOT_OWN)
                .with_help("If you trust its content, make yourself its only owner and writer:")
                .with_helps(found.repair()),
            StateError::Locked { pid, .. } => {
                let failure = failure(Class::Conflict, LOCKED);
                match pid {
                    Some(pid) => failure
                        .with_help(format!("Wait for process {pid} to end, or end it:"))
                        .with_helps(Command::new(&["kill"]).value(pid.to_string()).build()),
                    None => failure,
                }
            }
            StateError::NotFound { .. } => failure(Class::NotFound, codes::state::NO_RUN)
                .with_help("`sidestep runs` lists the existing runs."),
            StateError::Exists(_) => failure(Class::Conflict, codes::state::RUN_EXISTS),
        }
    }
}
