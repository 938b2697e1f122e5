use sidestep_events::{Class, Command, Diagnostic, Exit, Failure, Foreign, Help};
use sidestep_state::StateError;

use sidestep_report::Problems;

/// The code of a command that needs a folder which neither a home nor a setting names.
pub(crate) const NO_HOME: &str = "settings.no-home";

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// Something is wrong with a file or with the command line, and nothing was started.
    Problems(Problems),
    /// It was tried, and failed.
    Failed(Box<Failure>),
}

impl CommandError {
    /// What is wrong with the command line.
    pub(crate) fn usage(message: impl Into<Foreign>, help: impl Into<Help>) -> Self {
        Self::usage_with(message, help, None)
    }

    /// What is wrong with the command line, and the command that helps.
    pub(crate) fn usage_with(
        message: impl Into<Foreign>,
        help: impl Into<Help>,
        command: Option<Command>,
    ) -> Self {
        let problem = Diagnostic::error("command.wrong", message)
            .with_help(help)
            .with_helps(command);
        Self::Problems(Problems::from(vec![problem]))
    }

    /// What the process ends with.
    pub(crate) fn exit(&self) -> Exit {
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

impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl From<StateError> for CommandError {
    fn from(error: StateError) -> Self {
        Failure::from(error).into()
    }
}

impl From<Vec<Diagnostic>> for CommandError {
    fn from(found: Vec<Diagnostic>) -> Self {
        Self::Problems(Problems::from(found))
    }
}

impl From<Problems> for CommandError {
    fn from(problems: Problems) -> Self {
        Self::Problems(problems)
    }
}
