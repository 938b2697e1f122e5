//! `sidestep pod`: the commands that the helper image runs in the pods of steps.

use std::time::Duration;

use sidestep_events::{Class, Exit, Failure, Owner, codes};
use sidestep_helper::{Context, Places, Reason, Storage, fetch_context, report, wait_for_identity};
use sidestep_launch::Error;
use sidestep_report::bytes;

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
            let host = metadata_host();
            if !wait_for_identity(&host, PATIENCE).await {
                // The program may need no identity, and otherwise reports the cause itself.
                note(&format!(
                    "no metadata server answered at {host} within {} s",
                    PATIENCE.as_secs()
                ));
            }
            Ok(Exit::Success)
        }
        Pod::FetchContext {
            uri,
            into,
            digest,
            limit,
        } => {
            let context = Context {
                uri,
                digest,
                into,
                limit,
            };
            fetch(&context).await
        }
    }
}

fn metadata_host() -> String {
    environment::get("GCE_METADATA_HOST").unwrap_or_else(|| METADATA.to_owned())
}

async fn fetch(context: &Context) -> Result<Exit, Error> {
    let code = codes::pod::CONTEXT_NOT_FETCHED;
    let failed = |error: &sidestep_helper::Error| Error::from(failure(code, error));
    let mounts = environment::get("SIDESTEP_MOUNTS");
    let places = Places::of(mounts.as_deref()).map_err(|error| failed(&error))?;
    let base = environment::get("SIDESTEP_ENDPOINT_STORAGE");
    let fetched = match Storage::new(base.as_deref(), &metadata_host()) {
        Ok(storage) => fetch_context(&storage, &places, context).await,
        Err(error) => Err(error),
    };
    match fetched {
        Ok(fetched) => {
            let unchecked = if fetched.checked {
                ""
            } else {
                "; its digest was not checked, because neither its name nor --digest has one"
            };
            note(&format!(
                "unpacked {} of {} into {}{unchecked}",
                bytes(fetched.bytes),
                context.uri,
                context.into.display(),
            ));
            Ok(Exit::Success)
        }
        Err(error) => {
            report(&places, &error);
            Err(failed(&error))
        }
    }
}

/// Returns the failure of a command for pods.
fn failure(code: &'static str, error: &sidestep_helper::Error) -> Failure {
    let (class, owner) = match error.reason {
        Reason::Denied => (Class::Denied, Owner::Cloud),
        Reason::Missing => (Class::NotFound, Owner::Author),
        Reason::Wrong => (Class::InvalidInput, Owner::Author),
        Reason::Unavailable => (Class::Unavailable, Owner::Cloud),
        Reason::Disk => (Class::Exhausted, Owner::Author),
    };
    Failure::new(class, code, owner, error.message.as_str())
}
