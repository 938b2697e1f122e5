use std::net::TcpListener;

use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::runtime::watcher;
use serde_json::json;
use sidestep_google::{Clock, Endpoints, Federation, JobIdentity, Variables};
use sidestep_masks::Masks;

use super::*;
use crate::failure::refused;
use crate::{Objects, Owned, Target};

/// Returns a client of an API server for which the CI gives no token, and its port.
fn without_a_token() -> (Client, TcpListener) {
    let port = TcpListener::bind("127.0.0.1:0").expect("a port");
    port.set_nonblocking(true).expect("a socket");
    let identity = JobIdentity {
        provider: "projects/1/locations/global/workloadIdentityPools/a/providers/b".to_owned(),
        service_account: None,
    };
    let federation = Federation::new(
        identity,
        Variables::default(),
        Arc::new(Endpoints::default()),
        Arc::new(Masks::new()),
        Clock::default(),
    );
    let candidate = Candidate {
        way: Way::Dns,
        host: port.local_addr().expect("an address").to_string(),
    };
    let cluster = "projects/p/locations/europe-west1/clusters/c";
    let client = connect(
        &Name::read("cluster", sidestep_google::CLUSTER, cluster).expect("a name"),
        &candidate,
        &ApiServer::default(),
        &Arc::new(Credentials::of_job(federation)),
    );
    (client.expect("a client"), port)
}

/// Returns whether a request was sent.
fn is_called(port: &TcpListener) -> bool {
    port.accept().is_ok()
}

#[tokio::test]
async fn a_creation_without_a_token_was_never_sent() {
    let (client, port) = without_a_token();
    let target = Target {
        api_version: "v1".to_owned(),
        resource: "configmaps".to_owned(),
        namespace: Some("builds".to_owned()),
    };
    let owner = Owned {
        by: "run/build/1/plan".to_owned(),
        expires: "2099-01-01T00:00:00Z".to_owned(),
    };
    let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" } });
    let objects = Objects::new(client, target);
    let not_created = objects.create(object, "a", &owner, false).await;
    let not_created = not_created.expect_err("there is no token");
    assert_eq!(not_created.failure.code, codes::identity::NO_ID_TOKEN);
    assert_eq!(not_created.failure.class, Class::Denied);
    assert!(!not_created.may_exist(), "the intent is closed");
    assert!(!is_called(&port));
}

#[tokio::test]
async fn a_watch_ends_with_the_failure_of_the_credentials() {
    let (client, port) = without_a_token();
    let objects: Api<ConfigMap> = Api::namespaced(client, "builds");
    let mut events = Box::pin(watcher(objects, watcher::Config::default()));
    let error = loop {
        match events.try_next().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    let failure = refused(&error).expect("no retry helps").failure("watch");
    assert_eq!(failure.code, codes::identity::NO_ID_TOKEN);
    assert!(!is_called(&port));
}

#[test]
fn certificates_are_read_from_their_pem() {
    let engine = &base64::engine::general_purpose::STANDARD;
    let one = engine.encode([1, 2, 3]);
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{one}\n-----END CERTIFICATE-----\n\
         -----BEGIN CERTIFICATE-----\n{one}\n-----END CERTIFICATE-----\n"
    );
    assert_eq!(
        certificates(&engine.encode(pem)),
        Some(vec![vec![1, 2, 3]; 2])
    );
    assert_eq!(certificates(&engine.encode("nothing")), None);
    assert_eq!(certificates("%%%"), None);
    let cut = "-----BEGIN CERTIFICATE-----\nAQID\n";
    assert_eq!(certificates(&engine.encode(cut)), None);
}
