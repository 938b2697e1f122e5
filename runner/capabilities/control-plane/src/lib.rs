//! Google's control plane through its official clients.
//!
//! The whole API of a client is compiled in the crate that builds the client, which takes longer
//! than the rest of the runner. So this crate holds the clients and nothing that changes often.

mod api_server;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use google_cloud_api_serviceusage_v1::client::ServiceUsage;
use google_cloud_artifactregistry_v1::client::ArtifactRegistry;
use google_cloud_auth::credentials::Credentials as Official;
use google_cloud_container_v1::client::ClusterManager;
use google_cloud_container_v1::model::Cluster;
use google_cloud_gax::client_builder::{ClientBuilder, internal::ClientFactory};
use google_cloud_gax::exponential_backoff::{ExponentialBackoff, ExponentialBackoffBuilder};
use google_cloud_gax::retry_policy::{Aip194Strict, RetryPolicy, RetryPolicyExt as _};
use google_cloud_iam_admin_v1::client::Iam;
use google_cloud_iam_credentials_v1::client::IAMCredentials;
use google_cloud_resourcemanager_v3::client::Projects;
use google_cloud_secretmanager_v1::client::SecretManagerService;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_google::retry::TRIES;
use sidestep_google::{
    ApiServer, Credentials, Endpoints, FindsClusters, Name, Noting, Rest, Service, failed,
};
use sidestep_handles::Sends;
use tokio::sync::OnceCell;

/// The timeout of one answer. A request is not retried after this time either.
const PATIENCE: Duration = Duration::from_mins(1);

/// The maximum first pause between attempts; each further one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(400);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Google's control plane for one caller: the official client of each service, built on first use,
/// and REST for the calls that no official client has.
///
/// The clients paste a resource's name into a path unchecked, so a name is parsed as a [`Name`]
/// first. A call is retried only if it is marked idempotent. All calls of the capabilities are: a
/// policy is set by its etag, and created resources have names.
#[derive(Debug, Clone)]
pub struct ControlPlane {
    rest: Rest,
    credentials: Arc<Credentials>,
    patience: Duration,
    clients: Arc<Clients>,
}

/// A client that is built on first use. Boxed, so that it is built in this crate's code: the body
/// of an `async fn` is compiled where it is awaited.
pub type Client<'a, C> = BoxFuture<'a, Result<&'a C, Failure>>;

#[derive(Debug, Default)]
struct Clients {
    projects: OnceCell<Projects>,
    service_usage: OnceCell<ServiceUsage>,
    clusters: OnceCell<ClusterManager>,
    iam: OnceCell<Iam>,
    iam_credentials: OnceCell<IAMCredentials>,
    artifact_registry: OnceCell<ArtifactRegistry>,
    secret_manager: OnceCell<SecretManagerService>,
}

impl ControlPlane {
    /// Creates a control plane that calls these endpoints with these credentials.
    pub fn new(endpoints: Arc<Endpoints>, credentials: Arc<Credentials>) -> Self {
        Self {
            rest: Rest::new(endpoints, Arc::clone(&credentials), PATIENCE),
            credentials,
            patience: PATIENCE,
            clients: Arc::default(),
        }
    }

    /// Returns the same control plane for another caller, with this timeout for an answer.
    #[must_use]
    pub fn as_caller(&self, credentials: Credentials, patience: Duration) -> Self {
        let credentials = Arc::new(credentials);
        Self {
            rest: self.rest.as_caller(Arc::clone(&credentials), patience),
            credentials,
            patience,
            clients: Arc::default(),
        }
    }

    /// Returns the REST client for the APIs that have no official client.
    pub fn rest(&self) -> &Rest {
        &self.rest
    }

