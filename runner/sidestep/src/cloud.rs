//! Connects to the cloud that a run works against: Google Cloud, or the sandbox.

use std::collections::BTreeMap;

use sidestep_capabilities::kubernetes::{Endpoint, Mapped};
use sidestep_events::{Class, Failure, Owner, codes, commands};
use sidestep_launch::{Cloud, Sandboxed};
use sidestep_sandbox::{DEVELOPER, Places, SandboxError, Scenario, Start, attach, files};

use crate::environment;
use crate::log;
use crate::output::note;
use crate::session::Session;
use crate::settings::{ClusterAccess, GkeEndpoint};

/// Returns the cloud of a run: Google Cloud, or the sandbox of a scenario, which is started if it
/// is not running. `who` is the caller in the sandbox, instead of its developer.
pub(crate) async fn connect(
    session: &Session,
    scenario: Option<&str>,
    who: Option<&str>,
) -> Result<Cloud, Failure> {
    let clusters = session.settings.clusters.iter();
    let clusters = clusters
        .map(|(name, access)| (name.clone(), mapped(&access.value)))
        .collect();
    let Some(scenario) = scenario else {
        return match who {
            Some(_) => Err(only_in_the_sandbox()),
            None => Ok(google(session, clusters)),
        };
    };
    known(scenario)?;
    let places = places(session, scenario)?;
    let program = program()?;
    let start = Start {
        program: &program,
        scenario,
    };
    let attached = attach(&places, start)
        .await
        .map_err(|error| unavailable(&error))?;
    if attached.started && !session.global.quiet {
        note(&format!(
            "sandbox `{scenario}` started (process {}); it stops when it is no longer used, or with: {}",
            attached.live.pid,
            line(&["stop"], scenario)
        ));
    }
    let caller = files(&places, who).map_err(|error| unavailable(&error))?;
    Ok(Cloud {
        endpoints: attached.live.endpoints.into_iter().collect(),
        storage_emulator: None,
        clusters,
        gke_endpoint: endpoint(session),
        sandbox: Some(Sandboxed {
            scenario: attached.live.scenario,
            caller: caller.name().to_owned(),
            usual_caller: DEVELOPER,
            credentials: caller.credentials(),
        }),
        known_to: log::tokens(),
    })
}

/// Returns Google Cloud, at the addresses in the settings.
fn google(session: &Session, clusters: BTreeMap<String, Mapped>) -> Cloud {
    let endpoints = session.settings.endpoints.iter();
    Cloud {
        endpoints: endpoints
            .map(|(name, url)| (name.clone(), url.value.clone()))
            .collect(),
        storage_emulator: environment::get("STORAGE_EMULATOR_HOST"),
        clusters,
        gke_endpoint: endpoint(session),
        sandbox: None,
        known_to: log::tokens(),
    }
}

fn mapped(access: &ClusterAccess) -> Mapped {
    match access {
        ClusterAccess::Context(context) => Mapped::Context(context.clone()),
        ClusterAccess::InCluster {} => Mapped::InCluster,
    }
}

fn endpoint(session: &Session) -> Endpoint {
    match session.settings.gke_endpoint.value {
        GkeEndpoint::Auto => Endpoint::Auto,
        GkeEndpoint::Public => Endpoint::Public,
        GkeEndpoint::Private => Endpoint::Private,
        GkeEndpoint::Dns => Endpoint::Dns,
    }
}

/// Returns the folder of a scenario's sandbox.
pub(crate) fn places(session: &Session, scenario: &str) -> Result<Places, Failure> {
    Ok(Places::new(&session.sandboxes()?, scenario))
}

/// Returns the path of the running program, which also serves sandboxes and is their kaniko.
pub(crate) fn program() -> Result<std::path::PathBuf, Failure> {
    std::env::current_exe().map_err(|error| {
        Failure::bug(format!(
            "the path of the running program can't be determined: {error}"
        ))
    })
}

/// Returns the scenario with this name.
pub(crate) fn known(name: &str) -> Result<Scenario, Failure> {
    Scenario::named(name)
        .ok_or_else(|| unavailable(&SandboxError::UnknownScenario(name.to_owned())))
}

/// Returns a `sidestep sandbox` command for the scenario, for use in a note.
pub(crate) fn line(subcommand: &[&'static str], scenario: &str) -> String {
    let command = commands::sandbox(subcommand, scenario);
    command.map(|command| command.to_line()).unwrap_or_default()
}

/// Converts a sandbox's error into a failure owned by this machine's operator, with help.
pub(crate) fn unavailable(error: &SandboxError) -> Failure {
    let message = error.to_string();
    let code = match error {
        SandboxError::UnknownCaller { .. } => codes::sandbox::CALLER,
        SandboxError::UnknownScenario(_) => codes::sandbox::SCENARIO,
        _ => codes::sandbox::UNUSABLE,
    };
    let class = match error {
        SandboxError::UnknownCaller { .. } | SandboxError::UnknownScenario(_) => Class::NotFound,
        _ => Class::Failed,
    };
    let failure = Failure::new(class, code, Owner::Operator, message);
    match error {
        SandboxError::Busy { scenario, .. } => failure
            .with_help("Use the running sandbox:")
            .with_helps(commands::enter_sandbox(scenario))
            .with_help("or stop it:")
            .with_helps(commands::sandbox(&["stop"], scenario)),
        SandboxError::State { .. } => failure.with_help(
            "The sandbox's folder is in $XDG_STATE_HOME/sidestep/sandbox (~/.local/state without that \
             variable), and must be writable.",
        ),
        SandboxError::Corrupt { path, .. } => {
            let scenario = path.parent().and_then(|folder| folder.file_name());
            let scenario = scenario.unwrap_or_default().to_string_lossy();
            failure
                .with_help("Delete the sandbox's state, and start anew:")
                .with_helps(commands::sandbox(&["reset"], &scenario))
        }
        _ => failure,
    }
}

fn only_in_the_sandbox() -> Failure {
    Failure::new(
        Class::InvalidInput,
        codes::sandbox::CALLER,
        Owner::Operator,
        "`--as` selects the caller of the sandbox, but this command does not use the sandbox",
    )
    .with_help("add --sandbox, or omit --as")
}
