use sidestep_events::{Class, Command, Diagnostic, Exit, Failure, Foreign, Help, Owner, codes};
use sidestep_report::Problems;
use sidestep_state::{RunId, StateError};

/// The failure code when a command needs a folder, but neither `HOME` nor a setting names one.
const NO_HOME: &str = codes::settings::NO_HOME;

/// The reason why a request failed.
#[derive(Debug)]
pub enum Error {
    /// A file or the request is wrong, and nothing was started.
    Problems(Problems),
    /// The attempt failed.
    Failed(Box<Failure>),
}

impl Error {
    /// Creates an error about the user's request.
    pub fn usage(message: impl Into<Foreign>, help: impl Into<Help>) -> Self {
        Self::usage_with(message, help, None)
    }

    /// Creates an error about the user's request, with a command that helps.
    pub fn usage_with(
        message: impl Into<Foreign>,
        help: impl Into<Help>,
        command: Option<Command>,
    ) -> Self {
        let problem = Diagnostic::error(codes::command::WRONG, message)
            .with_help(help)
            .with_helps(command);
        Self::Problems(Problems::from(vec![problem]))
    }

    /// Returns the exit code of the process.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Problems(problems) => problems.exit(),
            Self::Failed(failure) if failure.code == NO_HOME => Exit::Configuration,
            // The request named something that does not exist, or had an invalid value. Nothing was
            // started.
            Self::Failed(failure)
                if matches!(failure.class, Class::NotFound | Class::InvalidInput) =>
            {
                Exit::Usage
            }
            Self::Failed(failure) => Exit::of_failure(failure),
        }
    }
}

/// Parses a run id from the user.
pub fn run_id(text: &str) -> Result<RunId, Error> {
    text.parse().map_err(|error| {
        Error::usage(
            format!("{error}"),
            "`sidestep runs` lists the existing runs",
        )
    })
}

/// Returns the failure when there is no folder for the files of a command.
pub fn no_home(what: &str, variable: &str) -> Failure {
    Failure::new(
        Class::InvalidInput,
        NO_HOME,
        Owner::Operator,
        format!("there is no folder for {what}: neither HOME nor XDG_STATE_HOME is set to a path"),
    )
    .with_help("name a folder that only you can write to:")
    .with_helps(Command::new(&["export"]).value(variable).build())
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl From<StateError> for Error {
    fn from(error: StateError) -> Self {
        Failure::from(error).into()
    }
}

impl From<Vec<Diagnostic>> for Error {
    fn from(found: Vec<Diagnostic>) -> Self {
        Self::Problems(Problems::from(found))
    }
}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        Self::Problems(problems)
    }
}
