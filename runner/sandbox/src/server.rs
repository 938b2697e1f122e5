//! The process: all servers of one scenario, until it is stopped or idle.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use sidestep_evaluator::Evaluator;
use sidestep_sandbox_base::names;
use sidestep_sandbox_google::metadata::node_router;
use sidestep_sandbox_google::{Api, Cloud, Scenario, by_host, ci, router};
use sidestep_sandbox_identity::{Access, Clock, Identity};
use sidestep_sandbox_tls::Authority;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::activity::Activity;
use crate::backends::{Pushed, cluster_config, first_cluster, registry, storage};
use crate::behind::Behind;
use crate::callers::{SignIn, files};
use crate::front;
use crate::installed::take_back;
use crate::listeners::{CI, Listeners, ports};
use crate::live::{Held, Live, Places, hold, make_private, process_start, read, write};
use crate::memory::Memory;
use crate::name::Name;
use crate::own::Own;
use crate::pods::LocalImages;
use crate::reach::ForPods;
use crate::users::{UserCluster, Users};
use crate::{CallerFiles, SandboxError};

/// The options of a served sandbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// The sandbox's folders and files.
    pub places: Places,
    /// The initial state of a new sandbox.
    pub scenario: Scenario,
    /// The program, which runs the pods' kaniko with `sandbox kaniko`.
    pub program: PathBuf,
    /// The images whose commands the sandbox's own cluster runs as processes of this machine.
    pub images: LocalImages,
    /// The time without a request or a running pod after which it ends; `None` means never.
    pub idle: Option<Duration>,
    /// The caller whose files are passed to `ready`; `None` means the developer.
    pub caller: Option<String>,
    /// The user's cluster, in place of the sandbox's own.
    pub cluster: Option<UserCluster>,
    /// The image of the relays in the user's cluster: the runner's own.
    pub relay_image: String,
    /// Decides the conditions of IAM policies.
    pub evaluator: Arc<dyn Evaluator>,
}

impl Options {
    /// Returns the sandbox's name.
    fn name(&self) -> String {
        let name = Name {
            scenario: self.scenario.name.clone(),
            context: self.cluster.as_ref().map(|named| named.context.clone()),
        };
        name.to_string()
    }
}

/// Serves a sandbox until `stop` or until it has been idle for long enough. Calls `ready` once
/// every server responds, and `changed` when pods of the user's cluster no longer reach it.
///
/// # Errors
/// If another process serves it, a server cannot be set up, or the caller `options.caller` does not
/// exist.
pub async fn serve(
    options: Options,
    stop: CancellationToken,
    ready: impl FnOnce(&Live, &CallerFiles),
    changed: impl FnMut(&Live),
) -> Result<(), SandboxError> {
    let places = &options.places;
    let Some(held) = take_hold(places).await? else {
        let pid = read::<Live>(&places.live())?.map_or(0, |live| live.pid);
        return Err(SandboxError::Busy {
            scenario: options.name(),
            pid,
        });
    };
    // That of an ended process, whose id may be another one's.
    remove_description(places)?;
    let served = serve_held(&options, &held, stop, (ready, changed)).await;
    finish(places, &held, served).await
}

/// Ends a sandbox, or a start that failed at whatever step.
pub(crate) async fn finish(
    places: &Places,
    held: &Held,
    served: Result<(), SandboxError>,
) -> Result<(), SandboxError> {
    let taken_back = take_back(places, held).await;
    // Other processes then find no live sandbox; the lock is released when this process ends.
    let removed = remove_description(places);
    match (served, taken_back) {
        (Ok(()), Ok(_)) => removed,
        (Ok(()), Err(left)) => Err(left),
        (Err(error), Ok(_)) => Err(error),
        (Err(error), Err(left)) => {
            // The record stays, so `status` and `stop` report it too.
            tracing::error!("{left}");
            Err(error)
        }
    }
}

fn remove_description(places: &Places) -> Result<(), SandboxError> {
    let path = places.live();
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(SandboxError::state(&path)(error)),
        _ => Ok(()),
    }
}

