mod elsewhere;
mod logins;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::{any, get};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sidestep_evaluator_guest::Native;
use sidestep_gate::{CallError, Services};
use sidestep_gate_testing::{Kept, Record, state_with};
use sidestep_google::{Credentials, Endpoints, Service};
use sidestep_policy::Capability;
use sidestep_sandbox_google::{Api, Cloud, NoClusters, Scenario, developer_credentials, router};
use sidestep_sandbox_identity::{Clock, Identity, Resource};
use sidestep_sandbox_registry::Registry as Server;
use url::Url;

use super::index::INDEX;
use super::{Registry, wit};
use crate::Calls;
use wit::Host as _;

const REPOSITORY: &str = "europe-docker.pkg.dev/demo/images/app";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = r#"{"architecture":"amd64","os":"linux"}"#;

/// The sandbox's registry, with an image in it.
struct World {
    endpoints: Endpoints,
    identity: Identity,
    folder: tempfile::TempDir,
    /// The image's digest.
    digest: String,
}

async fn serve(router: axum::Router) -> Url {
    let address = sidestep_test_harness::serve(router).await;
    address.parse().expect("a URL")
}

fn sha256(bytes: impl AsRef<[u8]>) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

impl World {
    async fn new() -> Self {
        let seed = Scenario::named("healthy").expect("it is there").seed();
        let seed = seed.expect("a seed");
        let identity = Identity::new(seed.identity(), Clock::system(), Arc::new(Native));
        let state = seed.state("2026-01-01T00:00:00Z");
        let cloud = Cloud::new(identity.clone(), state, Arc::new(NoClusters));
        let folder = tempfile::tempdir().expect("a folder");
        let known = cloud.clone();
        let exists = move |resource: &Resource| match resource {
            Resource::Repository {
                project,
                location,
                name,
            } => known.repository(project, location, name).is_some(),
            _ => false,
        };
        let server = Server::open(
            &folder.path().join("registry"),
            Arc::new(identity.clone()),
            Arc::new(exists),
        );
        let mut endpoints = Endpoints::default();
        let address = serve(server.expect("it opens").router()).await;
        endpoints.set(Service::Registry, address.clone());
        endpoints.set(Service::Sts, serve(router(&cloud, Api::Sts)).await);

        let token = identity.mint("user:dev@example.com").secret;
        let digest = push(&address, &token).await;
        Self {
            endpoints,
            identity,
            folder,
            digest,
        }
    }

    fn step(&self, member: &str, granted: &Value) -> (Calls<'static>, Arc<Kept>) {
        let subject = self.folder.path().join(member);
        std::fs::write(&subject, self.identity.mint_subject(member).secret).expect("written");
        let sts = self.endpoints.url(Service::Sts).expect("an address");
        let credentials = Credentials::external_account(developer_credentials(&sts, &subject));
        state(&self.endpoints, credentials, granted)
    }

    fn developer(&self) -> (Calls<'static>, Arc<Kept>) {
        self.step("user:dev@example.com", &json!([{ "repository": "**" }]))
    }
}

fn state(
    endpoints: &Endpoints,
    credentials: Credentials,
    granted: &Value,
) -> (Calls<'static>, Arc<Kept>) {
    let registry = Registry::new(Arc::new(endpoints.clone()), Arc::new(credentials));
    let services = Services::default().with(Arc::new(registry));
    let (state, kept) = state_with(&[(Capability::Registry, granted.clone())], services);
    (Calls(state), kept)
}

/// Pushes an image without layers under the tag `1`, as any client does.
async fn push(address: &Url, token: &str) -> String {
    let base = format!("{address}v2/{REPOSITORY}");
    let http = reqwest::Client::new();
    let begun = http
        .post(format!("{base}/blobs/uploads/"))
        .bearer_auth(token);
    let begun = begun
        .header("content-length", "0")
        .send()
        .await
        .expect("sent");
    let upload = begun.headers()["location"].to_str().expect("text");
    let upload = begun.url().join(upload).expect("a URL");
    let stored = http
        .put(upload)
        .query(&[("digest", sha256(CONFIG))])
        .bearer_auth(token)
        .body(CONFIG)
        .send()
        .await
        .expect("sent");
    assert_eq!(stored.status(), 201);
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": sha256(CONFIG), "size": CONFIG.len()},
        "layers": [],
    })
    .to_string();
    let digest = sha256(&manifest);
    let stored = http
        .put(format!("{base}/manifests/1"))
        .bearer_auth(token)
        .header("content-type", MANIFEST)
        .body(manifest)
        .send()
        .await
        .expect("sent");
    assert_eq!(stored.status(), 201);
    digest
}

