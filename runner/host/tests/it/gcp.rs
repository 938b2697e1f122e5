//! Google's control plane, registries and other hosts from a guest: what is not granted is refused, and nothing is sent.

use std::sync::Arc;

use serde_json::{Value, json};
use sidestep_capabilities::Services;
use sidestep_capabilities::google::{ControlPlane, Credentials, Endpoints, Service};
use sidestep_capabilities::registry::Registry;
use sidestep_events::Class;
use sidestep_policy::Capability;

use crate::guest::Guest;
use crate::sink::{Step, granted, host};

/// A step that is granted this, and whose Google is an address that nobody listens at.
fn step(capability: Capability, written: &Value) -> Step {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nowhere = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let mut endpoints = Endpoints::default();
    for service in Service::ALL {
        endpoints.set(service, nowhere.parse().expect("a URL"));
    }
    let (endpoints, nobody) = (Arc::new(endpoints), Arc::new(Credentials::anonymous()));
    let google = ControlPlane::new(Arc::clone(&endpoints), Arc::clone(&nobody));
    let registry = Registry::new(endpoints, nobody).expect("a client");
    let mut step = Step::new();
    step.scopes = granted(capability, written);
    step.services = Arc::new(Services {
        google: Some(google.expect("a client")),
        registry: Some(Arc::new(registry)),
        http: Some(Arc::default()),
        ..Services::default()
    });
    step
}

/// Calls a function that takes a list with one name, and answers with its failure.
fn asks(interface: &str, function: &str, key: &str, name: &str) -> Guest {
    let run = format!(
        "(i32.store (i32.const 700) (i32.const 1024))
         (i32.store (i32.const 704) (i32.const {}))
         (call $ask (i32.const 700) (i32.const 1) (i32.const 512))
         (i32.load (i32.const 512))",
        name.len()
    );
    Guest::new(&run)
        .import(&format!(
            r#"(import "sidestep:{interface}@0.1.0" "{function}" (func $ask (param i32 i32 i32)))"#
        ))
        .data(name)
        .requests(key)
}

async fn refused(guest: &Guest, capability: Capability, written: &Value, what: &str) {
    let plugin = host().load(&guest.build()).expect("it loads");
    let step = step(capability, written);
    let failure = step.run(&plugin).await.expect_err("it is refused");
    assert_eq!(failure.class, Class::Refused, "{failure:?}");
    assert_eq!(failure.code, "grant.scope");
    assert_eq!(
        failure.message,
        format!("the step may not {what}: that is outside what it is granted")
    );
    let [call] = &step.kept.calls()[..] else {
        panic!("one call");
    };
    assert_eq!((call.allowed, call.target.exact()), (false, what));
}

#[tokio::test]
async fn project_no_permission() {
    let guest = asks("gcp/project", "get", "project", "demo");
    let written = json!([{ "project": "other" }]);
    refused(&guest, Capability::Project, &written, "get project demo").await;
}

#[tokio::test]
async fn gke_no_permission() {
    let cluster = "projects/demo/locations/europe-west1/clusters/ci";
    let guest = asks("gcp/gke", "clusters", "gke", cluster);
    let written = json!([{ "cluster": cluster, "actions": ["listNodePools"] }]);
    let what = format!("get cluster {cluster}");
    refused(&guest, Capability::Gke, &written, &what).await;
}

#[tokio::test]
async fn artifact_registry_no_permission() {
    let repository = "projects/demo/locations/europe/repositories/images";
    let guest = asks(
        "gcp/artifact-registry",
        "repositories",
        "artifactRegistry",
        repository,
    );
    let written = json!([{ "repository": "europe-docker.pkg.dev/demo/other" }]);
    let what = format!("get repository {repository}");
    refused(&guest, Capability::ArtifactRegistry, &written, &what).await;
}

#[tokio::test]
async fn secret_manager_no_permission() {
    let version = "projects/demo/secrets/greeting/versions/latest";
    let guest = asks("gcp/secret-manager", "access", "secretManager", version);
    let written = json!([{ "secret": "projects/demo/secrets/other" }]);
    let what = "use secret projects/demo/secrets/greeting";
    refused(&guest, Capability::SecretManager, &written, what).await;
}

#[tokio::test]
async fn iam_no_permission() {
    let email = "builder@demo.iam.gserviceaccount.com";
    // A query is a case, here the first, and its text.
    let run = format!(
        "(i32.store (i32.const 704) (i32.const 1024))
         (i32.store (i32.const 708) (i32.const {}))
         (call $ask (i32.const 700) (i32.const 1) (i32.const 512))
         (i32.load (i32.const 512))",
        email.len()
    );
    let guest = Guest::new(&run)
        .import(r#"(import "sidestep:gcp/iam@0.1.0" "read" (func $ask (param i32 i32 i32)))"#)
        .data(email)
        .requests("iam");
    let written = json!([{ "project": "demo", "actions": ["getPolicy"] }]);
    let what = format!("get projects/demo/serviceAccounts/{email}");
    refused(&guest, Capability::Iam, &written, &what).await;
}

#[tokio::test]
async fn iam_write_no_permission() {
    // The project's id, the account's id, neither a display name nor a description.
    let guest = Guest::new(
        "(call $make (i32.const 1024) (i32.const 4) (i32.const 1028) (i32.const 7)
           (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
           (i32.const 512))
         (i32.const 512)",
    )
    .import(
        r#"(import "sidestep:gcp/iam-write@0.1.0" "create-service-account"
             (func $make (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#,
    )
    .data("demobuilder")
    .requests("iamWrite");
    let written = json!([{ "resource": "projects/demo/serviceAccounts/other@**" }]);
    let what = "make projects/demo/serviceAccounts/builder@demo.iam.gserviceaccount.com";
    refused(&guest, Capability::IamWrite, &written, what).await;
}

#[tokio::test]
async fn registry_no_permission() {
    let image = "europe-docker.pkg.dev/demo/images/app:1";
    let guest = asks("registry/images", "resolve", "registry", image);
    let written = json!([{ "repository": "europe-docker.pkg.dev/demo/images/app2" }]);
    let what = "resolve europe-docker.pkg.dev/demo/images/app";
    refused(&guest, Capability::Registry, &written, what).await;
}

#[tokio::test]
async fn http_no_permission() {
    // Method and URL; no parameters, headers, body or time limit; any answer.
    let url = "https://hooks.example.com/a";
    let run = format!(
        "(call $send (i32.const 1024) (i32.const 3) (i32.const 1027) (i32.const {})
           (i32.const 8) (i32.const 0) (i32.const 8) (i32.const 0)
           (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
           (i32.const 0) (i64.const 0) (i64.const 1000)
           (i32.const 512))
         (i32.const 512)",
        url.len()
    );
    let guest = Guest::new(&run)
        .import(
            r#"(import "sidestep:http/client@0.1.0" "send" (func $send
                 (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i64 i32)))"#,
        )
        .data("GET")
        .data(url)
        .requests("http");
    let written = json!([{ "host": "hooks.example.com", "methods": ["POST"] }]);
    let what = "GET https://hooks.example.com/a";
    refused(&guest, Capability::Http, &written, what).await;
}
