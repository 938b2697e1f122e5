//! Malicious answers and names.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::response::Redirect;
use axum::routing::any;
use serde_json::json;
use sidestep_bindings::sidestep::gcp::types::PolicyResource;
use sidestep_bindings::sidestep::gcp::{gke, iam};
use sidestep_gate::Secret;
use sidestep_google::{Credentials, Endpoints, Service};
use sidestep_policy::Capability;

use super::world::{CLUSTER, everything, serve, state};

#[tokio::test]
async fn an_answer_without_an_end_is_cut() {
    use gke::Host as _;
    use iam::Host as _;
    const CHUNK: usize = 64 << 10;
    let sent = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&sent);
    let endless = move || {
        let counted = Arc::clone(&counted);
        async move {
            let chunks = futures::stream::repeat_with(move || {
                counted.fetch_add(CHUNK as u64, Ordering::Relaxed);
                Ok::<_, std::io::Error>(Bytes::from(vec![b' '; CHUNK]))
            });
            Body::from_stream(chunks)
        }
    };
    let mut endpoints = Endpoints::default();
    let router = axum::Router::new().fallback(any(endless));
    let here = serve(router).await;
    endpoints.set(Service::Iam, here.clone());
    endpoints.set(Service::Container, here);
    let step = |capability| {
        let granted = everything(capability);
        state(&endpoints, Credentials::anonymous(), capability, &granted).0
    };
    let pools = vec![iam::Query::Pools("demo".into())];
    let pools = step(Capability::Iam).read(pools).await.expect("no trap");
    let after_pools = sent.load(Ordering::Relaxed);
    let clusters = vec![CLUSTER.into()];
    let clusters = step(Capability::Gke).clusters(clusters).await;
    let clusters = clusters.expect("no trap");
    for failure in [pools[0].as_ref().err(), clusters[0].as_ref().err()] {
        let failure = failure.expect("it is cut");
        assert_eq!(
            (&*failure.class, &*failure.code),
            ("exhausted", "http.too-large")
        );
    }
    // The amount read is limited. Some more is buffered in the sockets.
    let sent = sent.load(Ordering::Relaxed);
    for sent in [after_pools, sent - after_pools] {
        assert!(sent < 64 << 20, "{sent} bytes were taken");
    }
}

#[tokio::test]
async fn a_list_without_an_end_is_cut() {
    use iam::Host as _;
    let pages = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&pages);
    let endless = move || {
        let page = counted.fetch_add(1, Ordering::Relaxed);
        async move {
            axum::Json(json!({"accounts": [{"email": "a"}], "nextPageToken": page.to_string()}))
        }
    };
    let mut endpoints = Endpoints::default();
    let router = axum::Router::new().fallback(any(endless));
    endpoints.set(Service::Iam, serve(router).await);
    let (mut step, _) = state(
        &endpoints,
        Credentials::anonymous(),
        Capability::Iam,
        &everything(Capability::Iam),
    );
    let found = step
        .read(vec![iam::Query::ServiceAccounts("demo".into())])
        .await
        .expect("no trap");
    let failure = found[0].as_ref().expect_err("it is cut");
    assert_eq!(failure.code, "google.too-many");
    assert_eq!(pages.load(Ordering::Relaxed), 50);
}

#[tokio::test]
async fn an_answer_of_another_form_is_a_failure() {
    use gke::Host as _;
    for answer in [
        "null",
        "[]",
        "\"x\"",
        "{\"status\":{}}",
        "{\"nodePools\":{}}",
        "{",
    ] {
        let mut endpoints = Endpoints::default();
        let router = axum::Router::new().fallback(any(move || async move { answer }));
        endpoints.set(Service::Container, serve(router).await);
        let (mut step, _) = state(
            &endpoints,
            Credentials::anonymous(),
            Capability::Gke,
            &everything(Capability::Gke),
        );
        let clusters = step.clusters(vec![CLUSTER.into()]).await.expect("no trap");
        let pools = step
            .node_pools(vec![CLUSTER.into()])
            .await
            .expect("no trap");
        let wrong = clusters[0].is_err() || pools[0].is_err();
        assert!(wrong, "{answer}: {clusters:?} {pools:?}");
        for failure in [clusters[0].as_ref().err(), pools[0].as_ref().err()] {
            let Some(failure) = failure else { continue };
            assert_eq!(failure.class, "failed", "{answer}: {failure:?}");
        }
    }
}

