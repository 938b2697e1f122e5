//! A cluster of the user's, in place of the sandbox's own.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sidestep_sandbox_base::Watched;
use sidestep_sandbox_cluster::{Caller, Namespaces, NoCaller as NotFound, RealCluster};
use sidestep_sandbox_google::metadata::PodIdentity;
use sidestep_sandbox_google::{
    ApiServer, Clusters, NoCaller, PodSubject, ServiceAccount, TokenRefused,
};
use tokio::net::TcpListener;

use crate::SandboxError;
use crate::google_names::GoogleNames;
use crate::live::{Places, read, write};
use crate::reach::{PodSide, Reach, metadata_port};

/// The node pool of all nodes: GKE's description of the cluster has no other.
const NODE_POOL: &str = "default-pool";

/// A cluster of the user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserCluster {
    /// The context of the kubeconfig.
    pub context: String,
    /// The namespaces whose pods are served; all if there are none.
    pub namespaces: Vec<String>,
    /// The files of the kubeconfig, in order.
    pub kubeconfig: Vec<PathBuf>,
}

/// The description of a live sandbox's cluster, if it is one of the user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveCluster {
    /// The cluster.
    #[serde(flatten)]
    pub named: UserCluster,
    /// Its name in GKE, `projects/P/locations/L/clusters/C`.
    pub name: String,
    /// Its version, such as `v1.36.3`.
    pub version: String,
    /// Whether its API server checks tokens. Otherwise its public keys do.
    pub reviews: bool,
    /// How its pods reach the sandbox.
    pub reach: Reach,
    /// Whether the pods know Google's names; absent if nothing was to be installed for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub google_names: Option<GoogleNames>,
}

/// Returns the cluster that a sandbox was last served with.
pub fn last_cluster(places: &Places) -> Result<Option<UserCluster>, SandboxError> {
    read(&places.cluster())
}

/// The user's cluster, connected.
pub(crate) struct Users {
    pub(crate) real: Arc<RealCluster>,
    pub(crate) named: UserCluster,
    /// The cluster, `projects/P/locations/L/clusters/C`.
    cluster: String,
    /// The image of the relays: the runner's own.
    pub(crate) image: String,
    /// The metadata server's port, on a node of the cluster, until it is served.
    pub(crate) metadata: Mutex<Option<TcpListener>>,
    /// The known state of the pods' side; `None` before an attempt.
    pub(crate) pods: Arc<Watched<Option<PodSide>>>,
}

impl Users {
    /// Connects to the cluster, and opens the metadata server if this machine is its node.
    pub(crate) async fn open(
        places: &Places,
        named: &UserCluster,
        image: &str,
        cluster: &str,
    ) -> Result<Self, SandboxError> {
        let namespaces = match named.namespaces.as_slice() {
            [] => Namespaces::All,
            some => Namespaces::Only(some.to_vec()),
        };
        let real = RealCluster::open(&named.kubeconfig, &named.context, &namespaces).await?;
        let metadata = metadata_port().await?;
        let text = serde_json::to_vec_pretty(named).unwrap_or_default();
        write(&places.cluster(), &text)?;
        Ok(Self {
            real: Arc::new(real),
            named: named.clone(),
            cluster: cluster.to_owned(),
            image: image.to_owned(),
            metadata: Mutex::new(metadata),
            pods: Arc::new(Watched::new(None)),
        })
    }

    pub(crate) fn clusters(&self) -> UsersCluster {
        UsersCluster {
            real: Arc::clone(&self.real),
            cluster: self.cluster.clone(),
        }
    }

    pub(crate) fn address(&self) -> String {
        self.real.api_server().address
    }

    /// Returns the description for other processes.
    pub(crate) fn live(&self) -> LiveCluster {
        let (reach, google_names) = match self.pods.read(Clone::clone) {
            Some(PodSide { reach, names }) => (reach, names),
            None => (Reach::No("the sandbox is starting".to_owned()), None),
        };
        LiveCluster {
            named: self.named.clone(),
            name: self.cluster.clone(),
            version: self.real.api_server().version,
            reviews: self.real.has_reviews(),
            reach,
            google_names,
        }
    }

    /// Returns the number of running pods that have asked for their identity.
    pub(crate) fn running(&self) -> usize {
        self.real.running()
    }

    /// Returns a kubeconfig that selects the context. It has no credentials: kubectl merges it with
    /// the user's files, and the first file with a current context wins.
    pub(crate) fn kubeconfig(&self) -> String {
        let text = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": self.named.context,
        });
        format!("{text:#}\n")
    }
}

/// Returns the value of `KUBECONFIG` for a user's cluster: the file that selects its context, then
/// the user's files.
pub(crate) fn kubeconfig_paths(selector: PathBuf, named: &UserCluster) -> OsString {
    let files = named.kubeconfig.iter().filter(|file| **file != selector);
    let all = std::iter::once(selector.clone()).chain(files.cloned());
    std::env::join_paths(all).unwrap_or_else(|_| selector.into_os_string())
}

/// Gives Google's side access to the user's cluster.
pub(crate) struct UsersCluster {
    real: Arc<RealCluster>,
    cluster: String,
}

#[async_trait]
impl Clusters for UsersCluster {
    fn api_server(&self) -> ApiServer {
        let server = self.real.api_server();
        let version = server.version.trim_start_matches('v');
        ApiServer {
            endpoint: server.address,
            authority: server.authority,
            has_dns_endpoint: false,
            version: Some(version.to_owned()),
        }
    }

    async fn verify_token(&self, jwt: &str, audience: &str) -> Result<PodSubject, TokenRefused> {
        match self.real.verify_token(jwt, audience).await {
            Ok(subject) => Ok(PodSubject {
                namespace: subject.namespace,
                service_account: subject.name,
                uid: subject.uid,
            }),
            Err(rejected) => Err(TokenRefused(rejected.to_string())),
        }
    }

    fn service_account(&self, namespace: &str, name: &str) -> Option<ServiceAccount> {
        let account = self.real.service_account(namespace, name)?;
        Some(ServiceAccount {
            uid: account.uid,
            annotations: account.annotations,
        })
    }

    async fn caller(&self, source: IpAddr, node: Option<&str>) -> Result<PodIdentity, NoCaller> {
        let of_node = PodIdentity {
            cluster: self.cluster.clone(),
            node_pool: NODE_POOL.to_owned(),
            namespace: String::new(),
            service_account: String::new(),
            host_network: true,
        };
        match self.real.caller(source, node).await {
            Ok(Caller::Node) => Ok(of_node),
            Ok(Caller::Pod {
                namespace,
                service_account,
                ..
            }) => Ok(PodIdentity {
                namespace,
                service_account,
                host_network: false,
                ..of_node
            }),
            Err(NotFound::Unknown) => Err(NoCaller::Unknown(source)),
            Err(NotFound::NotYet) => Err(NoCaller::NotYet(source)),
        }
    }
}
