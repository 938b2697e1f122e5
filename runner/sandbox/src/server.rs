//! The process: all servers of one scenario, until they are told to end or nobody calls any more.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use base64::Engine as _;
use serde_json::Value;
use sidestep_sandbox_google::{
    Api, Cloud, Clusters, PodSubject, Scenario, Seed, TokenRefused, developer_credentials, router,
};
use sidestep_sandbox_identity::{Access, Clock, DEVELOPER_LIFETIME, Identity, Resource};
use sidestep_sandbox_kubernetes::{Config, Faults, Kubernetes, service_account};
use sidestep_sandbox_registry::Registry;
use sidestep_sandbox_storage::{Seed as BucketSeed, Storage};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::SandboxError;
use crate::listeners;
use crate::live::{Live, Places, hold, read, write};
use crate::memory::Memory;
use crate::pods::Pods;

/// How a sandbox is served.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it keeps things.
    pub places: Places,
    /// What it starts as, where it is new.
    pub scenario: Scenario,
    /// The program whose `sandbox kaniko` is the pods' kaniko.
    pub program: PathBuf,
    /// After how long without a call and a running pod it ends; never if none.
    pub idle: Option<Duration>,
}

/// Serves a sandbox until `stop` or until it has been idle for long enough; `ready` is told once
/// every server answers.
///
/// # Errors
/// When another process serves it, or a server can't be set up.
pub async fn serve(
    options: Options,
    stop: CancellationToken,
    ready: impl FnOnce(&Live),
) -> Result<(), SandboxError> {
    let places = &options.places;
    let Some(_held) = hold(places)? else {
        let pid = read::<Live>(&places.live())?.map_or(0, |live| live.pid);
        return Err(SandboxError::Busy {
            scenario: options.scenario.name.clone(),
            pid,
        });
    };
    let seed = options
        .scenario
        .seed()
        .map_err(|error| SandboxError::setup("scenario", error))?;
    let mut names: Vec<&'static str> = Api::ALL.iter().map(|api| api.endpoint_name()).collect();
    names.extend(["STORAGE", "REGISTRY", "KUBERNETES"]);
    let mut listeners = listeners::open(places, &names).await?;
    let endpoints = endpoints(&listeners)?;
    let activity = Activity::new();

    let memory = Memory::new(places);
    let (identity_state, google_state) = memory.recall(&seed)?;
    let identity = Identity::new(identity_state, Clock::system());
    let access: Arc<dyn Access> = Arc::new(identity.clone());
    let cluster_name = seed
        .clusters
        .keys()
        .next()
        .cloned()
        .ok_or_else(|| SandboxError::setup("scenario", "it has no cluster"))?;
    let pods = Arc::new(Pods {
        program: options.program.clone(),
        cluster: cluster_name.clone(),
        endpoints: endpoints
            .iter()
            .map(|(name, url)| (format!("SIDESTEP_ENDPOINT_{name}"), url.clone()))
            .collect(),
        kubernetes: OnceLock::new(),
        cloud: OnceLock::new(),
        running: AtomicUsize::new(0),
    });
    let config = cluster_config(places, &cluster_name, &seed, &options.scenario)?;
    let kubernetes = Kubernetes::open(config, Arc::clone(&access), Arc::clone(&pods) as _)
        .map_err(|error| SandboxError::setup("Kubernetes", error))?;
    let kubernetes = Arc::new(kubernetes);
    // Set once, right here, and before the cloud, without which no pod asks for it.
    let _ = pods.kubernetes.set(Arc::downgrade(&kubernetes));
    let cloud = Cloud::new(
        identity.clone(),
        google_state,
        Arc::new(OneCluster(Arc::clone(&kubernetes))),
    );
    // Set once, right here.
    let _ = pods.cloud.set(cloud.clone());
    if let Some(sts) = endpoints.get("STS") {
        cloud.set_token_uri(&format!("{sts}/token"));
    }

    let storage = storage(places, &seed, &access)?;
    let registry = registry(places, &cloud, &access)?;
    let api_server = take(&mut listeners, "KUBERNETES")?;
    let api_server_address = address(&api_server)?;
    let authority = base64::engine::general_purpose::STANDARD.encode(kubernetes.ca_pem());
    cloud.set_cluster_endpoint(&cluster_name, &api_server_address, &authority);
    developer(
        places,
        &identity,
        &seed,
        &kubernetes,
        &api_server_address,
        &endpoints,
    )?;
    memory.keep(&identity, &cloud)?;
    tokio::spawn(memory.clone().follow(identity.clone(), cloud.clone()));

    let mut routers: Vec<(&'static str, Router)> = Api::ALL
        .iter()
        .map(|api| (api.endpoint_name(), router(&cloud, *api)))
        .collect();
    for (name, set_port) in [
        ("STORAGE", &storage as &dyn HttpPort),
        ("REGISTRY", &registry),
    ] {
        if let Some(listener) = listeners.get(name) {
            set_port.set(
                listener
                    .local_addr()
                    .map_err(|e| SandboxError::setup(name, e))?
                    .port(),
            );
        }
    }
    routers.push(("STORAGE", storage.router()));
    routers.push(("REGISTRY", registry.router()));
    for (name, router) in routers {
        let listener = take(&mut listeners, name)?;
        let router = watched(router, &activity);
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, name, "a server of the sandbox ended");
            }
        });
    }
    let serving = Arc::clone(&kubernetes);
    tokio::spawn(async move {
        if let Err(error) = serving.serve_tls(api_server).await {
            tracing::error!(%error, "the sandbox's Kubernetes ended");
        }
    });

    let live = Live {
        scenario: options.scenario.name.clone(),
        pid: std::process::id(),
        endpoints,
        kubernetes: format!("https://{api_server_address}"),
    };
    let text = serde_json::to_vec_pretty(&live).unwrap_or_default();
    write(&places.live(), &text)?;
    ready(&live);
    tokio::select! {
        () = stop.cancelled() => {}
        () = activity.idle(options.idle, &pods) => {}
    }
    kubernetes.close();
    memory.keep(&identity, &cloud)?;
    // Whoever looks next finds no live one; the lock goes with this process.
    let _ = std::fs::remove_file(places.live());
    Ok(())
}

