//! A cluster with a scripted runtime and two callers: one with all permissions, one without.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use sidestep_sandbox_identity::{Access, Caller, InvalidToken, PolicyJson, Resource, StaleEtag};
use sidestep_sandbox_kubernetes::{
    Config, ContainerExit, Kubernetes, LogWriter, Output, PullError, ResolvedContainer, Runtime,
    Stop,
};
use sidestep_test_harness::send;
use tokio::net::TcpListener;

/// `developer` has all permissions, and `viewer` may only read.
pub(crate) struct Callers;

impl Access for Callers {
    fn caller(&self, bearer: Option<&str>) -> Result<Caller, InvalidToken> {
        match bearer {
            None => Ok(Caller::Anonymous),
            Some("developer" | "viewer") => Ok(Caller::Member(format!(
                "user:{}@example.com",
                bearer.unwrap_or_default()
            ))),
            Some(_) => Err(InvalidToken),
        }
    }

    fn allows(&self, caller: &Caller, permission: &str, resource: &Resource) -> bool {
        if *resource != Resource::Project("demo".to_owned()) {
            return false;
        }
        match caller {
            Caller::Member(who) if who == "user:developer@example.com" => {
                permission.starts_with("container.")
            }
            Caller::Member(_) => [".get", ".list", ".getLogs"]
                .iter()
                .any(|p| permission.ends_with(p)),
            Caller::Anonymous => false,
        }
    }

    fn policy(&self, _: &Resource) -> PolicyJson {
        json!({})
    }

    fn set_policy(&self, _: &Resource, policy: PolicyJson) -> Result<PolicyJson, StaleEtag> {
        Ok(policy)
    }
}

/// Executes the container's arguments one after another.
#[derive(Default)]
pub(crate) struct Script;

#[async_trait]
impl Runtime for Script {
    async fn check_image(&self, image: &str) -> Result<(), PullError> {
        if image.starts_with("script") {
            Ok(())
        } else {
            Err(PullError::new("the sandbox runs only kaniko"))
        }
    }

    async fn run(
        &self,
        _: &Value,
        container: &ResolvedContainer,
        log: LogWriter,
        stop: Stop,
    ) -> ContainerExit {
        for step in &container.args {
            let (verb, value) = step.split_once('=').unwrap_or((step, ""));
            match verb {
                "say" => log
                    .write(Output::Stdout, format!("{value}\n").as_bytes())
                    .expect("log"),
                "env" => {
                    let found = container.env.iter().find(|(name, _)| name == value);
                    let text = found.map_or("unset", |(_, value)| value);
                    log.write(Output::Stdout, format!("{value}={text}\n").as_bytes())
                        .expect("log");
                }
                "cat" => {
                    let path = Path::new(value);
                    let mount = container
                        .mounts
                        .iter()
                        .find(|m| path.starts_with(&m.path))
                        .expect("a mount holds it");
                    let rest = path.strip_prefix(&mount.path).expect("below");
                    let text = std::fs::read(mount.host.join(rest)).expect("a file");
                    log.write(Output::Stdout, &text).expect("log");
                    log.write(Output::Stdout, b"\n").expect("log");
                }
                "message" => {
                    std::fs::write(&container.termination_message, value).expect("message");
                }
                "exit" => return ContainerExit::code(value.parse().expect("a code")),
                "wait" => {
                    stop.terminated().await;
                    log.write(Output::Stderr, b"terminated\n").expect("log");
                    return ContainerExit::code(143);
                }
                "stubborn" => {
                    stop.killed().await;
                    return ContainerExit::code(137);
                }
                other => panic!("no such step: {other}"),
            }
        }
        ContainerExit::code(0)
    }

    async fn attach(
        &self,
        _: &Value,
        container: &ResolvedContainer,
        log: LogWriter,
        _: Stop,
    ) -> Option<ContainerExit> {
        let found = container.args.iter().any(|step| step == "found");
        found.then(|| {
            log.write(Output::Stdout, b"found again\n").expect("log");
            ContainerExit::code(0)
        })
    }
}

/// A running cluster with its address.
pub(crate) struct Cluster {
    pub(crate) kubernetes: Arc<Kubernetes>,
    pub(crate) url: String,
    pub(crate) http: String,
    pub(crate) dir: tempfile::TempDir,
}

pub(crate) fn config(dir: &Path) -> Config {
    let mut config = Config::new(dir, "demo", "europe-west1", "builds");
    config.timing.back_off = Duration::from_millis(50);
    config.timing.bookmarks = Duration::from_millis(200);
    config
}

pub(crate) async fn open(change: impl FnOnce(&mut Config)) -> Cluster {
    let dir = tempfile::tempdir().expect("folder");
    let mut config = config(&dir.path().join("state"));
    change(&mut config);
    open_in(dir, config).await
}

