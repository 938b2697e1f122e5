//! The cluster as its host sees it: opened, served, asked.

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
use crate::logs::Logs;
use crate::plant::plant;
use crate::pods::{Kubelet, faults::Faults, runtime::Runtime};
use crate::store::{Key, Store};
use crate::tokens::{Request, Subject, TokenError, Tokens};

/// What the API server is called, from outside and from pods.
const NAMES: [&str; 4] = [
    "kubernetes",
    "kubernetes.default.svc",
    "localhost",
    "127.0.0.1",
];

/// What all parts of the cluster share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) store: Arc<Store>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) gate: Gatekeeper,
    pub(crate) logs: Arc<Logs>,
    pub(crate) authority: Authority,
    pub(crate) shutdown: CancellationToken,
}

/// A running cluster. Dropping it ends its tasks; its state stays in its folder.
#[derive(Debug)]
pub struct Kubernetes {
    shared: Arc<Shared>,
    kubelet: Arc<Kubelet>,
}

impl Kubernetes {
    /// Opens the cluster in `config.dir`, makes the seed where the folder is new, and takes up
    /// the pods that were there. Must be called within a tokio runtime.
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

    /// The API, to be served over plain HTTP or by a TLS server of the caller's.
    ///
    /// kubectl sends its token over TLS only: for it use [`Self::serve_tls`].
    pub fn router(&self) -> Router {
        api::route::router(self.shared.clone())
    }

    /// Serves the API ([`Self::router`], or what the caller made of it) over TLS, with a
    /// certificate for loopback of the cluster's own CA. Ends when the cluster is closed.
    pub async fn serve_tls(&self, listener: TcpListener, router: Router) -> std::io::Result<()> {
        // kubectl sends a bearer token over nothing but TLS.
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

    /// The cluster's CA certificate, in PEM; it stays the same over restarts.
    pub fn ca_pem(&self) -> &str {
        self.shared.authority.pem()
    }

    /// A kubeconfig (JSON, which is YAML) for a server's address and a bearer token.
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

    /// Judges a service-account token for an audience, as the object stands now.
    pub fn verify_token(&self, jwt: &str, audience: &str) -> Result<Subject, TokenError> {
        self.shared.tokens.verify(jwt, Some(audience))
    }

    /// A token of a service account for these audiences (none: the API server's own), bound to
    /// a pod where one is named.
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

    /// The annotations of a service account; `None` where there is none.
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

    /// An object as it stands (`namespace` empty for cluster scope).
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.shared.store.get(&Key::new(resource, namespace, name))
    }

    /// The issuer of its tokens.
    pub fn issuer(&self) -> &str {
        self.shared.tokens.issuer()
    }

    /// Its public keys, as a JWK set.
    pub fn jwks(&self) -> Value {
        serde_json::to_value(self.shared.tokens.jwks()).unwrap_or_default()
    }

    /// Returns what pods meet.
    pub fn faults(&self) -> Faults {
        self.kubelet.faults()
    }

    /// Changes what pods meet from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.kubelet.set_faults(faults);
    }

    /// Ends watches, followed logs, servers and tasks; what runs in the runtime is left alone.
    pub fn close(&self) {
        self.shared.shutdown.cancel();
    }
}

impl Drop for Kubernetes {
    fn drop(&mut self) {
        self.close();
    }
}

/// Secrets and keys lie here.
fn private(dir: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))
}
