//! Creates clients of API servers from clusters' names.

mod answer;
mod endpoint;
mod gke;
mod kubeconfig;
mod limits;
mod proxy;
mod unreached;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use kube::Client;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_google::{CLUSTER, Credentials, FindsClusters, IssuesTokens, Name, ReachesClusters};
use tokio::sync::OnceCell;

use super::tokens::Tokens;

pub use endpoint::Endpoint;

/// The target of an operator's name for a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mapped {
    /// A context of the operator's kubeconfig.
    Context(String),
    /// The cluster that this process runs in.
    InCluster,
}

/// Clients of clusters, each created once.
pub struct Clusters {
    google: Arc<dyn FindsClusters>,
    credentials: Arc<Credentials>,
    names: BTreeMap<String, Mapped>,
    endpoint: Endpoint,
    /// A slow cluster blocks no other: each has its own cell.
    clients: Mutex<BTreeMap<String, Arc<OnceCell<Client>>>>,
}

impl std::fmt::Debug for Clusters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clusters")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl Clusters {
    /// Creates clients for clusters, by the resource names that `google` finds and by the
    /// operator's own names.
    pub fn new(
        google: Arc<dyn FindsClusters>,
        credentials: Arc<Credentials>,
        names: BTreeMap<String, Mapped>,
    ) -> Self {
        Self {
            google,
            credentials,
            names,
            endpoint: Endpoint::Auto,
            clients: Mutex::default(),
        }
    }

    /// Sets the endpoint that connects to clusters of GKE.
    #[must_use]
    pub fn with_endpoint(self, endpoint: Endpoint) -> Self {
        Self { endpoint, ..self }
    }

    /// Returns a client for `projects/P/locations/L/clusters/C`, or for a name in the settings.
    ///
    /// # Errors
    /// When no such cluster can be found or its description cannot be used.
    pub async fn client(&self, cluster: &str) -> Result<Client, Failure> {
        let mapped = self.names.get(cluster);
        let name = Name::read("cluster", CLUSTER, cluster);
        if mapped.is_none() && name.is_err() {
            return Err(unknown(cluster, self.names.keys()));
        }
        let cell = self.cell(cluster);
        let make = async || match mapped {
            Some(mapped) => kubeconfig::client(cluster, mapped, &self.credentials).await,
            None => Box::pin(self.gke(&name?)).await,
        };
        cell.get_or_try_init(make).await.cloned()
    }

    /// Returns clients with this one for a cluster.
    #[cfg(test)]
    pub(crate) fn of(cluster: &str, client: Client) -> Self {
        let mut clusters = Self::new(
            Arc::new(tests::Slow("")),
            Arc::new(Credentials::anonymous()),
            BTreeMap::from([(cluster.to_owned(), Mapped::InCluster)]),
        );
        let cell = Arc::new(OnceCell::new_with(Some(client)));
        clusters.clients = Mutex::new(BTreeMap::from([(cluster.to_owned(), cell)]));
        clusters
    }

    async fn gke(&self, cluster: &Name) -> Result<Client, Failure> {
        let server = self.google.api_server(cluster).await?;
        gke::client(cluster, &server, self.endpoint, &self.credentials).await
    }

    /// Returns the place of a cluster's client.
    fn cell(&self, cluster: &str) -> Arc<OnceCell<Client>> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(clients.entry(cluster.to_owned()).or_default())
    }
}

#[async_trait]
impl ReachesClusters for Clusters {
    async fn tokens(&self, cluster: &str) -> Result<Box<dyn IssuesTokens>, Failure> {
        Ok(Box::new(Tokens(self.client(cluster).await?)))
    }
}

fn unknown<'a>(cluster: &str, names: impl Iterator<Item = &'a String>) -> Failure {
    let names: Vec<&str> = names.map(String::as_str).collect();
    let known = if names.is_empty() {
        "the settings map no names".to_owned()
    } else {
        format!("the settings map {}", names.join(", "))
    };
    Failure::new(
        Class::InvalidInput,
        codes::kubernetes::UNKNOWN_CLUSTER,
        Owner::Author,
        format!("`{cluster}` is not a known cluster: {known}"),
    )
    .with_help("write it as projects/PROJECT/locations/LOCATION/clusters/CLUSTER")
}

#[cfg(test)]
mod tests {
    use sidestep_google::ApiServer;

    use super::*;

    /// Describes one cluster never, and all others at once.
    #[derive(Debug)]
    pub(super) struct Slow(pub(super) &'static str);

    #[async_trait]
    impl FindsClusters for Slow {
        async fn api_server(&self, cluster: &Name) -> Result<ApiServer, Failure> {
            if cluster.as_str() == self.0 {
                std::future::pending::<()>().await;
            }
            Ok(ApiServer {
                public: Some("127.0.0.1".to_owned()),
                ..ApiServer::default()
            })
        }
    }

    #[tokio::test]
    async fn a_slow_cluster_blocks_no_other() {
        let slow = "projects/demo/locations/europe-west1/clusters/slow";
        let clusters = Clusters::new(
            Arc::new(Slow(slow)),
            Arc::new(Credentials::anonymous()),
            BTreeMap::new(),
        );
        let mut waits = Box::pin(clusters.client(slow));
        assert!(futures::poll!(&mut waits).is_pending());
        let other = "projects/demo/locations/europe-west1/clusters/other";
        assert!(clusters.client(other).await.is_ok());
        assert!(futures::poll!(&mut waits).is_pending());
    }
}
