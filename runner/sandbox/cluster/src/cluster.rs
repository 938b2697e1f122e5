//! The cluster.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1;
use kube::Api;
use kube::api::ListParams;
use sidestep_sandbox_base::Watched;
use tokio_util::sync::DropGuard;

use crate::callers::{self, Caller, NoCaller};
use crate::clouds;
use crate::connect::{Connection, causes, connect, kubeconfig_of};
use crate::error::ClusterError;
use crate::keys::Keys;
use crate::objects::{Pod, ServiceAccount, Stage};
use crate::rights::{self, Namespaces};
use crate::server::Server;
use crate::state::State;
use crate::tokens::{self, Rejected, Subject};
use crate::watch;

/// The time that a pod's first request waits until the pod's address is known.
const PATIENCE: Duration = Duration::from_secs(5);
/// The age from which the API server has to confirm a pod again.
const OLDEST: Duration = Duration::from_secs(2);
/// The time after which the API server is asked again about a pod that it did not confirm.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// The timeout for the first lists.
const FIRST_LISTS: Duration = Duration::from_secs(30);

/// The API server of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiServer {
    /// The host and port, without a scheme.
    pub address: String,
    /// The certificate authorities, PEM; empty if none are configured.
    pub authority: String,
    /// The version, such as `v1.36.3`.
    pub version: String,
}

/// The check of tokens.
#[derive(Debug)]
enum Check {
    /// By the API server.
    Reviews,
    /// By its public keys, since reviews are forbidden.
    Keys(Keys),
}

/// Returns a client for the cluster of a context of these kubeconfig files, and the cluster that the
/// context means now.
///
/// # Errors
/// If the context cannot be used.
pub async fn client(
    files: &[PathBuf],
    context: &str,
) -> Result<(kube::Client, Server), ClusterError> {
    let connection = connect(kubeconfig_of(files).await?, context).await?;
    let server = Server::of(&connection).await;
    Ok((connection.client, server))
}

/// A cluster of the user's. Dropping it ends its watches.
pub struct RealCluster {
    connection: Connection,
    check: Check,
    namespaces: Namespaces,
    state: Arc<Watched<State>>,
    /// The uids of the pods that have asked for their identity, and the last time at which the API
    /// server confirmed each.
    served: Mutex<BTreeMap<String, Instant>>,
    pub(crate) patience: Duration,
    _watches: DropGuard,
}

impl std::fmt::Debug for RealCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RealCluster")
            .field("context", &self.connection.context)
            .finish_non_exhaustive()
    }
}

impl RealCluster {
    /// Connects to the cluster of a context of these kubeconfig files, and watches the namespaces.
    ///
    /// # Errors
    /// If the context cannot be used, its user lacks permissions, or the nodes have a metadata
    /// server already.
    pub async fn open(
        files: &[PathBuf],
        context: &str,
        namespaces: &Namespaces,
    ) -> Result<Self, ClusterError> {
        let kubeconfig = kubeconfig_of(files).await?;
        Self::of(connect(kubeconfig, context).await?, namespaces).await
    }

    pub(crate) async fn of(
        connection: Connection,
        namespaces: &Namespaces,
    ) -> Result<Self, ClusterError> {
        let client = &connection.client;
        let refused = |what| {
            let connection = connection.clone();
            move |error| connection.refused(what, error)
        };
        let mut needed = rights::watches(namespaces);
        needed.push(rights::reviews());
        let mut missing = rights::missing(client, needed)
            .await
            .map_err(refused("review permissions"))?;
        let mut check = Check::Reviews;
        if missing == [rights::reviews()] {
            // Without them too, the right to reviews is the one to ask for.
            if let Ok(keys) = Keys::read(client).await {
                check = Check::Keys(keys);
                missing.clear();
            }
        }
        if !missing.is_empty() {
            return Err(ClusterError::Rights {
                context: connection.context.clone(),
                user: rights::user(client).await,
                missing,
                namespaces: namespaces.clone(),
            });
        }
        let nodes: Api<v1::Node> = Api::all(client.clone());
        let nodes = nodes.list(&ListParams::default()).await;
        let nodes = nodes.map_err(refused("list nodes"))?;
        if let Some(found) = clouds::of_nodes(&nodes.items) {
            return Err(ClusterError::OtherMetadataServer {
                context: connection.context.clone(),
                node: found.node,
                cloud: found.cloud,
                evidence: found.evidence,
            });
        }
        let (state, watches) = watch::start(client, namespaces);
        let cluster = Self {
            connection,
            check,
            namespaces: namespaces.clone(),
            state,
            served: Mutex::default(),
            patience: PATIENCE,
            _watches: watches,
        };
        let current = cluster.until(|state| state.is_current().then_some(()));
        if tokio::time::timeout(FIRST_LISTS, current).await.is_err() {
            return Err(ClusterError::Unreachable {
                context: cluster.connection.context.clone(),
                server: cluster.connection.server.clone(),
                why: format!(
                    "its objects were not listed within {} s",
                    FIRST_LISTS.as_secs()
                ),
            });
        }
        Ok(cluster)
    }

    /// Returns the client of the API server.
    pub fn client(&self) -> &kube::Client {
        &self.connection.client
    }

    /// Returns what tells the cluster from others.
    pub async fn server(&self) -> Server {
        Server::of(&self.connection).await
    }

    /// Returns the API server.
    pub fn api_server(&self) -> ApiServer {
        ApiServer {
            address: self.connection.server.clone(),
            authority: self.connection.authority.clone(),
            version: self.connection.version.clone(),
        }
    }

