mod build;
mod inspect;
mod new;

use sidestep_authoring::AuthoringError;
use sidestep_events::Exit;
use sidestep_launch::Error;

use crate::cli::Plugin;
use crate::session::Session;

pub(crate) fn run(session: &Session, command: &Plugin) -> Result<Exit, Error> {
    match command {
        Plugin::New(args) => new::run(session, args),
        Plugin::Build(args) => build::run(session, args),
        Plugin::Inspect(args) => inspect::run(session, args),
    }
}

fn error(error: AuthoringError) -> Error {
    match error {
        AuthoringError::Wrong(found) => found.into(),
        AuthoringError::Failed(failure) => Error::Failed(failure),
    }
}
