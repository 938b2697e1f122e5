use std::sync::Arc;
use std::time::Duration;

use google_cloud_api_serviceusage_v1::client::ServiceUsage;
use google_cloud_artifactregistry_v1::client::ArtifactRegistry;
use google_cloud_auth::credentials::Credentials as Official;
use google_cloud_container_v1::client::ClusterManager;
use google_cloud_gax::client_builder::{ClientBuilder, internal::ClientFactory};
use google_cloud_gax::retry_policy::{Aip194Strict, RetryPolicyExt as _};
use google_cloud_iam_admin_v1::client::Iam;
use google_cloud_iam_credentials_v1::client::IAMCredentials;
use google_cloud_resourcemanager_v3::client::Projects;
use google_cloud_secretmanager_v1::client::SecretManagerService;
use sidestep_events::{Class, Failure, Owner};
use tokio::sync::OnceCell;

use super::retry::{TRIES, backoff};
use super::{Credentials, Endpoints, Rest, Service};

/// How long one answer may take, and after how long a request is not sent again.
const PATIENCE: Duration = Duration::from_mins(1);

/// Google's control plane, as one caller: the official client of each service, made when it is
/// first used, and REST for the calls that none of them has.
///
/// The clients paste a resource's name into a path as it is, so a name is read as a
/// [`Name`](super::Name) first. A call is sent again only if it is marked idempotent; those that
/// the capabilities make all are, a policy being set by its etag and what is made having a name.
#[derive(Debug, Clone)]
pub struct ControlPlane {
    rest: Rest,
    credentials: Arc<Credentials>,
    patience: Duration,
    clients: Arc<Clients>,
}

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
    /// Calls these endpoints with these credentials.
    ///
    /// # Errors
    /// When the machine's trust store can't be read.
    pub fn new(endpoints: Arc<Endpoints>, credentials: Arc<Credentials>) -> Result<Self, Failure> {
        Ok(Self {
            rest: Rest::new(endpoints, Arc::clone(&credentials), PATIENCE)?,
            credentials,
            patience: PATIENCE,
            clients: Arc::default(),
        })
    }

    /// The same control plane as somebody else, waiting that long for an answer.
    pub(crate) fn as_caller(&self, credentials: Credentials, patience: Duration) -> Self {
        let credentials = Arc::new(credentials);
        Self {
            rest: self.rest.as_caller(Arc::clone(&credentials), patience),
            credentials,
            patience,
            clients: Arc::default(),
        }
    }

    /// Calls that no official client has.
    pub(crate) fn rest(&self) -> &Rest {
        &self.rest
    }

    /// Resource Manager's projects.
    pub(crate) async fn projects(&self) -> Result<&Projects, Failure> {
        let builder = Projects::builder();
        self.client(
            &self.clients.projects,
            builder,
            Service::CloudResourceManager,
        )
        .await
    }

    /// Service Usage.
    pub(crate) async fn service_usage(&self) -> Result<&ServiceUsage, Failure> {
        let builder = ServiceUsage::builder();
        self.client(&self.clients.service_usage, builder, Service::ServiceUsage)
            .await
    }

    /// Kubernetes Engine's clusters.
    pub(crate) async fn clusters(&self) -> Result<&ClusterManager, Failure> {
        let builder = ClusterManager::builder();
        self.client(&self.clients.clusters, builder, Service::Container)
            .await
    }

    /// IAM's accounts, keys and roles.
    pub(crate) async fn iam(&self) -> Result<&Iam, Failure> {
        self.client(&self.clients.iam, Iam::builder(), Service::Iam)
            .await
    }

    /// Tokens of service accounts.
    pub(crate) async fn iam_credentials(&self) -> Result<&IAMCredentials, Failure> {
        let builder = IAMCredentials::builder();
        self.client(
            &self.clients.iam_credentials,
            builder,
            Service::IamCredentials,
        )
        .await
    }

    /// Artifact Registry's repositories.
    pub(crate) async fn artifact_registry(&self) -> Result<&ArtifactRegistry, Failure> {
        let builder = ArtifactRegistry::builder();
        self.client(
            &self.clients.artifact_registry,
            builder,
            Service::ArtifactRegistry,
        )
        .await
    }

    /// Secret Manager.
    pub(crate) async fn secret_manager(&self) -> Result<&SecretManagerService, Failure> {
        let builder = SecretManagerService::builder();
        self.client(
            &self.clients.secret_manager,
            builder,
            Service::SecretManager,
        )
        .await
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
            let retries = Aip194Strict
                .continue_on_too_many_requests()
                .with_attempt_limit(TRIES)
                .with_time_limit(self.patience);
            builder
                .with_endpoint(self.rest.endpoints().url(service).unwrap_or_default())
                .with_credentials(self.credentials.get()?)
                .with_attempt_timeout(self.patience)
                .with_retry_policy(retries)
                .with_backoff_policy(backoff())
                .build()
                .await
                .map_err(|error| {
                    Failure::new(
                        Class::Failed,
                        "google.setup",
                        Owner::Operator,
                        format!("no client for {} can be made: {error}", service.name()),
                    )
                })
        };
        made.get_or_try_init(make).await
    }
}
