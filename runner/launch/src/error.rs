use sidestep_events::{Class, Command, Diagnostic, Exit, Failure, Foreign, Help, Owner, codes};
use sidestep_report::Problems;
use sidestep_state::{RunId, StateError};

/// The code of a command that needs a folder which neither a home nor a setting names.
const NO_HOME: &str = codes::settings::NO_HOME;

/// Why something could not be done that was asked for.
#[derive(Debug)]
pub enum Error {
    /// Something is wrong with a file or with what was asked, and nothing was started.
    Problems(Problems),
    /// It was tried, and failed.
    Failed(Box<Failure>),
}

impl Error {
    /// Says what is wrong with what was asked.
    pub fn usage(message: impl Into<Foreign>, help: impl Into<Help>) -> Self {
        Self::usage_with(message, help, None)
    }

    /// Says what is wrong with what was asked, and names the command that helps.
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

    /// Returns what the process ends with.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Problems(problems) => problems.exit(),
            Self::Failed(failure) if failure.code == NO_HOME => Exit::Configuration,
            // What does not exist was named wrongly, and what is given is wrong: nothing was started.
            Self::Failed(failure)
                if matches!(failure.class, Class::NotFound | Class::InvalidInput) =>
            {
                Exit::Usage
            }
            Self::Failed(failure) => Exit::of_failure(failure),
        }
    }
}

/// Reads a run's id that somebody names.
pub fn run_id(text: &str) -> Result<RunId, Error> {
    text.parse().map_err(|error| {
        Error::usage(
            format!("{error}"),
            "`sidestep runs` lists the runs that are there",
        )
    })
}

/// Says what keeps a command from having a folder for what it keeps.
pub fn no_home(what: &str, variable: &str) -> Failure {
    Failure::new(
        Class::InvalidInput,
        NO_HOME,
        Owner::Operator,
        format!("there is no folder for {what}: neither HOME nor XDG_STATE_HOME is set to a path"),
    )
    .with_help("name one that is yours alone:")
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
