//! Builds the commands in failures of capabilities, besides those of the contract.

use sidestep_events::Command;

/// Returns the command that signs a person in.
pub(crate) fn sign_in() -> Command {
    Command::fixed(&["gcloud", "auth", "application-default", "login"])
}
