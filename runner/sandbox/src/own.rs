//! The sandbox's own cluster.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use axum::Router;
use sidestep_sandbox_google::metadata::PodIdentity;
use sidestep_sandbox_google::{
    ApiServer, Cloud, Clusters, NoCaller, PodSubject, Seed, ServiceAccount, TokenRefused,
};
use sidestep_sandbox_identity::Access;
use sidestep_sandbox_kubernetes::{Config, Kubernetes};
use tokio::net::TcpListener;
use tokio::sync::SetOnce;

use crate::SandboxError;
use crate::activity::Activity;
use crate::listeners::Listeners;
use crate::pods::Pods;
use crate::server::{Options, spawn};

/// The sandbox's own cluster, whose pods are processes.
pub(crate) struct Own {
    kubernetes: Arc<Kubernetes>,
    pods: Arc<Pods>,
    listener: Mutex<Option<TcpListener>>,
    /// The host and port of the API server.
    address: String,
}

impl Own {
    /// Opens the cluster, and resumes its pods once [`Self::begin`] is called.
    pub(crate) fn open(
        options: &Options,
        cluster: &str,
        seed: &Seed,
        config: Config,
        access: Arc<dyn Access>,
        listeners: &mut Listeners,
    ) -> Result<Self, SandboxError> {
        let projects: Vec<&str> = seed.projects.keys().map(String::as_str).collect();
        let pods = Arc::new(Pods {
            program: options.program.clone(),
            cluster: cluster.to_owned(),
            endpoints: listeners
                .endpoints()
                .iter()
                .map(|(name, url)| (format!("SIDESTEP_ENDPOINT_{name}"), url.clone()))
                .chain([("SIDESTEP_SANDBOX_PROJECTS".to_owned(), projects.join(","))])
                .collect(),
            kubernetes: OnceLock::new(),
            cloud: SetOnce::new(),
            images: options.images.clone(),
            running: AtomicUsize::new(0),
            served: AtomicUsize::new(0),
        });
        let kubernetes = Kubernetes::open(config, access, Arc::clone(&pods) as _)
            .map_err(|error| SandboxError::setup("Kubernetes", error))?;
        let kubernetes = Arc::new(kubernetes);
        // Set only here, and before the cloud, for which every pod waits.
        let _ = pods.kubernetes.set(Arc::downgrade(&kubernetes));
        let (listener, address) = listeners.take("KUBERNETES")?;
        Ok(Self {
            kubernetes,
            pods,
            listener: Mutex::new(Some(listener)),
            address,
        })
    }

    pub(crate) fn clusters(&self) -> OwnCluster {
        OwnCluster {
            kubernetes: Arc::clone(&self.kubernetes),
            endpoint: self.address.clone(),
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Returns a kubeconfig for a caller's token.
    pub(crate) fn kubeconfig(&self, token: &str) -> String {
        let server = format!("https://{}", self.address);
        self.kubernetes.kubeconfig(&server, token, "builds")
    }

    /// Serves the API server.
    pub(crate) fn serve(&self, activity: &Activity) {
        let mut listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(listener) = listener.take() else {
            return;
        };
        let kubernetes = Arc::clone(&self.kubernetes);
        let router = activity.watched(kubernetes.router());
        spawn("KUBERNETES", async move {
            kubernetes.serve_tls(listener, router).await
        });
    }

    /// Returns the API server's router.
    pub(crate) fn router(&self) -> Router {
        self.kubernetes.router()
    }

    /// Lets pods run, once every server responds.
    pub(crate) fn begin(&self, cloud: &Cloud) {
        let _ = self.pods.cloud.set(cloud.clone());
    }

    /// Returns the number of running containers.
    pub(crate) fn running(&self) -> usize {
        self.pods.running.load(Ordering::Relaxed)
    }

    pub(crate) fn close(&self) {
        self.kubernetes.close();
    }
}

/// Gives Google's side access to the sandbox's own cluster.
pub(crate) struct OwnCluster {
    pub(crate) kubernetes: Arc<Kubernetes>,
    /// The host and port of its API server.
    pub(crate) endpoint: String,
}

#[async_trait]
impl Clusters for OwnCluster {
    fn api_server(&self) -> ApiServer {
        ApiServer {
            endpoint: self.endpoint.clone(),
            authority: self.kubernetes.ca_pem().to_owned(),
            has_dns_endpoint: true,
            version: None,
        }
    }

    async fn verify_token(&self, jwt: &str, audience: &str) -> Result<PodSubject, TokenRefused> {
        match self.kubernetes.verify_token(jwt, audience) {
            Ok(subject) => Ok(PodSubject {
                namespace: subject.namespace,
                service_account: subject.name,
                uid: subject.uid,
            }),
            Err(error) => Err(TokenRefused(error.to_string())),
        }
    }

    fn service_account(&self, namespace: &str, name: &str) -> Option<ServiceAccount> {
        let annotations = self.kubernetes.service_account(namespace, name)?;
        let account = self.kubernetes.get("serviceaccounts", namespace, name)?;
        let uid = account["metadata"]["uid"].as_str().unwrap_or_default();
        Some(ServiceAccount {
            uid: uid.to_owned(),
            annotations,
        })
    }

    /// Refuses every address: each pod has a metadata server of its own.
    async fn caller(&self, source: IpAddr, _: Option<&str>) -> Result<PodIdentity, NoCaller> {
        Err(NoCaller::Unknown(source))
    }
}