fn endpoints(
    listeners: &BTreeMap<&'static str, TcpListener>,
) -> Result<BTreeMap<String, String>, SandboxError> {
    let mut endpoints = BTreeMap::new();
    for (name, listener) in listeners {
        if *name != "KUBERNETES" {
            endpoints.insert((*name).to_owned(), format!("http://{}", address(listener)?));
        }
    }
    Ok(endpoints)
}

fn address(listener: &TcpListener) -> Result<String, SandboxError> {
    let address = listener
        .local_addr()
        .map_err(|error| SandboxError::setup("ports", error))?;
    Ok(address.to_string())
}

fn take(
    listeners: &mut BTreeMap<&'static str, TcpListener>,
    name: &'static str,
) -> Result<TcpListener, SandboxError> {
    listeners
        .remove(name)
        .ok_or_else(|| SandboxError::setup(name, "it has no port"))
}

fn cluster_config(
    places: &Places,
    cluster: &str,
    seed: &Seed,
    scenario: &Scenario,
) -> Result<Config, SandboxError> {
    let parts: Vec<&str> = cluster.split('/').collect();
    let ["projects", project, "locations", location, "clusters", name] = parts[..] else {
        return Err(SandboxError::setup(
            "scenario",
            format!("`{cluster}` is no cluster's name"),
        ));
    };
    let mut config = Config::new(places.dir.join("kubernetes"), project, location, name);
    // The seed says which service accounts there are; node and namespace are as ever.
    config
        .seed
        .retain(|object| object["kind"] != "ServiceAccount");
    for (namespace, accounts) in &seed.kubernetes {
        for (name, account) in accounts {
            let mut object = service_account(namespace, name, None);
            for (key, value) in &account.annotations {
                object["metadata"]["annotations"][key] = Value::from(value.as_str());
            }
            config.seed.push(object);
        }
    }
    if !scenario.faults.is_null() {
        config.faults = serde_json::from_value::<Faults>(scenario.faults.clone())
            .map_err(|error| SandboxError::setup("scenario", error))?;
    }
    Ok(config)
}

fn storage(
    places: &Places,
    seed: &Seed,
    access: &Arc<dyn Access>,
) -> Result<Storage, SandboxError> {
    let storage = Storage::open(&places.dir.join("storage"), Arc::clone(access))
        .map_err(|error| SandboxError::setup("Cloud Storage", error))?;
    for (name, bucket) in &seed.buckets {
        let seed = BucketSeed {
            name: name.clone(),
            project: bucket.project.clone(),
            location: bucket.location.clone(),
            uniform_access: bucket.uniform_bucket_level_access,
        };
        storage
            .seed(&seed)
            .map_err(|error| SandboxError::setup("Cloud Storage", error))?;
    }
    Ok(storage)
}

