//! Builds the commands that failures of capabilities name, besides those of the contract.

use sidestep_events::Command;

/// Signs a person in.
pub(crate) fn sign_in() -> Command {
    Command::fixed(&["gcloud", "auth", "application-default", "login"])
}