    /// Returns the client of Resource Manager's projects.
    pub fn projects(&self) -> Client<'_, Projects> {
        let builder = Projects::builder();
        Box::pin(self.client(
            &self.clients.projects,
            builder,
            Service::CloudResourceManager,
        ))
    }

    /// Returns the client of Service Usage.
    pub fn service_usage(&self) -> Client<'_, ServiceUsage> {
        let builder = ServiceUsage::builder();
        Box::pin(self.client(&self.clients.service_usage, builder, Service::ServiceUsage))
    }

    /// Returns the client of Kubernetes Engine's clusters.
    pub fn clusters(&self) -> Client<'_, ClusterManager> {
        let builder = ClusterManager::builder();
        Box::pin(self.client(&self.clients.clusters, builder, Service::Container))
    }

    /// Returns the client of IAM's accounts, keys and roles.
    pub fn iam(&self) -> Client<'_, Iam> {
        let builder = Iam::builder();
        Box::pin(self.client(&self.clients.iam, builder, Service::Iam))
    }

    /// Returns the client of service accounts' tokens.
    pub fn iam_credentials(&self) -> Client<'_, IAMCredentials> {
        let builder = IAMCredentials::builder();
        Box::pin(self.client(
            &self.clients.iam_credentials,
            builder,
            Service::IamCredentials,
        ))
    }

    /// Returns the client of Artifact Registry's repositories.
    pub fn artifact_registry(&self) -> Client<'_, ArtifactRegistry> {
        let builder = ArtifactRegistry::builder();
        Box::pin(self.client(
            &self.clients.artifact_registry,
            builder,
            Service::ArtifactRegistry,
        ))
    }

    /// Returns the client of Secret Manager.
    pub fn secret_manager(&self) -> Client<'_, SecretManagerService> {
        let builder = SecretManagerService::builder();
        Box::pin(self.client(
            &self.clients.secret_manager,
            builder,
            Service::SecretManager,
        ))
    }

    /// Returns the description of a cluster: some two hundred fields, which are boxed to keep them
    /// off the stack.
    ///
    /// # Errors
    /// The failure that Kubernetes Engine answered with.
    pub fn cluster<'a>(
        &'a self,
        cluster: &'a Name,
    ) -> BoxFuture<'a, Result<Box<Cluster>, Failure>> {
        Box::pin(async {
            let what = format!("get {}", cluster.as_str());
            let call = self.clusters().await?.get_cluster();
            let found = call.set_name(cluster.as_str()).send().await;
            found.map(Box::new).map_err(failed(&what))
        })
    }

    /// Returns the retries of every call, for one call that creates something: they record whether
    /// one of its requests may have been carried out.
    pub fn noting(&self, sends: &Sends) -> Noting {
        Noting::new(sends, retries(self.patience))
    }

    async fn client<'c, F, C>(
        &self,
        made: &'c OnceCell<C>,
        builder: ClientBuilder<F, Official>,
        service: Service,
    ) -> Result<&'c C, Failure>
    where
        F: ClientFactory<Client = C, Credentials = Official>,
    {
        let make = async || {
            builder
                .with_endpoint(self.rest.endpoints().url(service).unwrap_or_default())
                .with_credentials(self.credentials.get()?)
                .with_attempt_timeout(self.patience)
                .with_retry_policy(retries(self.patience))
                .with_backoff_policy(backoff())
                .build()
                .await
                .map_err(|error| {
                    Failure::new(
                        Class::Failed,
                        codes::google::SETUP,
                        Owner::Operator,
                        format!("cannot create a client for {}: {error}", service.name()),
                    )
                })
        };
        made.get_or_try_init(make).await
    }
}

fn retries(patience: Duration) -> impl RetryPolicy + 'static {
    Aip194Strict
        .continue_on_too_many_requests()
        .with_attempt_limit(TRIES)
        .with_time_limit(patience)
}

/// Returns the pauses between attempts. They are random, so that many runners do not retry at the
/// same moment.
fn backoff() -> ExponentialBackoff {
    ExponentialBackoffBuilder::new()
        .with_initial_delay(FIRST_PAUSE)
        .with_maximum_delay(LONGEST_PAUSE)
        .clamp()
}

#[async_trait]
impl FindsClusters for ControlPlane {
    async fn api_server(&self, cluster: &Name) -> Result<ApiServer, Failure> {
        Ok(api_server::of(*self.cluster(cluster).await?))
    }
}
