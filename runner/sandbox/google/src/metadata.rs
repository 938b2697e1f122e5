//! The metadata server for pods: GKE's, or Compute Engine's if the node pool does not have GKE's
//! enabled.
//!
//! A server is that of one pod, or, as on GKE, that of a node: then the source address of a
//! connection identifies the pod.
//!
//! Reference:
//! <https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity#metadata_server>.

mod account;
mod tree;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use sidestep_sandbox_base::Query;

use crate::cloud::Cloud;
use crate::clusters::NoCaller;
use account::Account;

/// The pod that a metadata server serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodIdentity {
    /// The pod's cluster, `projects/P/locations/L/clusters/C`.
    pub cluster: String,
    /// The node pool of the pod's node.
    pub node_pool: String,
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's Kubernetes service account.
    pub service_account: String,
    /// Whether the pod is on the node's network, and so bypasses GKE's metadata server.
    pub host_network: bool,
}

/// Serves the metadata of one pod; give each pod its own listener. The state of GKE, IAM and
/// Kubernetes is read on each request.
pub fn router(cloud: &Cloud, pod: PodIdentity) -> Router {
    Router::new()
        .fallback(serve_pod)
        .with_state((cloud.clone(), pod))
}

/// Serves the metadata of all pods of a node: the cluster finds the pod by the source address, once
/// per request. Needs [`ConnectInfo`] of a [`SocketAddr`].
pub fn node_router(cloud: &Cloud) -> Router {
    Router::new().fallback(serve_node).with_state(cloud.clone())
}

async fn serve_pod(State((cloud, pod)): State<(Cloud, PodIdentity)>, request: Request) -> Response {
    let reply = match path(&request) {
        Ok(path) => answer(&cloud, &pod, &path, &request),
        Err(reply) => reply,
    };
    marked(reply)
}

/// The node through which a connection came. As an extension of a request to [`node_router`], it
/// limits the callers to the pods of that node.
#[derive(Debug, Clone)]
pub struct OnNode(pub Arc<str>);

async fn serve_node(
    State(cloud): State<Cloud>,
    ConnectInfo(source): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let node = request.extensions().get::<OnNode>();
    let node = node.map(|OnNode(name)| &**name);
    let reply = match path(&request) {
        // A server for IPv6 sees an IPv4 address as mapped (RFC 4291, section 2.5.5.2).
        Ok(path) => match cloud
            .clusters()
            .caller(source.ip().to_canonical(), node)
            .await
        {
            Ok(pod) => answer(&cloud, &pod, &path, &request),
            Err(unknown) => refused_caller(&unknown),
        },
        Err(reply) => reply,
    };
    marked(reply)
}

