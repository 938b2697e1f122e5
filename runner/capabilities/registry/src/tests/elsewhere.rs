//! The addresses that a registry's answers name.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::http::Uri;
use axum::response::{Redirect, Response};
use sidestep_internet_testing::Internet;
use sidestep_transport::{self as transport, Lazy, Public};

use super::*;

const REGISTRY: &str = "registry.example.com";
const OTHER: &str = "other.example.com";
const PUBLIC: &str = "93.184.215.14";
const OTHER_PUBLIC: &str = "93.184.215.15";
const PRIVATE: &str = "10.0.0.7";

/// The paths of the requests to the other server.
type Requests = Arc<Mutex<Vec<String>>>;

/// Returns a registry that redirects the read of the tag `moved` to `to`, and requires a token of
/// `to` for any other.
fn registry(to: String) -> axum::Router {
    let answer = move |uri: Uri, headers: HeaderMap| {
        let to = to.clone();
        async move {
            let answer: Response = if uri.path().ends_with("/manifests/moved") {
                Redirect::temporary(&format!("{to}/moved")).into_response()
            } else if headers.contains_key("authorization") {
                "{}".into_response()
            } else {
                let challenge = format!("Bearer realm=\"{to}/token\"");
                (StatusCode::UNAUTHORIZED, [("www-authenticate", challenge)]).into_response()
            };
            answer
        }
    };
    axum::Router::new().fallback(any(answer))
}

/// Returns a server that answers everything, as a token service as well.
fn other() -> (axum::Router, Requests) {
    let requests = Requests::default();
    let kept = Arc::clone(&requests);
    let answer = move |uri: Uri, headers: HeaderMap| {
        assert!(!headers.contains_key("authorization"), "{headers:?}");
        kept.lock().expect("no panic").push(uri.path().to_owned());
        async { axum::Json(json!({"token": "t0ken"})) }
    };
    (axum::Router::new().fallback(any(answer)), requests)
}

/// An internet with a registry at one address and another server at another.
struct Servers {
    internet: Internet,
    /// The registry's address on this machine.
    registry: SocketAddr,
    requests: Requests,
}

/// Returns a registry that names `to`.
async fn servers(at: &str, other_at: &str, to: &str) -> Servers {
    let internet = Internet::new(&[REGISTRY, OTHER]);
    let (router, requests) = other();
    let other = internet.serve(router).await;
    let registry = internet.serve(registry(to.to_owned())).await;
    let internet = internet.named(REGISTRY, &[at]).named(OTHER, &[other_at]);
    let internet = internet.routed(at, registry).routed(other_at, other);
    Servers {
        internet,
        registry,
        requests,
    }
}

impl Servers {
    /// Reads an image's manifest; a failure is its code.
    async fn read(&self, image: &str) -> Result<(), String> {
        let endpoints = Arc::new(Endpoints::default());
        let mut registry = Registry::new(endpoints, Arc::new(Credentials::anonymous()));
        let (all, public) = (self.internet.builder(false), self.internet.builder(true));
        registry.0.http = Lazy::new(move || all(transport::builder()));
        registry.0.public = Public::new(move |_| public(transport::builder()));
        let services = Services::default().with(Arc::new(registry));
        let everything = json!([{ "repository": "**" }]);
        let (state, _) = state_with(&[(Capability::Registry, everything)], services);
        let found = Calls(state)
            .manifest(vec![image.to_owned()], Vec::new())
            .await;
        match found.expect("no trap").remove(0) {
            Ok(_) => Ok(()),
            Err(failure) => Err(failure.code),
        }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

#[tokio::test]
async fn what_a_registry_names_is_public_or_as_near_as_it_is() {
    let image = |tag: &str| format!("{REGISTRY}/b:{tag}");
    let named = "https://other.example.com";
    let public = servers(PUBLIC, OTHER_PUBLIC, named).await;
    for tag in ["moved", "1"] {
        assert_eq!(public.read(&image(tag)).await, Ok(()), "{tag}");
    }
    assert_eq!(public.requests(), ["/moved", "/token"]);

    for to in [
        named,
        "https://10.0.0.7",
        "https://[::ffff:10.0.0.7]",
        "https://127.0.0.1",
        "https://metadata.google.internal.",
        "https://localhost",
    ] {
        let private = servers(PUBLIC, PRIVATE, to).await;
        for tag in ["moved", "1"] {
            let read = private.read(&image(tag)).await;
            assert_eq!(read, Err("http.address".to_owned()), "{to} {tag}");
        }
        assert_eq!(private.requests(), Vec::<String>::new());
    }

    // This registry answers at the address and port that were asked for, and it is a private one.
    let near = servers("10.0.0.8", PRIVATE, named).await;
    let port = near.registry.port();
    for tag in ["moved", "1"] {
        let image = format!("{REGISTRY}:{port}/b:{tag}");
        assert_eq!(near.read(&image).await, Ok(()), "{tag}");
    }
    assert_eq!(near.requests(), ["/moved", "/token"]);
}
