//! The cluster's interface to its host.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use serde_json::{Value, json};
use sidestep_sandbox_identity::Access;
use sidestep_sandbox_tls::{Authority, Secured};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::api;
use crate::auth::Gatekeeper;
use crate::config::Config;
use crate::error::OpenError;
use crate::key::Key;
use crate::logs::Logs;
use crate::plant::plant;
use crate::pods::{Kubelet, faults::Faults, runtime::Runtime};
use crate::shared::Shared;
use crate::store::Store;
use crate::tokens::{Request, Subject, TokenError, Tokens};

/// The host names of the API server, outside and inside of pods.
const NAMES: [&str; 4] = [
    "kubernetes",
    "kubernetes.default.svc",
    "localhost",
    "127.0.0.1",
];

/// A running cluster. Dropping it ends its tasks; its state stays in its folder.
#[derive(Debug)]
pub struct Kubernetes {
    shared: Arc<Shared>,
    kubelet: Arc<Kubelet>,
}

impl Kubernetes {
    /// Opens the cluster in `config.dir`, creates the seed if the folder is new, and resumes the
    /// existing pods. Must be called within a tokio runtime.
    pub fn open(
        config: Config,
        access: Arc<dyn Access>,
        runtime: Arc<dyn Runtime>,
    ) -> Result<Self, OpenError> {
        let state = |source| OpenError::State {
            dir: config.dir.display().to_string(),
            source,
        };
        let store = Arc::new(Store::open(&config.dir, config.history).map_err(state)?);
        private(&config.dir).map_err(state)?;
        let tokens =
            Arc::new(Tokens::open(&config.dir, config.issuer(), store.clone()).map_err(state)?);
        let authority =
            Authority::open(&config.dir, "sidestep sandbox cluster", &[]).map_err(state)?;
        let logs = Logs::new(config.dir.join("logs"));
        let gate = Gatekeeper {
            access,
            tokens: tokens.clone(),
            project: config.project.clone(),
        };
        plant(&config, &store, authority.pem())?;
        let shutdown = CancellationToken::new();
        let shared = Arc::new(Shared {
            config,
            store,
            tokens,
            gate,
            logs,
            authority,
            shutdown,
        });
        let kubelet = Kubelet::start(shared.clone(), runtime);
        tokio::spawn(crate::gc::collect(shared.clone()));
        Ok(Self { shared, kubelet })
    }

    /// Returns the API's router, to be served over plain HTTP or by the caller's TLS server.
    ///
    /// kubectl sends its token only over TLS: use [`Self::serve_tls`] for it.
    pub fn router(&self) -> Router {
        api::route::router(self.shared.clone())
    }

    /// Serves the API ([`Self::router`], or a router that wraps it) over TLS, with a loopback
    /// certificate from the cluster's own CA. Returns when the cluster is closed.
    pub async fn serve_tls(&self, listener: TcpListener, router: Router) -> std::io::Result<()> {
        // kubectl sends a bearer token only over TLS.
        let acceptor = self.shared.authority.acceptor(&NAMES, &["http/1.1"])?;
        let listener = Secured::new(listener, move |stream| {
            let shaken = acceptor.accept(stream);
            async move { shaken.await.map(Some) }
        })?;
        let shutdown = self.shared.shutdown.clone();
        axum::serve(listener, router)
            .with_graceful_shutdown(async move { shutdown.cancelled().await })
            .await
    }

    /// Returns the cluster's CA certificate, in PEM. It survives restarts.
    pub fn ca_pem(&self) -> &str {
        self.shared.authority.pem()
    }

    /// Returns a kubeconfig (JSON, which is YAML) for a server's address and a bearer token.
    pub fn kubeconfig(&self, server: &str, token: &str, namespace: &str) -> String {
        let config = &self.shared.config;
        let name = format!(
            "gke_{}_{}_{}",
            config.project, config.location, config.cluster
        );
        let mut cluster = json!({ "server": server });
        if server.starts_with("https:") {
            cluster["certificate-authority-data"] =
                crate::defaults::encode(self.ca_pem().as_bytes()).into();
        }
        let text = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": name,
            "clusters": [{ "name": name, "cluster": cluster }],
            "users": [{ "name": name, "user": { "token": token } }],
            "contexts": [{ "name": name, "context": {
                "cluster": name, "user": name, "namespace": namespace } }],
        });
        format!("{text:#}\n")
    }

    /// Verifies a service-account token for an audience against the current objects.
    pub fn verify_token(&self, jwt: &str, audience: &str) -> Result<Subject, TokenError> {
        self.shared.tokens.verify(jwt, Some(audience))
    }

    /// Returns a token of a service account for these audiences (if empty, for the API server),
    /// bound to a pod if one is given.
    pub fn issue_token(
        &self,
        namespace: &str,
        name: &str,
        audiences: &[&str],
        seconds: i64,
        pod: Option<&str>,
    ) -> Result<String, TokenError> {
        let gone = |what: &str| TokenError::Gone(format!("{what} does not exist"));
        let object = |resource: &str, name: &str| {
            self.shared
                .store
                .get(&Key::new(resource, namespace, name))
                .ok_or_else(|| gone(&format!("{resource} {namespace}/{name}")))
        };
        let account = object("serviceaccounts", name)?;
        let bound = match pod {
            None => None,
            Some(pod) => {
                let found = object("pods", pod)?;
                Some(json!({ "kind": "Pod", "name": pod, "uid": found["metadata"]["uid"] }))
            }
        };
        let request = Request {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: account["metadata"]["uid"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            audiences: audiences.iter().map(|a| (*a).to_owned()).collect(),
            seconds,
            bound,
        };
        Ok(self.shared.tokens.sign(&request)?.0)
    }

    /// Returns the annotations of a service account; `None` if the account does not exist.
    pub fn service_account(&self, namespace: &str, name: &str) -> Option<BTreeMap<String, String>> {
        let account = self.get("serviceaccounts", namespace, name)?;
        let annotations = account["metadata"]["annotations"].as_object();
        Some(
            annotations
                .into_iter()
                .flatten()
                .filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned())))
                .collect(),
        )
    }

    /// Returns the current state of an object (`namespace` is empty for cluster scope).
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.shared.store.get(&Key::new(resource, namespace, name))
    }

    /// Returns the issuer of the cluster's tokens.
    pub fn issuer(&self) -> &str {
        self.shared.tokens.issuer()
    }

    /// Returns the cluster's public keys, as a JWK set.
    pub fn jwks(&self) -> Value {
        serde_json::to_value(self.shared.tokens.jwks()).unwrap_or_default()
    }

    /// Returns the current faults of pods.
    pub fn faults(&self) -> Faults {
        self.kubelet.faults()
    }

    /// Changes the faults of pods from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.kubelet.set_faults(faults);
    }

    /// Ends watches, followed logs, servers and tasks. Containers in the runtime keep running.
    pub fn close(&self) {
        self.shared.shutdown.cancel();
    }
}

impl Drop for Kubernetes {
    fn drop(&mut self) {
        self.close();
    }
}

/// Makes a folder readable only by its owner, since it stores secrets and keys.
fn private(dir: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))
}