fn registry(
    places: &Places,
    cloud: &Cloud,
    access: &Arc<dyn Access>,
) -> Result<Registry, SandboxError> {
    let known = cloud.clone();
    let exists = move |resource: &Resource| match resource {
        Resource::Repository {
            project,
            location,
            name,
        } => known.repository(project, location, name).is_some(),
        _ => false,
    };
    Registry::open(
        &places.dir.join("registry"),
        Arc::clone(access),
        Arc::new(exists),
    )
    .map_err(|error| SandboxError::setup("registry", error))
}

/// The files by which the developer signs in: to Google's libraries, to gcloud, to kubectl.
fn developer(
    places: &Places,
    identity: &Identity,
    seed: &Seed,
    kubernetes: &Kubernetes,
    api_server: &str,
    endpoints: &BTreeMap<String, String>,
) -> Result<(), SandboxError> {
    let subject = places.dir.join("subject-token");
    write(
        &subject,
        identity.mint_subject(&seed.developer).secret.as_bytes(),
    )?;
    let sts = endpoints.get("STS").map(String::as_str).unwrap_or_default();
    let mut credentials = developer_credentials(sts, &subject);
    // Whose they are, as gcloud notes it in its own.
    if let Some(email) = seed.developer.strip_prefix("user:") {
        credentials["account"] = email.into();
    }
    write(&places.credentials(), credentials.to_string().as_bytes())?;
    let token = identity
        .mint_for(&seed.developer, DEVELOPER_LIFETIME)
        .secret;
    write(&places.access_token(), token.as_bytes())?;
    let kubeconfig = kubernetes.kubeconfig(&format!("https://{api_server}"), &token, "builds");
    write(&places.kubeconfig(), kubeconfig.as_bytes())
}

/// Google's side asks the one cluster that there is.
pub(crate) struct OneCluster(pub(crate) Arc<Kubernetes>);

impl Clusters for OneCluster {
    fn verify_token(&self, jwt: &str, audience: &str) -> Result<PodSubject, TokenRefused> {
        match self.0.verify_token(jwt, audience) {
            Ok(subject) => Ok(PodSubject {
                namespace: subject.namespace,
                service_account: subject.name,
                uid: subject.uid,
            }),
            Err(error) => Err(TokenRefused(error.to_string())),
        }
    }

    fn service_account_annotation(
        &self,
        namespace: &str,
        name: &str,
        key: &str,
    ) -> Option<Option<String>> {
        let annotations = self.0.service_account(namespace, name)?;
        Some(annotations.get(key).cloned())
    }
}

/// Servers that write their own address into answers.
trait HttpPort {
    fn set(&self, port: u16);
}

impl HttpPort for Storage {
    fn set(&self, port: u16) {
        self.set_http_port(port);
    }
}

impl HttpPort for Registry {
    fn set(&self, port: u16) {
        self.set_http_port(port);
    }
}

/// When somebody last called.
#[derive(Clone)]
struct Activity {
    began: Instant,
    last: Arc<AtomicU64>,
}

impl Activity {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            last: Arc::new(AtomicU64::new(0)),
        }
    }

    fn touch(&self) {
        self.last
            .store(self.began.elapsed().as_secs(), Ordering::Relaxed);
    }

    /// Resolves once nobody has called, and no pod has run, for that long.
    async fn idle(&self, limit: Option<Duration>, pods: &Pods) {
        let Some(limit) = limit else {
            return std::future::pending().await;
        };
        let mut look = tokio::time::interval(limit.div_f64(30.0).max(Duration::from_millis(100)));
        loop {
            look.tick().await;
            if pods.running.load(Ordering::Relaxed) > 0 {
                self.touch();
            }
            let last = Duration::from_secs(self.last.load(Ordering::Relaxed));
            if self.began.elapsed().saturating_sub(last) > limit {
                return;
            }
        }
    }
}

fn watched(router: Router, activity: &Activity) -> Router {
    let activity = activity.clone();
    router.layer(middleware::from_fn(move |request: Request, next: Next| {
        activity.touch();
        next.run(request)
    }))
}
