//! The cloud that a run works against: Google Cloud, or a sandbox of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sidestep_capabilities::Masks;
use sidestep_capabilities::google::{
    Clock, ControlPlane, Credentials, Endpoints, Federation, JobIdentity, Service,
};
use sidestep_capabilities::identity::{Identity, Variables};
use sidestep_capabilities::kubernetes::{Clusters, Endpoint, Mapped};
use sidestep_capabilities::registry::{Docker, Registry};
use sidestep_capabilities::storage::Storage;
use sidestep_events::{Class, Command, Failure, Owner, codes};
use url::Url;

/// The cloud that a run works against, as data. No calls are made before [`Clients`] exist.
#[derive(Debug, Clone, Default)]
pub struct Cloud {
    /// Custom addresses of services, by service name: `STORAGE`, `IAM`.
    pub endpoints: BTreeMap<String, String>,
    /// The address of an emulator of Cloud Storage: a URL, or a host and port.
    pub storage_emulator: Option<String>,
    /// The access to the clusters that pipelines refer to, by the names in the pipelines.
    pub clusters: BTreeMap<String, Mapped>,
    /// The endpoint of clusters of GKE.
    pub gke_endpoint: Endpoint,
    /// Docker's configuration on this machine, with its credentials for registries.
    pub docker: Option<Docker>,
    /// The sandbox that replaces Google Cloud.
    pub sandbox: Option<Sandboxed>,
    /// The identity of the CI job that this process is, instead of Application Default Credentials.
    /// A sandbox has its own callers.
    pub job: Option<JobIdentity>,
    /// Gets each token before it is sent, so that the token is masked in all logs.
    pub known_to: Option<Arc<Masks>>,
}

/// A sandbox and one of its callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandboxed {
    /// The scenario of the sandbox.
    pub scenario: String,
    /// The caller.
    pub caller: String,
    /// The default caller.
    pub usual_caller: &'static str,
    /// The path of the caller's credentials.
    pub credentials: PathBuf,
}

/// The clients of one run.
#[derive(Debug, Clone)]
pub struct Clients {
    pub(crate) storage: Arc<Storage>,
    pub(crate) google: ControlPlane,
    pub(crate) registry: Arc<Registry>,
    pub(crate) clusters: Arc<Clusters>,
    pub(crate) identity: Arc<Identity>,
}

impl Cloud {
    /// Returns the sandbox's scenario.
    pub fn scenario(&self) -> Option<&str> {
        let sandbox = self.sandbox.as_ref()?;
        Some(&sandbox.scenario)
    }

    /// Returns the sandbox's caller, if it is not the default one.
    pub fn caller(&self) -> Option<&str> {
        let sandbox = self.sandbox.as_ref()?;
        (sandbox.caller != sandbox.usual_caller).then_some(&sandbox.caller)
    }

    pub(crate) fn usual_caller(&self) -> &str {
        let sandbox = self.sandbox.as_ref();
        sandbox.map_or("", |sandbox| sandbox.usual_caller)
    }

    /// Creates the clients. No calls are made yet.
    pub fn clients(&self) -> Result<Clients, Failure> {
        let mut endpoints = Endpoints::default();
        for (name, url) in &self.endpoints {
            set(&mut endpoints, name, url)?;
        }
        if let Some(host) = &self.storage_emulator {
            endpoints.set_storage_emulator(emulator(host)?);
        }
        let endpoints = Arc::new(endpoints);
        let credentials = match (&self.sandbox, &self.job) {
            (None, None) => Credentials::default(),
            (None, Some(job)) => {
                let masks = self.known_to.clone().unwrap_or_default();
                let (variables, clock) = (Variables::of_this_process(), Clock::default());
                Credentials::of_job(Federation::new(
                    job.clone(),
                    variables,
                    Arc::clone(&endpoints),
                    masks,
                    clock,
                ))
            }
            (Some(sandbox), _) => {
                let path = &sandbox.credentials;
                Credentials::external_account(read(path)?).found_at(path)
            }
        };
        let credentials = match &self.known_to {
            None => credentials,
            Some(masks) => credentials.known_to(Arc::clone(masks)),
        };
        let credentials = Arc::new(credentials);
        let google = ControlPlane::new(Arc::clone(&endpoints), Arc::clone(&credentials));
        let names = self.clusters.clone();
        let clusters = Clusters::new(Arc::new(google.clone()), Arc::clone(&credentials), names);
        let clusters = Arc::new(clusters.with_endpoint(self.gke_endpoint));
        Ok(Clients {
            identity: Arc::new(Identity::new(
                google.clone(),
                clusters.clone(),
                Arc::clone(&credentials),
                Variables::of_this_process(),
            )),
            google,
            registry: Arc::new(
                Registry::new(Arc::clone(&endpoints), Arc::clone(&credentials))
                    .with_docker(self.docker.clone()),
            ),
            storage: Arc::new(Storage::new(endpoints, credentials)),
            clusters,
        })
    }
}

fn set(endpoints: &mut Endpoints, name: &str, url: &str) -> Result<(), Failure> {
    let wrong = |why: String| {
        Failure::new(
            Class::InvalidInput,
            codes::settings::ENDPOINT,
            Owner::Operator,
            format!("the endpoint {name} is set to `{url}`: {why}"),
        )
    };
    let service: Service = name.parse().map_err(|e| wrong(format!("{e}")))?;
    let url: Url = url.parse().map_err(|e| wrong(format!("{e}")))?;
    endpoints.set(service, url);
    Ok(())
}

/// Parses `STORAGE_EMULATOR_HOST`: a URL, or a host and port, as Google's clients accept it.
fn emulator(host: &str) -> Result<Url, Failure> {
    let text = if host.contains("://") {
        host.to_owned()
    } else {
        format!("http://{host}")
    };
    text.parse().map_err(|error| {
        Failure::new(
            Class::InvalidInput,
            codes::settings::ENDPOINT,
            Owner::Operator,
            format!("STORAGE_EMULATOR_HOST is `{host}`, which is not a valid address: {error}"),
        )
    })
}

fn read(credentials: &Path) -> Result<serde_json::Value, Failure> {
    std::fs::read(credentials)
        .map_err(|error| error.to_string())
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
        .map_err(|why| {
            Failure::new(
                Class::Failed,
                codes::sandbox::UNUSABLE,
                Owner::Operator,
                format!(
                    "the sandbox's credentials in {} can't be read: {why}",
                    credentials.display()
                ),
            )
            .with_help("reset the sandbox:")
            .with_help(Command::fixed(&["sidestep", "sandbox", "reset"]))
        })
}