#[tokio::test]
async fn an_image_is_resolved_and_read() {
    let world = World::new().await;
    let (mut step, kept) = world.step(
        "user:dev@example.com",
        &json!([{ "repository": REPOSITORY }]),
    );
    let images = vec![
        format!("{REPOSITORY}:1"),
        format!("{REPOSITORY}@{}", world.digest),
    ];
    for found in step
        .resolve(images.clone(), Vec::new())
        .await
        .expect("no trap")
    {
        let found = found.expect("it is there");
        assert_eq!(
            (&*found.digest, &*found.media_type),
            (&*world.digest, MANIFEST)
        );
        assert!(found.size > 100);
    }
    for found in step
        .manifest(images.clone(), Vec::new())
        .await
        .expect("no trap")
    {
        let found = found.expect("it is there");
        assert_eq!(sha256(&found.text), world.digest);
        assert_eq!(found.descriptor.size, found.text.len() as u64);
    }
    let query = wit::ConfigQuery {
        image: images[0].clone(),
        platform: None,
    };
    let found = step.config(vec![query], Vec::new()).await.expect("no trap");
    assert_eq!(found[0].as_deref().expect("it is there"), CONFIG);
    let asked = vec![REPOSITORY.to_owned()];
    let may = step
        .push_permission(asked, Vec::new())
        .await
        .expect("no trap");
    assert!(may[0].is_ok(), "{may:?}");
    let uploads = world.folder.path().join("registry/uploads");
    let left = std::fs::read_dir(uploads).expect("a folder").count();
    assert_eq!(left, 0, "the upload is cancelled");
    assert_eq!(kept.calls().len(), 6);
    assert!(kept.calls().iter().all(|call| call.allowed));
}

#[tokio::test]
async fn what_is_missing_or_denied_is_told_apart() {
    let world = World::new().await;
    let (mut step, _) = world.developer();
    let none = vec![
        format!("{REPOSITORY}:none"),
        "europe-docker.pkg.dev/demo/none/app:1".to_owned(),
    ];
    for found in step.manifest(none, Vec::new()).await.expect("no trap") {
        let failure = found.expect_err("it is not there");
        assert_eq!(
            (&*failure.class, &*failure.code),
            ("not-found", "registry.not-found"),
            "{failure:?}"
        );
    }
    let everything = json!([{ "repository": "**" }]);
    let (mut guest, _) = world.step("user:guest@example.com", &everything);
    let image = vec![format!("{REPOSITORY}:1")];
    let found = guest.resolve(image, Vec::new()).await.expect("no trap");
    let read = found[0].as_ref().expect_err("it is denied");
    let asked = vec![REPOSITORY.to_owned()];
    let found = guest
        .push_permission(asked, Vec::new())
        .await
        .expect("no trap");
    let pushed = found[0].as_ref().expect_err("it is denied");
    for failure in [read, pushed] {
        assert_eq!(
            (&*failure.class, &*failure.code),
            ("denied", "registry.denied"),
            "{failure:?}"
        );
    }
    assert!(
        pushed
            .message
            .contains("artifactregistry.repositories.uploadArtifacts"),
        "{pushed:?}"
    );
}

#[tokio::test]
async fn nothing_is_asked_outside_the_grant() {
    let world = World::new().await;
    let granted = json!([
        { "repository": REPOSITORY, "actions": ["resolve"] },
        { "repository": "europe-docker.pkg.dev/demo/images/app2" },
    ]);
    let (mut step, _) = world.step("user:dev@example.com", &granted);
    let image = format!("{REPOSITORY}:1");
    let found = step
        .manifest(vec![image.clone()], Vec::new())
        .await
        .expect("no trap");
    assert_eq!(found[0].as_ref().expect_err("refused").code, "grant.scope");
    let other = image.replace("/app", "/app3");
    let found = step
        .resolve(vec![other, image], Vec::new())
        .await
        .expect("no trap");
    assert_eq!(found[0].as_ref().expect_err("refused").code, "grant.scope");
    assert!(found[1].is_ok());
}

#[tokio::test]
async fn an_index_is_made_of_images_and_read_again() {
    let world = World::new().await;
    let (mut step, kept) = world.developer();
    let image = format!("{REPOSITORY}:all");
    let entries: Vec<wit::IndexEntry> = ["linux/amd64", "linux/arm64/v8"]
        .map(|platform| wit::IndexEntry {
            digest: world.digest.clone(),
            platform: platform.into(),
        })
        .into();
    let stored = step
        .put_index(image.clone(), entries, Vec::new())
        .await
        .expect("stored");
    assert_eq!(stored.media_type, INDEX);
    let found = step
        .manifest(vec![image.clone()], Vec::new())
        .await
        .expect("no trap");
    let found = found[0].as_ref().expect("it is there");
    assert_eq!(found.descriptor.digest, stored.digest);
    let text: Value = serde_json::from_str(&found.text).expect("JSON");
    assert_eq!(
        text["manifests"][1]["platform"],
        json!({"os": "linux", "architecture": "arm64", "variant": "v8"})
    );
    let query = |platform: Option<&str>| wit::ConfigQuery {
        image: image.clone(),
        platform: platform.map(Into::into),
    };
    let queries = [
        Some("linux/arm64"),
        Some("linux/arm64/v7"),
        Some("linux"),
        None,
    ]
    .map(query);
    let found = step
        .config(queries.into(), Vec::new())
        .await
        .expect("no trap");
    assert_eq!(found[0].as_deref().expect("it is there"), CONFIG);
    for found in &found[1..] {
        let failure = found.as_ref().expect_err("none is meant");
        assert_eq!(failure.code, "registry.platform");
        assert_eq!(
            sidestep_gate_testing::help(failure),
            ["choose one of its platforms: linux/amd64, linux/arm64/v8"]
        );
    }
    let records: Vec<Record> = kept
        .records()
        .into_iter()
        .filter(|record| !matches!(record, Record::Event(_)))
        .collect();
    let [Record::Intent(intent), Record::Done(done)] = &records[..] else {
        panic!("{records:?}");
    };
    assert_eq!((&*intent.kind, &*intent.name), ("index", "all"));
    assert_eq!(done.id.as_deref(), Some(&*stored.digest));
    // An index cannot contain an image that does not exist.
    let entry = wit::IndexEntry {
        digest: sha256("nothing"),
        platform: "linux/amd64".into(),
    };
    let failed = step.put_index(image, vec![entry], Vec::new()).await;
    let Err(CallError::Failure(failure)) = failed else {
        panic!("{failed:?}");
    };
    assert_eq!(failure.code, "registry.not-found");
}

