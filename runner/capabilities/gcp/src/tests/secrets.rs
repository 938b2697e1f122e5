use axum::routing::any;
use serde_json::{Value, json};
use sidestep_bindings::sidestep::gcp::secret_manager::Host as _;
use sidestep_google::{Credentials, Endpoints, Service};
use sidestep_policy::Capability;

use super::world::{World, everything, serve, state};

const GREETING: &str = "projects/demo/secrets/greeting";
const TEXT: &str = "hello from Secret Manager";

#[tokio::test]
async fn a_version_is_a_handle_and_masked_from_then_on() {
    let world = World::new().await;
    let granted = json!([{ "secret": GREETING }]);
    let (mut step, kept) = world.step(Capability::SecretManager, &granted);
    let versions = ["latest", "1"].map(|version| format!("{GREETING}/versions/{version}"));
    let found = step.access(versions.into()).await.expect("no trap");
    for found in &found {
        let handle = found.as_ref().expect("it is there");
        let secret = step.table.get(handle).expect("it lives");
        assert_eq!(secret.expose(), TEXT);
    }
    assert_eq!(
        step.step.masks.text(&format!("it is {TEXT}!")),
        "it is ***!"
    );
    assert_eq!(kept.calls()[0].target, format!("use secret {GREETING}"));
}

#[tokio::test]
async fn what_can_not_be_had_is_a_failure() {
    let world = World::new().await;
    let (mut step, _) = world.step(
        Capability::SecretManager,
        &everything(Capability::SecretManager),
    );
    let versions = vec![
        format!("{GREETING}/versions/9"),
        "projects/demo/secrets/none/versions/latest".to_owned(),
        GREETING.to_owned(),
        format!("{GREETING}/versions/..:destroy"),
    ];
    let found = step.access(versions.clone()).await.expect("no trap");
    let codes: Vec<String> = found
        .into_iter()
        .map(|found| found.expect_err("a failure").code)
        .collect();
    assert_eq!(
        codes,
        [
            "google.not-found",
            "google.not-found",
            "google.name",
            "google.name"
        ]
    );
    let mut guest = world.guest(Capability::SecretManager);
    let latest = vec![format!("{GREETING}/versions/latest")];
    let found = guest.access(latest.clone()).await.expect("no trap");
    let failure = found[0].as_ref().expect_err("it is denied");
    assert_eq!(
        (&*failure.class, &*failure.code),
        ("denied", "google.permission-denied")
    );
    let world = World::without("secretmanager.googleapis.com").await;
    let (mut step, _) = world.step(
        Capability::SecretManager,
        &everything(Capability::SecretManager),
    );
    let found = step.access(latest.clone()).await.expect("no trap");
    let failure = found[0].as_ref().expect_err("it is disabled");
    assert_eq!(failure.code, "google.api-disabled");
    let (mut step, _) = world.step(
        Capability::SecretManager,
        &json!([{ "secret": "projects/demo/secrets/greet" }]),
    );
    let found = step.access(latest).await.expect("no trap");
    let failure = found[0].as_ref().expect_err("it is refused");
    assert_eq!(failure.code, "grant.scope");
}

#[tokio::test]
async fn payloads_that_can_not_be_used_are_told_apart() {
    let answer = |data: &str, sum: Value| json!({"payload": {"data": data, "dataCrc32c": sum}});
    for (answer, code) in [
        // `hello`, with the checksum of another text, with no checksum, and with invalid base64.
        (answer("aGVsbG8=", "1".into()), Some("secret.damaged")),
        (answer("aGVsbG8=", Value::Null), None),
        (answer("?", Value::Null), Some("http.unexpected")),
        (answer("/w==", Value::Null), Some("secret.not-text")),
        // An empty text, `abc`, and `a`, NUL, NUL, `b`: none of them can be masked.
        (answer("", Value::Null), Some("secret.too-short")),
        (answer("YWJj", Value::Null), Some("secret.too-short")),
        (answer("YQAAYg==", Value::Null), Some("secret.too-short")),
    ] {
        let router = axum::Router::new().fallback(any(move || async move { axum::Json(answer) }));
        let mut endpoints = Endpoints::default();
        endpoints.set(Service::SecretManager, serve(router).await);
        let (mut step, _) = state(
            &endpoints,
            Credentials::anonymous(),
            Capability::SecretManager,
            &everything(Capability::SecretManager),
        );
        let latest = vec![format!("{GREETING}/versions/latest")];
        let found = step.access(latest).await.expect("no trap");
        assert_eq!(found[0].as_ref().err().map(|why| &*why.code), code);
    }
}
