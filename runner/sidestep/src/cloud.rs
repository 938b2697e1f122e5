//! Connects to the cloud that a run works against: Google Cloud, or the sandbox.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sidestep_capabilities::google::JobIdentity;
use sidestep_capabilities::kubernetes::{Endpoint, Mapped};
use sidestep_capabilities::registry::Docker;
use sidestep_events::{Class, Failure, Owner, codes, commands, show};
use sidestep_launch::{Cloud, Sandboxed};
use sidestep_sandbox::{
    DEVELOPER, GoogleNames, Live, LocalImages, Name, Places, Reach, SandboxError, Scenario, Start,
    attach, files,
};

use crate::environment;
use crate::log;
use crate::output::note;
use crate::session::Session;
use crate::settings::{ClusterAccess, GkeEndpoint};
use crate::user_cluster::{left_behind, unusable};

/// Returns the cloud of a run: Google Cloud, or the sandbox of that name, which is started if it is
/// not running. `who` is the caller in the sandbox, instead of its developer.
pub(crate) async fn connect(
    session: &Session,
    scenario: Option<&str>,
    who: Option<&str>,
) -> Result<Cloud, Failure> {
    let clusters = session.settings.clusters.iter();
    let mut clusters: BTreeMap<String, Mapped> = clusters
        .map(|(name, access)| (name.clone(), mapped(&access.value)))
        .collect();
    let Some(name) = scenario else {
        return match who {
            Some(_) => Err(only_in_the_sandbox()),
            None => Ok(google(session, clusters)),
        };
    };
    known(name)?;
    let places = places(session, name)?;
    let program = program()?;
    let start = Start {
        program: &program,
        name: &Name::read(name),
    };
    let attached = attach(&places, start)
        .await
        .map_err(|error| unavailable(&error))?;
    if attached.started && !session.global.quiet {
        note(&format!(
            "sandbox `{name}` started (process {}); it stops when it is no longer used, or with: {}",
            attached.live.pid,
            line(&["stop"], name)
        ));
    }
    if attached.started
        && let Some(cluster) = &attached.live.cluster
    {
        if let Reach::No(why) = &cluster.reach {
            note(&format!("its pods get no identity: {}", show::line(why)));
        }
        if let Some(GoogleNames::Unknown(why)) = &cluster.google_names {
            note(&format!(
                "its pods do not know Google's names: {}",
                show::line(why)
            ));
        }
    }
    if !attached.started && !session.global.quiet {
        older_settings(session, &attached.live, name);
    }
    let caller = files(&places, who).map_err(|error| unavailable(&error))?;
    if let Some(cluster) = attached.live.cluster {
        // Its API server knows the user's credentials, but not those of the sandbox.
        clusters.insert(cluster.name, Mapped::Context(cluster.named.context));
    }
    Ok(Cloud {
        endpoints: attached.live.endpoints.into_iter().collect(),
        storage_emulator: None,
        clusters,
        gke_endpoint: endpoint(session),
        docker: docker(session),
        sandbox: Some(Sandboxed {
            scenario: attached.live.scenario,
            caller: caller.name().to_owned(),
            usual_caller: DEVELOPER,
            credentials: caller.credentials(),
        }),
        job: None,
        known_to: log::tokens(),
    })
}

/// Returns the images of the settings whose commands a sandbox runs.
pub(crate) fn images(session: &Session) -> LocalImages {
    LocalImages::of(session.settings.sandbox_images.value.names())
        .with_helper(session.site.helper_image.as_deref())
}

/// Notes that a sandbox started with settings that lacked images of these.
fn older_settings(session: &Session, live: &Live, name: &str) {
    let mut missing = images(session).repositories();
    missing.retain(|image| !live.images.contains(image));
    if missing.is_empty() || live.cluster.is_some() {
        return;
    }
    note(&format!(
        "sandbox `{name}` started before the settings listed {}, and can't run it; to start it with \
         these settings: {}",
        missing.join(", "),
        line(&["stop"], name)
    ));
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
        docker: docker(session),
        sandbox: None,
        job: job(session),
        known_to: log::tokens(),
    }
}

