//! The routing of Google's host names to servers.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::uri::{PathAndQuery, Uri};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use sidestep_sandbox_base::OverTls;
use sidestep_sandbox_base::names::{self, STORAGE, Server};
use tower::ServiceExt as _;

/// The servers behind the names.
#[derive(Clone)]
pub(crate) struct Backends {
    /// The control plane, which routes to its APIs itself.
    pub(crate) google: Router,
    /// Cloud Storage.
    pub(crate) storage: Router,
    /// The image registry.
    pub(crate) registry: Router,
    /// The cluster's API server, behind the check of its DNS endpoint.
    pub(crate) cluster: Router,
}

impl Backends {
    /// Returns a router of all servers at one address, by the request's host name.
    pub(crate) fn router(self) -> Router {
        Router::new().fallback(answer).with_state(self)
    }
}

/// The target of a request.
#[derive(Debug, PartialEq, Eq)]
enum Place<'a> {
    Google,
    Storage,
    /// A bucket's own host name: the object is the whole path.
    Bucket(&'a str),
    Registry,
    Cluster,
}

fn place<'a>(host: &'a str, path: &str) -> Place<'a> {
    let bucket = host
        .strip_suffix(STORAGE)
        .and_then(|bucket| bucket.strip_suffix('.'));
    if let Some(bucket) = bucket {
        return Place::Bucket(bucket);
    }
    let of_storage = ["/storage/", "/upload/storage/", "/download/storage/"];
    match names::server(host) {
        Some(Server::Storage) => Place::Storage,
        // The shared paths from before each API had its own name.
        Some(Server::Apis)
            if host == "www.googleapis.com"
                && of_storage.iter().any(|start| path.starts_with(start)) =>
        {
            Place::Storage
        }
        Some(Server::Apis) => Place::Google,
        Some(Server::Cluster) => Place::Cluster,
        Some(Server::Registry) | None => Place::Registry,
    }
}

async fn answer(State(backends): State<Backends>, mut request: Request) -> Response {
    if is_grpc(request.headers()) {
        return no_grpc();
    }
    let host = host(&request);
    request.extensions_mut().insert(OverTls);
    let router = match place(&host, request.uri().path()) {
        Place::Google => backends.google,
        Place::Registry => backends.registry,
        Place::Cluster => backends.cluster,
        place => {
            if let Place::Bucket(bucket) = place {
                let inside = below(request.uri(), bucket);
                *request.uri_mut() = inside.unwrap_or_else(|| request.uri().clone());
            }
            backends.storage
        }
    };
    match router.oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

/// Returns the host name of a request, in lower case and without its port.
pub(crate) fn host(request: &Request) -> String {
    let named = request.uri().host().or_else(|| {
        let value = request.headers().get(header::HOST)?.to_str().ok()?;
        Some(value.rsplit_once(':').map_or(value, |(host, _)| host))
    });
    named.unwrap_or_default().to_ascii_lowercase()
}

/// Returns the URI with the bucket of a bucket's own host name in its path.
fn below(uri: &Uri, bucket: &str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    let path = parts.path_and_query.as_ref()?.as_str();
    parts.path_and_query = Some(format!("/{bucket}{path}").parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// Returns gRPC's status 12 (UNIMPLEMENTED).
fn no_grpc() -> Response {
    let head = [
        ("content-type", "application/grpc"),
        ("grpc-status", "12"),
        (
            "grpc-message",
            "the sandbox speaks only REST; create the client with transport=\"rest\"",
        ),
    ];
    (StatusCode::OK, head, Body::empty()).into_response()
}

#[cfg(test)]
mod tests {
    use sidestep_sandbox_google::Api;

    use super::*;

    #[test]
    fn each_name_has_its_server() {
        for (host, path, expected) in [
            ("iam.googleapis.com", "/v1/projects/demo", Place::Google),
            ("storage.googleapis.com", "/demo/o", Place::Storage),
            ("www.googleapis.com", "/storage/v1/b", Place::Storage),
            ("www.googleapis.com", "/oauth2/v3/certs", Place::Google),
            ("demo.storage.googleapis.com", "/o", Place::Bucket("demo")),
            ("europe-docker.pkg.dev", "/v2/", Place::Registry),
            ("eu.gcr.io", "/v2/", Place::Registry),
        ] {
            assert_eq!(place(host, path), expected, "{host}{path}");
        }
    }

    #[test]
    fn the_table_has_every_apis_name() {
        let listed = names::all();
        for api in Api::ALL {
            let host = api.host();
            assert!(listed.iter().any(|name| name == host), "{host}");
            assert_eq!(place(host, "/"), Place::Google);
        }
    }

    #[test]
    fn a_buckets_own_name_becomes_a_path() {
        let uri = Uri::from_static("https://demo.storage.googleapis.com/a%2Fb?x=1");
        let below = below(&uri, "demo").unwrap();
        assert_eq!(below.path_and_query().unwrap(), "/demo/a%2Fb?x=1");
    }
}