/// Credentials go only to the endpoints that the operator configured.
#[tokio::test]
async fn credentials_follow_no_redirect() {
    use gke::Host as _;
    use iam::Host as _;
    let reached = Arc::new(AtomicUsize::new(0));
    let followed = Arc::clone(&reached);
    let other = axum::Router::new().fallback(any(move || {
        followed.fetch_add(1, Ordering::Relaxed);
        async { axum::Json(json!({})) }
    }));
    let target = serve(other).await.to_string();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let router = axum::Router::new().fallback(any(move |headers: HeaderMap| {
        assert!(headers.contains_key("authorization"), "{headers:?}");
        counted.fetch_add(1, Ordering::Relaxed);
        let target = target.clone();
        async move { Redirect::temporary(&target) }
    }));
    let here = serve(router).await;
    let mut endpoints = Endpoints::default();
    endpoints.set(Service::Container, here.clone());
    endpoints.set(Service::Iam, here);
    let credentials = || Credentials::token(&Secret::new("ya29.token"));
    let (mut step, _) = state(
        &endpoints,
        credentials(),
        Capability::Gke,
        &everything(Capability::Gke),
    );
    let clusters = step.clusters(vec![CLUSTER.into()]).await.expect("no trap");
    let (mut step, _) = state(
        &endpoints,
        credentials(),
        Capability::Iam,
        &everything(Capability::Iam),
    );
    let pools = step.read(vec![iam::Query::Pools("demo".into())]).await;
    let pools = pools.expect("no trap");
    for failure in [clusters[0].as_ref().err(), pools[0].as_ref().err()] {
        assert_eq!(failure.expect("no answer").code, "google.failed");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert_eq!(reached.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_never_sent() {
    use gke::Host as _;
    use iam::Host as _;
    let reached = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reached);
    let router = axum::Router::new().fallback(any(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { axum::Json(json!({})) }
    }));
    let here = serve(router).await;
    let mut endpoints = Endpoints::default();
    for service in Service::ALL {
        endpoints.set(service, here.clone());
    }
    let (mut step, _) = state(
        &endpoints,
        Credentials::anonymous(),
        Capability::Gke,
        &everything(Capability::Gke),
    );
    let names = [
        "projects/demo/locations/x/clusters/../../../other",
        "projects/demo/locations/x/clusters/..",
        "projects/demo/locations/x/clusters/ci?a",
        "//elsewhere.example/x",
        "@elsewhere.example",
        "",
    ];
    let names: Vec<String> = names.map(Into::into).into();
    for found in step.clusters(names).await.expect("no trap") {
        assert_eq!(found.expect_err("refused").code, "google.name");
    }
    let (mut step, _) = state(
        &endpoints,
        Credentials::anonymous(),
        Capability::Iam,
        &everything(Capability::Iam),
    );
    let queries = vec![
        iam::Query::ServiceAccount("a@b/../../projects/other".into()),
        iam::Query::ServiceAccounts("demo/serviceAccounts/x:disable?".into()),
        iam::Query::Policy(PolicyResource::Bucket("b/../../o".into())),
        iam::Query::Policy(PolicyResource::Bucket("..".into())),
        iam::Query::Policy(PolicyResource::Project("demo:setIamPolicy#".into())),
        iam::Query::Role("roles/../projects".into()),
        iam::Query::Role("permissions".into()),
        iam::Query::Pool("projects/demo/locations/eu/workloadIdentityPools/x".into()),
        iam::Query::Provider("x".into()),
    ];
    for found in step.read(queries).await.expect("no trap") {
        assert_eq!(found.expect_err("refused").code, "google.name");
    }
    assert_eq!(reached.load(Ordering::Relaxed), 0);
}