pub(crate) async fn open_in(dir: tempfile::TempDir, config: Config) -> Cluster {
    let kubernetes =
        Arc::new(Kubernetes::open(config, Arc::new(Callers), Arc::new(Script)).expect("opens"));
    let tls = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let url = format!("https://{}", tls.local_addr().expect("address"));
    let router = kubernetes.router();
    let server = kubernetes.clone();
    let secure = router.clone();
    let http = sidestep_test_harness::serve(router).await;
    tokio::spawn(async move { server.serve_tls(tls, secure).await });
    Cluster {
        kubernetes,
        url,
        http,
        dir,
    }
}

impl Cluster {
    /// Returns a kube client for a token.
    pub(crate) fn client(&self, token: &str) -> kube::Client {
        let mut config = kube::Config::new(self.http.parse().expect("a url"));
        "builds".clone_into(&mut config.default_namespace);
        config.auth_info.token = Some(token.to_owned().into());
        kube::Client::try_from(config).expect("a client")
    }

    /// Sends one request. Returns the code and body.
    pub(crate) async fn call(
        &self,
        token: Option<&str>,
        method: &str,
        path: &str,
        media: &str,
        body: Value,
    ) -> (u16, Value) {
        let mut request = http::Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if !body.is_null() {
            request = request.header("content-type", media);
        }
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = request
            .body(axum::body::Body::from(text))
            .expect("a request");
        let reply = send(self.kubernetes.router(), request).await;
        let body = serde_json::from_str(&reply.text);
        (reply.status, body.unwrap_or(Value::String(reply.text)))
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Some("developer"), "GET", path, "", Value::Null)
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Some("developer"), "POST", path, "application/json", body)
            .await
    }

    pub(crate) async fn patch(&self, path: &str, kind: &str, body: Value) -> (u16, Value) {
        let media = format!("application/{kind}");
        self.call(Some("developer"), "PATCH", path, &media, body)
            .await
    }

    pub(crate) async fn delete(&self, path: &str) -> (u16, Value) {
        self.call(Some("developer"), "DELETE", path, "", Value::Null)
            .await
    }

    /// Waits until a pod satisfies a condition, and returns it (`Null` if it is gone).
    pub(crate) async fn until(&self, name: &str, test: impl Fn(&Value) -> bool) -> Value {
        self.until_in(PODS, name, test).await
    }

    /// As [`Self::until`], for a pod among the pods of this path.
    pub(crate) async fn until_in(
        &self,
        pods: &str,
        name: &str,
        test: impl Fn(&Value) -> bool,
    ) -> Value {
        let only = format!("fieldSelector=metadata.name={name}");
        let wait = async {
            use futures::StreamExt as _;
            use tower::ServiceExt as _;
            // First the existing object, then changes from that version on.
            let (_, list) = self.get(&format!("{pods}?{only}")).await;
            let now = list["items"][0].clone();
            if test(&now) {
                return now;
            }
            let version = list["metadata"]["resourceVersion"]
                .as_str()
                .expect("a version");
            let request = http::Request::builder()
                .uri(format!("{pods}?watch=1&resourceVersion={version}&{only}"))
                .header("authorization", "Bearer developer")
                .body(axum::body::Body::empty())
                .expect("a request");
            let response = self
                .kubernetes
                .router()
                .oneshot(request)
                .await
                .expect("a watch");
            let mut stream = response.into_body().into_data_stream();
            while let Some(chunk) = stream.next().await {
                let event: Value =
                    serde_json::from_slice(&chunk.expect("a chunk")).expect("an event");
                let seen = if event["type"] == "DELETED" {
                    Value::Null
                } else {
                    event["object"].clone()
                };
                if test(&seen) {
                    return seen;
                }
            }
            panic!("the watch ended")
        };
        let found = tokio::time::timeout(Duration::from_secs(30), wait).await;
        found.unwrap_or_else(|_| {
            panic!(
                "pod {name} did not come to it: {:#}",
                self.kubernetes
                    .get("pods", "builds", name)
                    .as_deref()
                    .unwrap_or(&Value::Null)
            )
        })
    }

    pub(crate) async fn events(&self, name: &str) -> Vec<(String, String)> {
        let path =
            format!("/api/v1/namespaces/builds/events?fieldSelector=involvedObject.name={name}");
        let (_, list) = self.get(&path).await;
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        list["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|e| (text(&e["reason"]), text(&e["message"])))
            .collect()
    }
}

pub(crate) const PODS: &str = "/api/v1/namespaces/builds/pods";

pub(crate) fn pod(name: &str, args: &[&str]) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "labels": { "app": name } },
        "spec": {
            "restartPolicy": "Never", "serviceAccountName": "kaniko",
            "terminationGracePeriodSeconds": 1,
            "nodeSelector": { "iam.gke.io/gke-metadata-server-enabled": "true" },
            "containers": [{ "name": "main", "image": "script:1", "args": args }],
        },
    })
}

pub(crate) fn phase(wanted: &'static str) -> impl Fn(&Value) -> bool {
    move |pod| pod["status"]["phase"] == wanted
}
