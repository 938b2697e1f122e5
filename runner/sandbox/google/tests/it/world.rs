//! A cloud seeded from a scenario, with a cluster that the test emulates.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use serde_json::Value;
use sidestep_evaluator_guest::Native;
use sidestep_sandbox_google::{
    Api, ApiServer, Cloud, Clusters, NoCaller, PodSubject, Scenario, ServiceAccount, TokenRefused,
    metadata, router,
};
use sidestep_sandbox_identity::{Clock, Identity};
pub(crate) use sidestep_test_harness::{Reply, send};

pub(crate) const BUILDER: &str = "builder@demo.iam.gserviceaccount.com";
pub(crate) const CLUSTER: &str = "projects/demo/locations/europe-west1/clusters/ci";
pub(crate) const DEVELOPER: &str = "user:dev@example.com";

type Annotations = BTreeMap<String, String>;

/// A cluster whose tokens are `NAMESPACE/NAME@AUDIENCE`.
#[derive(Default)]
pub(crate) struct Accounts(
    Mutex<BTreeMap<(String, String), Annotations>>,
    Mutex<BTreeMap<IpAddr, metadata::PodIdentity>>,
);

impl Accounts {
    /// Creates an account without annotations.
    pub(crate) fn add(&self, namespace: &str, name: &str) {
        let account = (namespace.to_owned(), name.to_owned());
        self.0.lock().unwrap().insert(account, Annotations::new());
    }

    /// Gives a pod an address.
    pub(crate) fn place(&self, address: &str, pod: metadata::PodIdentity) {
        let address = address.parse().unwrap();
        self.1.lock().unwrap().insert(address, pod);
    }

    pub(crate) fn annotate(&self, name: &str, key: &str, value: Option<&str>) {
        let mut accounts = self.0.lock().unwrap();
        let account = accounts
            .get_mut(&("builds".to_owned(), name.to_owned()))
            .unwrap();
        match value {
            Some(value) => drop(account.insert(key.to_owned(), value.to_owned())),
            None => drop(account.remove(key)),
        }
    }
}

#[async_trait]
impl Clusters for Accounts {
    fn api_server(&self) -> ApiServer {
        ApiServer {
            endpoint: "127.0.0.1:6443".to_owned(),
            authority: "its CA".to_owned(),
            has_dns_endpoint: false,
            version: Some("1.36.3".to_owned()),
        }
    }

    async fn verify_token(&self, jwt: &str, audience: &str) -> Result<PodSubject, TokenRefused> {
        let refused = || TokenRefused("the cluster does not stand by this token".to_owned());
        let (account, sent_for) = jwt.split_once('@').ok_or_else(refused)?;
        let (namespace, name) = account.split_once('/').ok_or_else(refused)?;
        let known = self
            .0
            .lock()
            .unwrap()
            .contains_key(&(namespace.to_owned(), name.to_owned()));
        if !known || sent_for != audience {
            return Err(refused());
        }
        Ok(PodSubject {
            namespace: namespace.to_owned(),
            service_account: name.to_owned(),
            uid: format!("uid-of-{name}"),
        })
    }

    fn service_account(&self, namespace: &str, name: &str) -> Option<ServiceAccount> {
        let accounts = self.0.lock().unwrap();
        let annotations = accounts.get(&(namespace.to_owned(), name.to_owned()))?;
        Some(ServiceAccount {
            uid: format!("uid-of-{name}"),
            annotations: annotations.clone(),
        })
    }

    async fn caller(
        &self,
        source: IpAddr,
        _: Option<&str>,
    ) -> Result<metadata::PodIdentity, NoCaller> {
        let placed = self.1.lock().unwrap().get(&source).cloned();
        placed.ok_or(NoCaller::Unknown(source))
    }
}

pub(crate) struct World {
    pub(crate) cloud: Cloud,
    pub(crate) accounts: Arc<Accounts>,
}

impl World {
    pub(crate) fn of(scenario: &str) -> Self {
        let seed = Scenario::named(scenario).unwrap().seed().unwrap();
        let accounts: BTreeMap<(String, String), Annotations> = seed
            .kubernetes
            .iter()
            .flat_map(|(namespace, accounts)| {
                accounts.iter().map(|(name, account)| {
                    (
                        (namespace.clone(), name.clone()),
                        account.annotations.clone(),
                    )
                })
            })
            .collect();
        let accounts = Arc::new(Accounts(Mutex::new(accounts), Mutex::default()));
        let identity = Identity::new(seed.identity(), Clock::system(), Arc::new(Native));
        let state = seed.state("2026-01-01T00:00:00Z");
        let clusters: Arc<dyn Clusters> = accounts.clone();
        Self {
            cloud: Cloud::new(identity, state, clusters),
            accounts,
        }
    }

    pub(crate) fn token(&self, member: &str) -> String {
        self.cloud.identity().mint(member).secret
    }

    /// Calls an API with a token, or without one.
    pub(crate) async fn call(
        &self,
        api: Api,
        token: Option<&str>,
        method: &str,
        path: &str,
        body: Value,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        send(router(&self.cloud, api), request.body(body).unwrap()).await
    }

    /// Calls an API as the developer.
    pub(crate) async fn dev(&self, api: Api, method: &str, path: &str, body: Value) -> Reply {
        let token = self.token(DEVELOPER);
        self.call(api, Some(&token), method, path, body).await
    }

    /// Returns a pod of `builds/ACCOUNT`.
    pub(crate) fn pod(account: &str) -> metadata::PodIdentity {
        metadata::PodIdentity {
            cluster: CLUSTER.to_owned(),
            node_pool: "default-pool".to_owned(),
            namespace: "builds".to_owned(),
            service_account: account.to_owned(),
            host_network: false,
        }
    }

    /// Returns the metadata server's answer to a pod.
    pub(crate) async fn metadata(&self, pod: metadata::PodIdentity, path: &str) -> Reply {
        let request = Request::get(format!("/computeMetadata/v1/{path}"))
            .header("Metadata-Flavor", "Google")
            .body(Body::empty())
            .unwrap();
        send(metadata::router(&self.cloud, pod), request).await
    }

    /// Returns the answer of a node's metadata server to a request from an address.
    pub(crate) async fn at_address(&self, source: &str, path: &str) -> Reply {
        let source: IpAddr = source.parse().unwrap();
        let request = Request::get(format!("/computeMetadata/v1/{path}"))
            .header("Metadata-Flavor", "Google")
            .extension(ConnectInfo(SocketAddr::from((source, 40_000))))
            .body(Body::empty())
            .unwrap();
        send(metadata::node_router(&self.cloud), request).await
    }
}
