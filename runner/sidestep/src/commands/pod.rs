//! `sidestep pod`: the commands that the helper image runs in the pods of steps.

use std::time::Duration;

use sidestep_events::Exit;
use sidestep_helper::wait_for_identity;
use sidestep_launch::Error;

use crate::cli::Pod;
use crate::environment;
use crate::output::note;

/// The address of the metadata server (Google Cloud, "About VM metadata").
const METADATA: &str = "169.254.169.254";
/// The longest wait for it.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) async fn run(command: Pod) -> Result<Exit, Error> {
    match command {
        Pod::WaitForIdentity => {
            let host = environment::get("GCE_METADATA_HOST");
            let host = host.as_deref().unwrap_or(METADATA);
            if !wait_for_identity(host, PATIENCE).await {
                // The program may need no identity, and otherwise reports the cause itself.
                note(&format!(
                    "no metadata server answered at {host} within {} s",
                    PATIENCE.as_secs()
                ));
            }
            Ok(Exit::Success)
        }
    }
}
