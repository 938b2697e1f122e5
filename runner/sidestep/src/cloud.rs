//! What a run works against: Google Cloud, or the sandbox.

use std::collections::BTreeMap;
use std::sync::Arc;

use sidestep_capabilities::google::{ControlPlane, Credentials, Endpoints, Service};
use sidestep_capabilities::identity::{Identity, Variables};
use sidestep_capabilities::kubernetes::{Clusters, Mapped};
use sidestep_capabilities::registry::Registry;
use sidestep_capabilities::storage::Storage;
use sidestep_events::{Class, Command, Failure, Owner, commands};
use sidestep_sandbox::{
    CallerFiles, DEVELOPER, Live, Places, SandboxError, Scenario, Start, attach, files,
};
use url::Url;

use crate::commands::Session;
use crate::environment;
use crate::output::note;
use crate::settings::ClusterAccess;

/// What a run works against.
#[derive(Debug, Clone)]
pub(crate) enum Cloud {
    /// Google Cloud, at the addresses that the settings give.
    Google,
    /// A live sandbox.
    Sandbox {
        /// What it says of itself.
        live: Live,
        /// How the caller signs in.
        caller: CallerFiles,
    },
}

/// The clients of one run.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    pub(crate) storage: Arc<Storage>,
    pub(crate) google: ControlPlane,
    pub(crate) registry: Arc<Registry>,
    pub(crate) clusters: Arc<Clusters>,
    pub(crate) identity: Arc<Identity>,
}

impl Cloud {
    /// The cloud of a run: with a scenario its sandbox, which is started if it is not live.
    pub(crate) async fn of(session: &Session, scenario: Option<&str>) -> Result<Self, Failure> {
        let Some(scenario) = scenario else {
            return Ok(Self::Google);
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
                "sandbox `{scenario}` started (process {}); it ends by itself when unused, or with: {}",
                attached.live.pid,
                line(&["stop"], scenario)
            ));
        }
        Ok(Self::Sandbox {
            live: attached.live,
            caller: files(&places, None).map_err(|error| unavailable(&error))?,
        })
    }

    /// The same cloud, called as somebody else than the sandbox's developer where somebody is
    /// named.
    pub(crate) fn called_as(self, session: &Session, who: Option<&str>) -> Result<Self, Failure> {
        match (self, who) {
            (same, None) => Ok(same),
            (Self::Google, Some(_)) => Err(only_in_the_sandbox()),
            (Self::Sandbox { live, .. }, who) => {
                let places = places(session, &live.scenario)?;
                let caller = files(&places, who).map_err(|error| unavailable(&error))?;
                Ok(Self::Sandbox { live, caller })
            }
        }
    }

    /// The sandbox's scenario.
    pub(crate) fn scenario(&self) -> Option<&str> {
        match self {
            Self::Google => None,
            Self::Sandbox { live, .. } => Some(&live.scenario),
        }
    }

    /// Whom the sandbox is called as, where that is not its developer.
    pub(crate) fn caller(&self) -> Option<&str> {
        match self {
            Self::Google => None,
            Self::Sandbox { caller, .. } => (caller.name() != DEVELOPER).then(|| caller.name()),
        }
    }

    /// Clients for it. Nothing is called yet.
    pub(crate) fn clients(&self, session: &Session) -> Result<Clients, Failure> {
        let mut endpoints = Endpoints::default();
        let credentials = match self {
            Self::Google => {
                for (name, url) in &session.settings.endpoints {
                    set(&mut endpoints, name, &url.value)?;
                }
                if let Some(host) = environment::get("STORAGE_EMULATOR_HOST") {
                    endpoints.set_storage_emulator(emulator(&host)?);
                }
                Credentials::default()
            }
            Self::Sandbox { live, caller } => {
                for (name, url) in &live.endpoints {
                    set(&mut endpoints, name, url)?;
                }
                Credentials::external_account(read(caller)?).found_at(&caller.credentials())
            }
        };
        let (endpoints, credentials) = (Arc::new(endpoints), Arc::new(credentials));
        let google = ControlPlane::new(Arc::clone(&endpoints), Arc::clone(&credentials))?;
        let names: BTreeMap<String, Mapped> = session
            .settings
            .clusters
            .iter()
            .map(|(name, access)| {
                let mapped = match &access.value {
                    ClusterAccess::Context(context) => Mapped::Context(context.clone()),
                    ClusterAccess::InCluster {} => Mapped::InCluster,
                };
                (name.clone(), mapped)
            })
            .collect();
        let clusters = Clusters::new(google.clone(), Arc::clone(&credentials), names);
        let clusters = Arc::new(clusters);
        Ok(Clients {
            identity: Arc::new(Identity::new(
                google.clone(),
                Arc::clone(&clusters),
                Arc::clone(&credentials),
                Variables::of_this_process(),
            )),
            google,
            registry: Arc::new(Registry::new(
                Arc::clone(&endpoints),
                Arc::clone(&credentials),
            )?),
            storage: Arc::new(Storage::new(endpoints, credentials)?),
            clusters,
        })
    }
}

