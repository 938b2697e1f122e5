//! Creates clients of API servers from clusters' names.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_google::{CLUSTER, Credentials, FindsClusters, IssuesTokens, Name, ReachesClusters};
use tokio::sync::OnceCell;
use tower::buffer::BufferLayer;
use tower::filter::AsyncFilterLayer;

use super::tokens::Tokens;

/// The maximum number of calls that wait for one cluster.
const CALLS_WAITING: usize = 1024;

/// The timeout for a program of the kubeconfig that returns credentials.
const PROGRAM: Duration = Duration::from_mins(1);
/// The maximum silence of a connection. A server ends a watch after five minutes at most (as kube
/// asks it to), and the log of a silent container is read on from where it was.
const LONGEST_SILENCE: Duration = Duration::from_mins(6);

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
            clients: Mutex::default(),
        }
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
            Some(mapped) => mapped_client(cluster, mapped, &self.credentials).await,
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

    /// Returns the place of a cluster's client.
    fn cell(&self, cluster: &str) -> Arc<OnceCell<Client>> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(clients.entry(cluster.to_owned()).or_default())
    }

    /// Creates a client with the endpoint and CA certificate from the GKE API and the token from
    /// this process's credentials.
    async fn gke(&self, cluster: &Name) -> Result<Client, Failure> {
        let found = self.google.api_server(cluster).await?;
        let cluster = cluster.as_str();
        let unusable = |why: &str| {
            Failure::new(
                Class::Failed,
                codes::kubernetes::CLUSTER_UNUSABLE,
                Owner::Cluster,
                format!("cluster {cluster} can't be used: {why}"),
            )
        };
        let endpoint = found.endpoint;
        if endpoint.is_empty() {
            return Err(unusable("it has no endpoint yet")
                .with_help("wait until GKE has created the cluster, then try again"));
        }
        let url = format!("https://{endpoint}")
            .parse()
            .map_err(|_| unusable(&format!("`{endpoint}` is not a valid endpoint")))?;
        let mut config = Config::new(url);
        let authority = found.authority;
        if !authority.is_empty() {
            config.root_cert =
                Some(certificates(&authority).ok_or_else(|| {
                    unusable("its CA certificate is not valid base64-encoded PEM")
                })?);
        }
        bounded(&mut config);
        let credentials = Arc::clone(&self.credentials);
        let authorise =
            AsyncFilterLayer::new(move |mut request: http::Request<kube::client::Body>| {
                let credentials = Arc::clone(&credentials);
                async move {
                    let headers = credentials
                        .headers()
                        .await
                        .map_err(|failure| failure.to_string())?;
                    request.headers_mut().extend(headers);
                    Ok::<_, tower::BoxError>(request)
                }
            });
        let builder =
            ClientBuilder::try_from(config).map_err(|error| unusable(&error.to_string()))?;
        // The buffer makes kube's own stack, with its timeouts and proxies, clonable.
        Ok(builder
            .with_layer(&BufferLayer::new(CALLS_WAITING))
            .with_layer(&authorise)
            .build())
    }
}

#[async_trait]
impl ReachesClusters for Clusters {
    async fn tokens(&self, cluster: &str) -> Result<Box<dyn IssuesTokens>, Failure> {
        Ok(Box::new(Tokens(self.client(cluster).await?)))
    }
}

async fn mapped_client(
    cluster: &str,
    mapped: &Mapped,
    credentials: &Credentials,
) -> Result<Client, Failure> {
    let unusable = |why: String| {
        Failure::new(
            Class::Failed,
            codes::kubernetes::CLUSTER_UNUSABLE,
            Owner::Operator,
            format!("cluster `{cluster}`, as mapped in the settings, can't be used: {why}"),
        )
        .with_help(
            "correct its entry in the setting `clusters`, or the kubeconfig that the entry names",
        )
    };
    let failed = |error: tokio::task::JoinError| Failure::bug(format!("{error}"));
    let mut config = match mapped {
        Mapped::InCluster => Config::incluster().map_err(|error| unusable(error.to_string()))?,
        Mapped::Context(context) => {
            let kubeconfig = tokio::task::spawn_blocking(Kubeconfig::read).await;
            let kubeconfig = kubeconfig
                .map_err(failed)?
                .map_err(|error| unusable(error.to_string()))?;
            let options = KubeConfigOptions {
                context: Some(context.clone()),
                ..KubeConfigOptions::default()
            };
            Config::from_custom_kubeconfig(kubeconfig, &options)
                .await
                .map_err(|error| unusable(error.to_string()))?
        }
    };
    make_known(&config, credentials);
    bounded(&mut config);
    // This runs the kubeconfig's program, and waits for it.
    let client = tokio::task::spawn_blocking(|| Client::try_from(config));
    let Ok(client) = tokio::time::timeout(PROGRAM, client).await else {
        return Err(unusable(format!(
            "the kubeconfig's program returned no credentials within {} s",
            PROGRAM.as_secs()
        )));
    };
    client
        .map_err(failed)?
        .map_err(|error| unusable(error.to_string()))
}

/// Sets the limits of a client. Its own retries honour any pause that a server asks for, and hide
/// whether a create may have been carried out; the callers retry.
fn bounded(config: &mut Config) {
    config.connect_timeout = Some(Duration::from_secs(10));
    config.read_timeout = Some(LONGEST_SILENCE);
    config.default_retry = false;
}

/// Adds the cluster's token to the masks of the runner's log. A token that a program of the
/// kubeconfig creates is only recognised by its form.
fn make_known(config: &Config, credentials: &Credentials) {
    let auth = &config.auth_info;
    if let Some(token) = &auth.token {
        credentials.make_known(token.expose_secret());
    }
    let of_file = auth.token_file.as_ref();
    if let Some(token) = of_file.and_then(|file| std::fs::read_to_string(file).ok()) {
        credentials.make_known(token.trim());
    }
}

/// Returns the DER certificates in a base64-encoded PEM text.
fn certificates(authority: &str) -> Option<Vec<Vec<u8>>> {
    let pem = base64::engine::general_purpose::STANDARD
        .decode(authority)
        .ok()?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem)
        .map(|read| read.map(|certificate| certificate.to_vec()))
        .collect();
    certificates.ok().filter(|found| !found.is_empty())
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
                endpoint: "127.0.0.1".to_owned(),
                authority: String::new(),
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

    #[test]
    fn certificates_are_read_from_their_pem() {
        let engine = &base64::engine::general_purpose::STANDARD;
        let one = engine.encode([1, 2, 3]);
        let pem = format!(
            "-----BEGIN CERTIFICATE-----\n{one}\n-----END CERTIFICATE-----\n\
             -----BEGIN CERTIFICATE-----\n{one}\n-----END CERTIFICATE-----\n"
        );
        assert_eq!(
            certificates(&engine.encode(pem)),
            Some(vec![vec![1, 2, 3]; 2])
        );
        assert_eq!(certificates(&engine.encode("nothing")), None);
        assert_eq!(certificates("%%%"), None);
        let cut = "-----BEGIN CERTIFICATE-----\nAQID\n";
        assert_eq!(certificates(&engine.encode(cut)), None);
    }
}