/// Returns the identity of the CI job in the settings.
fn job(session: &Session) -> Option<JobIdentity> {
    let settings = &session.settings;
    let provider = settings.identity_provider.value.as_ref()?;
    let account = settings.identity_service_account.value.as_ref();
    Some(JobIdentity {
        provider: provider.name().to_owned(),
        service_account: account.map(|account| account.address().to_owned()),
    })
}

fn mapped(access: &ClusterAccess) -> Mapped {
    match access {
        ClusterAccess::Context(context) => Mapped::Context(context.clone()),
        ClusterAccess::InCluster {} => Mapped::InCluster,
    }
}

/// Returns where Docker keeps its configuration on this machine: in `DOCKER_CONFIG`, or in the home
/// folder.
fn docker(session: &Session) -> Option<Docker> {
    let set = |name| environment::get_os(name).filter(|value| !value.is_empty());
    let folder = set("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(set("HOME")?).join(".docker")))?;
    let programs = set("PATH").unwrap_or_default();
    Some(Docker {
        file: folder.join("config.json"),
        programs: std::env::split_paths(&programs).collect(),
        workspace: session.site.workspace.clone(),
    })
}

fn endpoint(session: &Session) -> Endpoint {
    match session.settings.gke_endpoint.value {
        GkeEndpoint::Auto => Endpoint::Auto,
        GkeEndpoint::Public => Endpoint::Public,
        GkeEndpoint::Private => Endpoint::Private,
        GkeEndpoint::Dns => Endpoint::Dns,
    }
}

/// Returns the folder of a sandbox.
pub(crate) fn places(session: &Session, name: &str) -> Result<Places, Failure> {
    Ok(Places::new(&session.sandboxes()?, name))
}

/// Returns the path of the running program, which also serves sandboxes and is their kaniko.
pub(crate) fn program() -> Result<std::path::PathBuf, Failure> {
    std::env::current_exe().map_err(|error| {
        Failure::bug(format!(
            "the path of the running program can't be determined: {error}"
        ))
    })
}

/// Returns the scenario of the sandbox with this name.
pub(crate) fn known(name: &str) -> Result<Scenario, Failure> {
    let scenario = Name::read(name).scenario;
    Scenario::named(&scenario).ok_or_else(|| unavailable(&SandboxError::UnknownScenario(scenario)))
}

/// Returns a `sidestep sandbox` command for the sandbox, for use in a note.
pub(crate) fn line(subcommand: &[&'static str], name: &str) -> String {
    let command = commands::sandbox(subcommand, name);
    command.map(|command| command.to_line()).unwrap_or_default()
}

/// Converts a sandbox's error into a failure owned by this machine's operator, with help.
pub(crate) fn unavailable(error: &SandboxError) -> Failure {
    match error {
        SandboxError::Cluster(error) => return unusable(error),
        SandboxError::LeftBehind { .. } => return left_behind(error),
        _ => {}
    }
    let message = error.to_string();
    let code = match error {
        SandboxError::UnknownCaller { .. } => codes::sandbox::CALLER,
        SandboxError::UnknownScenario(_) => codes::sandbox::SCENARIO,
        SandboxError::NeedsOwnCluster(_) => codes::sandbox::CLUSTER,
        _ => codes::sandbox::UNUSABLE,
    };
    let class = match error {
        SandboxError::UnknownCaller { .. } | SandboxError::UnknownScenario(_) => Class::NotFound,
        SandboxError::NeedsOwnCluster(_) => Class::InvalidInput,
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
        SandboxError::NeedsOwnCluster(scenario) => failure
            .with_help("Omit --cluster:")
            .with_helps(commands::sandbox(&[], scenario)),
        SandboxError::Corrupt { path, .. } => {
            let name = Name::of_folder(path.parent().unwrap_or(path)).to_string();
            failure
                .with_help("Delete the sandbox's state, and start anew:")
                .with_helps(commands::sandbox(&["reset"], &name))
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