/// Serves a sandbox whose lock this process holds.
async fn serve_held(
    options: &Options,
    held: &Held,
    stop: CancellationToken,
    (ready, mut changed): (impl FnOnce(&Live, &CallerFiles), impl FnMut(&Live)),
) -> Result<(), SandboxError> {
    let places = &options.places;
    if options.cluster.is_some() && options.scenario.needs_own_cluster() {
        return Err(SandboxError::NeedsOwnCluster(options.scenario.name.clone()));
    }
    let seed = options
        .scenario
        .seed()
        .map_err(|error| SandboxError::setup("scenario", error))?;
    let mut listeners = ports(places).await?;
    let endpoints = listeners.endpoints();
    let activity = Activity::new();

    let memory = Memory::new(places);
    let (identity_state, google_state) = memory.recall(&seed)?;
    let identity = Identity::new(
        identity_state,
        Clock::system(),
        Arc::clone(&options.evaluator),
    );
    let access: Arc<dyn Access> = Arc::new(identity.clone());
    let cluster_name = first_cluster(&seed)?;
    let behind = match &options.cluster {
        Some(named) => {
            Behind::Users(Users::open(places, named, &options.relay_image, &cluster_name).await?)
        }
        None => {
            let config = cluster_config(places, &cluster_name, &seed, &options.scenario)?;
            let access = Arc::clone(&access);
            let own = Own::open(
                options,
                &cluster_name,
                &seed,
                config,
                access,
                &mut listeners,
            )?;
            Behind::Own(own)
        }
    };
    let behind = Arc::new(behind);
    let cloud = Cloud::new(identity.clone(), google_state, behind.clusters());
    cloud.describe_cluster(&cluster_name);
    let sts = endpoints.get("STS").cloned().unwrap_or_default();
    cloud.set_token_uri(&format!("{sts}/token"));

    let storage = storage(places, &seed, &access)?;
    let registry = registry(places, &cloud, &access)?;
    cloud.set_images(Arc::new(Pushed(registry.clone())));
    if let Some(port) = listeners.port("STORAGE") {
        storage.set_http_port(port);
    }
    if let Some(port) = listeners.port("REGISTRY") {
        registry.set_http_port(port);
    }
    let sign_in = SignIn {
        places: places.clone(),
        identity: identity.clone(),
        behind: Arc::clone(&behind),
        developer: seed.developer.clone(),
        sts,
    };
    let callers = sign_in.everybody()?;
    let caller = files(places, options.caller.as_deref())?;
    memory.keep(&identity, &cloud)?;
    tokio::spawn(memory.clone().follow(identity.clone(), cloud.clone()));
    tokio::spawn(sign_in.follow(callers));

    for (name, router) in routers(&cloud, storage.router(), registry.router()) {
        let (listener, _) = listeners.take(name)?;
        let router = activity.watched(router);
        spawn(name, async move { axum::serve(listener, router).await });
    }
    let ci = serve_ci(places, &cloud, &activity, &mut listeners)?;
    behind.serve(&activity);
    let names = front::Backends {
        google: by_host(&cloud),
        storage: storage.router(),
        registry: registry.router(),
        cluster: front::behind(&cloud, behind.router()),
    };
    let router = activity.watched(names.router());
    let (google, authority) = google_names(places, &mut listeners, router.clone())?;

    // A pod from an earlier process starts only now, when every server responds.
    behind.begin(&cloud);
    let for_pods = ForPods {
        metadata: activity.watched(node_router(&cloud)),
        names: router,
        authority: &authority,
    };
    behind.open_to_pods(for_pods, (places, held)).await;

    let mut changes = behind.changes();
    let mut live = Live {
        scenario: options.name(),
        pid: std::process::id(),
        process_start: process_start(std::process::id()),
        endpoints,
        kubernetes: behind.url(),
        google,
        ci,
        cluster: behind.live(),
        images: options.images.repositories(),
        moved: std::mem::take(&mut listeners.moved),
    };
    let described = live.describe(places);
    if described.is_ok() {
        ready(&live, &caller);
        let mut idle = pin!(activity.idle(options.idle, &behind));
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = &mut idle => break,
                () = changed_again(&mut changes) => {
                    live.cluster = behind.live();
                    if let Err(error) = live.describe(places) {
                        tracing::error!(%error, "the sandbox's description is out of date");
                    }
                    changed(&live);
                }
            }
        }
    }
    behind.close();
    described.and(memory.keep(&identity, &cloud))
}

/// Waits for a change; for ever if there is never one.
async fn changed_again(changes: &mut Option<watch::Receiver<u64>>) {
    let changed = match changes {
        Some(changes) => changes.changed().await.is_ok(),
        None => false,
    };
    if !changed {
        std::future::pending::<()>().await;
    }
}

/// Acquires the lock. Processes that check whether a sandbox is live hold it briefly, so it is
/// retried for a while.
async fn take_hold(places: &Places) -> Result<Option<Held>, SandboxError> {
    for _ in 0..20 {
        if let Some(held) = hold(places)? {
            return Ok(Some(held));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(None)
}

/// Returns the routers of every server with plain HTTP, by endpoint name.
fn routers(cloud: &Cloud, storage: Router, registry: Router) -> Vec<(&'static str, Router)> {
    let apis = Api::ALL.iter();
    apis.map(|api| (api.endpoint_name(), router(cloud, *api)))
        .chain([("STORAGE", storage), ("REGISTRY", registry)])
        .collect()
}

/// Serves the CI systems, and writes the token of their jobs. Returns the address.
fn serve_ci(
    places: &Places,
    cloud: &Cloud,
    activity: &Activity,
    listeners: &mut Listeners,
) -> Result<String, SandboxError> {
    let token = cloud.identity().mint_subject(ci::JOB);
    write(&places.job_token(), token.secret.as_bytes())?;
    let (listener, address) = listeners.take(CI)?;
    let router = activity.watched(ci::router(cloud));
    spawn(CI, async move { axum::serve(listener, router).await });
    Ok(format!("http://{address}"))
}

/// Serves everything under Google's own names too, and returns the address and the authority.
fn google_names(
    places: &Places,
    listeners: &mut Listeners,
    router: Router,
) -> Result<(String, Authority), SandboxError> {
    let unusable = |error| SandboxError::setup("authority", error);
    let folder = places.authority();
    let folder = folder.parent().unwrap_or(&places.dir);
    make_private(folder)?;
    let domains = names::DOMAINS.map(|(domain, _)| domain);
    let authority = Authority::open(folder, "sidestep sandbox", &domains).map_err(unusable)?;
    let (listener, address) = listeners.take("GOOGLE")?;
    let listener = front::listen(listener, &authority, None).map_err(unusable)?;
    spawn("GOOGLE", async move { axum::serve(listener, router).await });
    Ok((address, authority))
}

pub(crate) fn spawn(
    name: &'static str,
    server: impl Future<Output = std::io::Result<()>> + Send + 'static,
) {
    tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, name, "a server of the sandbox ended");
        }
    });
}