    /// Returns whether the API server checks tokens. Otherwise its public keys do, since the
    /// context's user may not create reviews.
    pub fn has_reviews(&self) -> bool {
        matches!(self.check, Check::Reviews)
    }

    /// Checks a service-account token for an audience.
    ///
    /// # Errors
    /// If the token is not valid, or its account was deleted.
    pub async fn verify_token(&self, token: &str, audience: &str) -> Result<Subject, Rejected> {
        let subject = match &self.check {
            Check::Keys(keys) => {
                let signed = keys.verify(token, audience)?;
                // The account and the pod may be newer than the watched state.
                let exists = self.until(|state| signed.exists(state).ok());
                return match tokio::time::timeout(self.patience, exists).await {
                    Ok(subject) => Ok(subject),
                    Err(_) => self.state.read(|state| signed.exists(state)),
                };
            }
            Check::Reviews => tokens::review(&self.connection.client, token, audience).await?,
        };
        if !self.namespaces.include(&subject.namespace) {
            return Ok(subject);
        }
        // The API server answers the same token from a cache for 10 s, whatever became of the
        // account. The account may also be newer than the watched state.
        let exists = self.until(|state| {
            let account = state.account(&subject.namespace, &subject.name)?;
            (account.uid == subject.uid).then_some(())
        });
        match tokio::time::timeout(self.patience, exists).await {
            Ok(()) => Ok(subject),
            Err(_) => Err(Rejected(
                "the token's service account was deleted".to_owned(),
            )),
        }
    }

    /// Returns the number of running pods that have asked for their identity.
    pub fn running(&self) -> usize {
        let served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        self.state.read(|state| {
            let runs = |pod: &&Pod| pod.stage != Stage::Ended && served.contains_key(&pod.uid);
            state.pods().filter(runs).count()
        })
    }

    /// Returns a service account; `None` if it does not exist.
    pub fn service_account(&self, namespace: &str, name: &str) -> Option<ServiceAccount> {
        self.state
            .read(|state| state.account(namespace, name).cloned())
    }

    /// Returns the caller at an address, which is a pod of `node` if that is known. Waits for a while
    /// if the caller is not known yet.
    ///
    /// # Errors
    /// If no pod, or not exactly one, has the address, or the API server does not confirm it.
    pub async fn caller(&self, source: IpAddr, node: Option<&str>) -> Result<Caller, NoCaller> {
        match tokio::time::timeout(self.patience, self.confirmed(source, node)).await {
            Ok(caller) => Ok(caller),
            Err(_) => match self.state.read(|state| callers::find(state, source, node)) {
                Err(none) => Err(none),
                Ok(_) => Err(NoCaller::NotYet),
            },
        }
    }

    /// Returns the caller at an address, once the watched state has one and the API server confirms
    /// it. A connection that is cut silently leaves the state as it was for some time.
    async fn confirmed(&self, source: IpAddr, node: Option<&str>) -> Caller {
        let mut changes = self.state.changes();
        loop {
            let find = || {
                self.state
                    .read(|state| callers::find(state, source, node).ok())
            };
            if let Some(caller) = find()
                && self.confirms(&caller).await
                // The answer took a while.
                && find().as_ref() == Some(&caller)
            {
                return caller;
            }
            tokio::select! {
                _ = changes.changed() => {}
                () = tokio::time::sleep(ASK_AGAIN) => {}
            }
        }
    }

    /// Returns whether a pod is now as the watched state has it, or was some time ago.
    async fn confirms(&self, caller: &Caller) -> bool {
        let Caller::Pod {
            uid,
            namespace,
            name,
            ..
        } = caller
        else {
            return true;
        };
        let served = || self.served.lock().unwrap_or_else(PoisonError::into_inner);
        let known = served().get(uid).copied();
        if known.is_some_and(|confirmed| confirmed.elapsed() < OLDEST) {
            return true;
        }
        let asked = Instant::now();
        // A list of one needs no right besides those of the watches. Without a version, the API
        // server answers with the latest state.
        let only = ListParams::default().fields(&format!("metadata.name={name}"));
        let pods: Api<v1::Pod> = Api::namespaced(self.connection.client.clone(), namespace);
        let now = match pods.list(&only).await {
            Ok(now) => now.items,
            Err(error) => {
                tracing::warn!(%error, "the cluster could not be asked for a pod");
                return false;
            }
        };
        let now: Vec<Pod> = now.iter().map(Pod::read).collect();
        let is_same = self.state.read(|state| {
            let mut watched = state.pods().filter(|pod| pod.uid == *uid);
            watched.any(|pod| now.contains(pod))
        });
        if is_same {
            let mut served = served();
            self.state
                .read(|state| served.retain(|uid, _| state.has_pod(uid)));
            served.insert(uid.clone(), asked);
        }
        is_same
    }

    #[cfg(test)]
    pub(crate) fn now<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        self.state.read(look)
    }

    /// Waits until the state has an answer.
    pub(crate) async fn until<T>(&self, look: impl Fn(&State) -> Option<T>) -> T {
        let mut changes = self.state.changes();
        loop {
            if let Some(found) = self.state.read(&look) {
                return found;
            }
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Connection {
    fn refused(self, what: &'static str, error: kube::Error) -> ClusterError {
        let (context, server) = (self.context, self.server);
        match error {
            kube::Error::Api(status) => ClusterError::Refused {
                context,
                server,
                what,
                why: status.message.clone(),
            },
            error => ClusterError::Unreachable {
                context,
                server,
                why: causes(&error),
            },
        }
    }
}