/// Starts a registry that does not belong to Google, and returns its endpoints.
async fn stranger(router: axum::Router) -> Endpoints {
    let mut endpoints = Endpoints::default();
    endpoints.set(Service::Registry, serve(router).await);
    endpoints
}

#[tokio::test]
async fn a_strangers_registry_gets_a_token_for_nobody() {
    let manifest = |headers: HeaderMap| async move {
        match headers
            .get("authorization")
            .map(|value| value.to_str().expect("text"))
        {
            None => {
                let host = headers["host"].to_str().expect("text").to_owned();
                let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"r\"");
                (StatusCode::UNAUTHORIZED, [("www-authenticate", challenge)]).into_response()
            }
            Some("Bearer nobody") => ([("content-type", MANIFEST)], "{}").into_response(),
            Some(other) => panic!("{other}"),
        }
    };
    let router = axum::Router::new()
        .route("/v2/ghcr.io/a/b/manifests/1", get(manifest))
        .route(
            "/token",
            get(|| async { axum::Json(json!({"token": "nobody"})) }),
        );
    let endpoints = stranger(router).await;
    let everything = json!([{ "repository": "**" }]);
    let credentials = serde_json::json!({"type": "external_account"});
    // Unreadable credentials are not even searched for.
    let credentials = Credentials::external_account(credentials);
    let (mut step, _) = state(&endpoints, credentials, &everything);
    let found = step
        .manifest(vec!["ghcr.io/a/b:1".into()], Vec::new())
        .await;
    let found = found.expect("no trap");
    assert_eq!(found[0].as_ref().expect("it is there").text, "{}");
}

#[tokio::test]
async fn what_a_hostile_registry_sends_is_bounded_and_checked() {
    const CHUNK: usize = 64 << 10;
    let elsewhere = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&elsewhere);
    let endless = || async {
        let chunks = futures::stream::repeat_with(|| {
            Ok::<_, std::io::Error>(Bytes::from(vec![b' '; CHUNK]))
        });
        Body::from_stream(chunks)
    };
    let router = axum::Router::new()
        .route("/v2/ghcr.io/a/b/manifests/endless", any(endless))
        .route(
            "/v2/ghcr.io/a/b/manifests/moved",
            any(|| async { axum::response::Redirect::temporary("/elsewhere") }),
        )
        .route(
            "/v2/ghcr.io/a/b/manifests/circle",
            any(|| async { axum::response::Redirect::temporary("circle") }),
        )
        .route(
            "/elsewhere",
            any(move || {
                counted.fetch_add(1, Ordering::Relaxed);
                async { "{}" }
            }),
        )
        .fallback(any(|| async { "{}" }));
    let endpoints = stranger(router).await;
    let everything = json!([{ "repository": "**" }]);
    let (mut step, _) = state(&endpoints, Credentials::anonymous(), &everything);
    let other = format!("ghcr.io/a/b@{}", sha256("other"));
    let images = [
        "ghcr.io/a/b:endless",
        "ghcr.io/a/b:circle",
        &other,
        "a/../b:1",
    ];
    let images: Vec<String> = images.map(Into::into).into();
    let found = step.manifest(images, Vec::new()).await.expect("no trap");
    let codes: Vec<&str> = found
        .iter()
        .map(|found| &*found.as_ref().expect_err("a failure").code)
        .collect();
    assert_eq!(
        codes,
        [
            "http.too-large",
            "registry.failed",
            "registry.digest",
            "registry.name"
        ]
    );
    assert_eq!(elsewhere.load(Ordering::Relaxed), 0);
    // The specification lets a registry redirect any read.
    let moved = vec!["ghcr.io/a/b:moved".to_owned()];
    let found = step.manifest(moved, Vec::new()).await.expect("no trap");
    assert_eq!(found[0].as_ref().expect("followed").text, "{}");
    assert_eq!(elsewhere.load(Ordering::Relaxed), 1);
}