/// The folder of a scenario's sandbox.
pub(crate) fn places(session: &Session, scenario: &str) -> Result<Places, Failure> {
    Ok(Places::new(&session.sandboxes()?, scenario))
}

/// The program that this process runs, which serves sandboxes and is their kaniko.
pub(crate) fn program() -> Result<std::path::PathBuf, Failure> {
    std::env::current_exe()
        .map_err(|error| Failure::bug(format!("this program can't find itself: {error}")))
}

/// A scenario by its name.
pub(crate) fn known(name: &str) -> Result<Scenario, Failure> {
    Scenario::named(name)
        .ok_or_else(|| unavailable(&SandboxError::UnknownScenario(name.to_owned())))
}

/// A command of `sidestep sandbox` about a scenario's, for a note.
pub(crate) fn line(subcommand: &[&'static str], scenario: &str) -> String {
    let command = commands::sandbox(subcommand, scenario);
    command.map(|command| command.to_line()).unwrap_or_default()
}

/// A sandbox's error as a failure of this machine, and what helps.
pub(crate) fn unavailable(error: &SandboxError) -> Failure {
    let message = error.to_string();
    let code = match error {
        SandboxError::UnknownCaller { .. } => "sandbox.caller",
        SandboxError::UnknownScenario(_) => "sandbox.scenario",
        _ => "sandbox.unusable",
    };
    let class = match error {
        SandboxError::UnknownCaller { .. } | SandboxError::UnknownScenario(_) => Class::NotFound,
        _ => Class::Failed,
    };
    let failure = Failure::new(class, code, Owner::Operator, message);
    match error {
        SandboxError::Busy { scenario, .. } => failure
            .with_help("Use that one:")
            .with_helps(commands::enter_sandbox(scenario))
            .with_help("or end it:")
            .with_helps(commands::sandbox(&["stop"], scenario)),
        SandboxError::State { .. } => failure.with_help(
            "It lies in $XDG_STATE_HOME/sidestep/sandbox (~/.local/state without that variable), \
             where you must be able to write.",
        ),
        SandboxError::Corrupt { path, .. } => {
            let scenario = path.parent().and_then(|folder| folder.file_name());
            let scenario = scenario.unwrap_or_default().to_string_lossy();
            failure
                .with_help("Start afresh, and forget what it knew:")
                .with_helps(commands::sandbox(&["reset"], &scenario))
        }
        _ => failure,
    }
}

fn only_in_the_sandbox() -> Failure {
    Failure::new(
        Class::InvalidInput,
        "sandbox.caller",
        Owner::Operator,
        "`--as` picks who calls the sandbox, and this does not run against it",
    )
    .with_help("add --sandbox, or leave --as out")
}

fn set(endpoints: &mut Endpoints, name: &str, url: &str) -> Result<(), Failure> {
    let wrong = |why: String| {
        Failure::new(
            Class::InvalidInput,
            "settings.endpoint",
            Owner::Operator,
            format!("the endpoint {name} is set to `{url}`: {why}"),
        )
    };
    let service: Service = name.parse().map_err(|e| wrong(format!("{e}")))?;
    let url: Url = url.parse().map_err(|e| wrong(format!("{e}")))?;
    endpoints.set(service, url);
    Ok(())
}

/// `STORAGE_EMULATOR_HOST` is a URL, or a host and port as Google's clients take it.
fn emulator(host: &str) -> Result<Url, Failure> {
    let text = if host.contains("://") {
        host.to_owned()
    } else {
        format!("http://{host}")
    };
    text.parse().map_err(|error| {
        Failure::new(
            Class::InvalidInput,
            "settings.endpoint",
            Owner::Operator,
            format!("STORAGE_EMULATOR_HOST is `{host}`, which is no address: {error}"),
        )
    })
}

fn read(caller: &CallerFiles) -> Result<serde_json::Value, Failure> {
    let path = caller.credentials();
    std::fs::read(&path)
        .map_err(|error| error.to_string())
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
        .map_err(|why| {
            Failure::new(
                Class::Failed,
                "sandbox.unusable",
                Owner::Operator,
                format!(
                    "the sandbox's credentials in {} can't be read: {why}",
                    path.display()
                ),
            )
            .with_help("reset the sandbox:")
            .with_help(Command::fixed(&["sidestep", "sandbox", "reset"]))
        })
}