/// Returns the refusal of an address. Clients try again after a 503, but not after a 403.
fn refused_caller(unknown: &NoCaller) -> Reply {
    let status = match unknown {
        NoCaller::Unknown(_) => StatusCode::FORBIDDEN,
        NoCaller::NotYet(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    Reply::Text(status, format!("{unknown}\n"))
}

/// Returns the response with the headers by which clients recognise the server.
fn marked(reply: Reply) -> Response {
    let mut response = reply.into_response();
    let headers = response.headers_mut();
    headers.insert("Metadata-Flavor", HeaderValue::from_static("Google"));
    headers.insert(
        header::SERVER,
        HeaderValue::from_static("GKE Metadata Server"),
    );
    response
}

/// An answer's status and body.
pub(crate) enum Reply {
    Text(StatusCode, String),
    Json(Value),
}

impl Reply {
    fn not_found() -> Self {
        Self::Text(StatusCode::NOT_FOUND, "Not Found\n".to_owned())
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let kind = |kind| [(header::CONTENT_TYPE, HeaderValue::from_static(kind))];
        match self {
            Self::Text(status, text) => (status, kind("application/text"), text).into_response(),
            Self::Json(value) => (kind("application/json"), value.to_string()).into_response(),
        }
    }
}

/// Returns the names of the path below `computeMetadata`, or a reply that is the same for every
/// caller.
fn path(request: &Request) -> Result<Vec<&str>, Reply> {
    let path = request.uri().path();
    // Clients that check whether they run on Google Cloud request the root without the header.
    if path == "/" {
        let text = "computeMetadata/\n".to_owned();
        return Err(Reply::Text(StatusCode::OK, text));
    }
    if let Some(refused) = refuse(request.headers()) {
        return Err(refused);
    }
    if request.method() != "GET" {
        let text = "Method Not Allowed\n".to_owned();
        return Err(Reply::Text(StatusCode::METHOD_NOT_ALLOWED, text));
    }
    match path.strip_prefix("/computeMetadata/") {
        Some(rest) => Ok(rest.split('/').filter(|name| !name.is_empty()).collect()),
        None => Err(Reply::not_found()),
    }
}

fn answer(cloud: &Cloud, pod: &PodIdentity, path: &[&str], request: &Request) -> Reply {
    let query = Parameters::read(request);
    let Some(mode) = look_up(cloud, pod) else {
        return Reply::not_found();
    };
    if let [
        "v1",
        "instance",
        "service-accounts",
        name,
        what @ ("token" | "identity"),
    ] = path
    {
        return match mode.account(cloud, pod) {
            Ok(account) if !account.is_named(name) => Reply::not_found(),
            Ok(account) if *what == "token" => token(cloud, &mode, pod, &account),
            Ok(account) => identity(cloud, &mode, pod, &account, &query),
            Err(reply) => reply,
        };
    }
    let account = match mode.account(cloud, pod) {
        Ok(account) => Some(account),
        Err(reply) if path.get(2) == Some(&"service-accounts") => return reply,
        Err(_) => None,
    };
    let root = json!({ "v1": tree::build(cloud, pod, account.as_ref()) });
    tree::show(&root, path, &query)
}

fn refuse(headers: &HeaderMap) -> Option<Reply> {
    let refuse = |text: &str| Some(Reply::Text(StatusCode::FORBIDDEN, format!("{text}\n")));
    if headers.get("Metadata-Flavor").is_none_or(|v| v != "Google") {
        return refuse("Missing required header \"Metadata-Flavor\": \"Google\"");
    }
    // A forwarded request may come from a client of the pod.
    if headers.contains_key("X-Forwarded-For") {
        return refuse("Request has the header \"X-Forwarded-For\"");
    }
    None
}

fn look_up(cloud: &Cloud, pod: &PodIdentity) -> Option<account::Mode> {
    cloud.read(|state| {
        state
            .clusters
            .get(&pod.cluster)
            .map(|c| account::Mode::of(c, pod))
    })
}

fn token(cloud: &Cloud, mode: &account::Mode, pod: &PodIdentity, account: &Account) -> Reply {
    match mode.token(cloud, pod, account) {
        Ok(token) => {
            let now = cloud.identity().clock().now();
            Reply::Json(json!({
                "access_token": token.secret,
                "expires_in": token.expires.duration_since(now).as_secs(),
                "token_type": "Bearer",
            }))
        }
        Err(reply) => reply,
    }
}

fn identity(
    cloud: &Cloud,
    mode: &account::Mode,
    pod: &PodIdentity,
    account: &Account,
    query: &Parameters,
) -> Reply {
    if query.audience.is_empty() {
        return Reply::Text(
            StatusCode::BAD_REQUEST,
            "non-empty audience parameter required\n".to_owned(),
        );
    }
    match mode.id_token(cloud, pod, account, &query.audience, query.full) {
        Ok(token) => Reply::Text(StatusCode::OK, token),
        Err(reply) => reply,
    }
}

/// The parameters of a request's query.
pub(crate) struct Parameters {
    pub(crate) recursive: bool,
    /// `text`, `json`, or empty for the default.
    pub(crate) alt: String,
    /// The audience of an id token.
    audience: String,
    /// Whether an id token contains the account's address.
    full: bool,
}

impl Parameters {
    fn read(request: &Request) -> Self {
        let query = Query::parse(request.uri().query());
        let has = |key, wanted| query.all(key).any(|v| v.eq_ignore_ascii_case(wanted));
        let first = |key| query.get(key).unwrap_or_default();
        Self {
            recursive: has("recursive", "true"),
            alt: first("alt").to_ascii_lowercase(),
            audience: first("audience").to_owned(),
            full: has("format", "full"),
        }
    }
}
