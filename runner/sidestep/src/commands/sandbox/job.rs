//! The exports of a CI job.

use sidestep_events::Exit;
use sidestep_launch::Error;
use sidestep_sandbox::{JobOf, Live, Places, job_exports};

use crate::cli::Ci;
use crate::cloud::unavailable;
use crate::output;

/// Prints the variables of a job that uses a live sandbox.
pub(super) async fn print(
    live: &Live,
    places: &Places,
    ci: Ci,
    claims: &[(String, String)],
) -> Result<Exit, Error> {
    let of = JobOf {
        ci: ci.name(),
        claims,
    };
    let exports = job_exports(live, places, of)
        .await
        .map_err(|error| unavailable(&error))?;
    output::print(&exports.to_string());
    Ok(Exit::Success)
}

/// Prints the variables of a job of a sandbox that is served by this process.
pub(super) fn print_later(live: Live, places: Places, ci: Ci, claims: Vec<(String, String)>) {
    tokio::spawn(async move {
        let of = JobOf {
            ci: ci.name(),
            claims: &claims,
        };
        match job_exports(&live, &places, of).await {
            Ok(exports) => output::print(&exports.to_string()),
            Err(error) => output::note(&error.to_string()),
        }
    });
}
