//! The failure of a guest that calls a function of the contract without a grant: one row for each
//! capability. Nothing is sent.

mod calls;
mod services;

use serde_json::{Value, json};
use sidestep_capabilities::CAPABILITIES;
use sidestep_events::{Class, Failure, Owner};
use sidestep_policy::Capability;

use crate::guest::Guest;
use crate::sink::{Step, granted, host};

/// A call that is denied, and the expected failure.
struct Row {
    capability: Capability,
    guest: Guest,
    /// A grant that does not cover the call.
    other: Value,
    /// The call in words.
    what: &'static str,
    /// The other grant in words.
    may: &'static str,
}

const CLUSTER: &str = "projects/demo/locations/europe-west1/clusters/ci";

fn rows() -> Vec<Row> {
    let row = |capability, guest, other, what, may| Row {
        capability,
        guest,
        other,
        what,
        may,
    };
    vec![
        row(
            Capability::Workspace,
            calls::workspace("key.pem"),
            json!([{ "read": ["src/**"] }]),
            "read key.pem",
            "read src/**",
        ),
        row(
            Capability::Storage,
            calls::list(
                "storage/objects",
                "stat",
                "storage",
                &[(0, "contexts"), (8, "a/x")],
                &[],
            ),
            json!([{ "bucket": "contexts", "actions": ["create"] }]),
            "get gs://contexts/a/x",
            "create objects in gs://contexts/",
        ),
        row(
            Capability::Project,
            calls::list("gcp/project", "get", "project", &[(0, "demo")], &[]),
            json!([{ "project": "other" }]),
            "get project demo",
            "use project other",
        ),
        row(
            Capability::Iam,
            // A query is a variant, here the first one, and its text.
            calls::list(
                "gcp/iam",
                "read",
                "iam",
                &[(4, "builder@demo.iam.gserviceaccount.com")],
                &[],
            ),
            json!([{ "project": "demo", "actions": ["getPolicy"] }]),
            "get projects/demo/serviceAccounts/builder@demo.iam.gserviceaccount.com",
            "getPolicy IAM of project demo",
        ),
        row(
            Capability::IamWrite,
            calls::create_account("demo", "builder"),
            json!([{ "resource": "projects/demo/serviceAccounts/other@**", "roles": "roles/viewer", "members": "user:dev@example.com" }]),
            "create projects/demo/serviceAccounts/builder@demo.iam.gserviceaccount.com",
            "set roles/viewer for user:dev@example.com on projects/demo/serviceAccounts/other@**",
        ),
        row(
            Capability::Gke,
            calls::list("gcp/gke", "clusters", "gke", &[(0, CLUSTER)], &[]),
            json!([{ "cluster": CLUSTER, "actions": ["listNodePools"] }]),
            "get cluster projects/demo/locations/europe-west1/clusters/ci",
            "listNodePools GKE cluster projects/demo/locations/europe-west1/clusters/ci",
        ),
        row(
            Capability::ArtifactRegistry,
            calls::list(
                "gcp/artifact-registry",
                "repositories",
                "artifactRegistry",
                &[(0, "projects/demo/locations/europe/repositories/images")],
                &[],
            ),
            json!([{ "repository": "europe-docker.pkg.dev/demo/other" }]),
            "get repository projects/demo/locations/europe/repositories/images",
            "use repository europe-docker.pkg.dev/demo/other",
        ),
        row(
            Capability::SecretManager,
            calls::list(
                "gcp/secret-manager",
                "access",
                "secretManager",
                &[(0, "projects/demo/secrets/greeting/versions/latest")],
                &[],
            ),
            json!([{ "secret": "projects/demo/secrets/other" }]),
            "use secret projects/demo/secrets/greeting",
            "use secret projects/demo/secrets/other",
        ),
        row(
            Capability::Identity,
            // No impersonation and no targets.
            calls::list(
                "identity/prove",
                "prove",
                "identity",
                &[
                    (0, CLUSTER),
                    (8, "builds"),
                    (16, "kaniko"),
                    (24, "demo.svc.id.goog"),
                    (32, "https://x"),
                ],
                &[],
            ),
            json!([{ "cluster": CLUSTER, "namespace": "deploys" }]),
            "prove the identity of builds/kaniko in projects/demo/locations/europe-west1/clusters/ci",
            "prove the identity of any service account in namespace deploys of projects/demo/locations/europe-west1/clusters/ci",
        ),
        row(
            Capability::Kubernetes,
            calls::list(
                "kubernetes/objects",
                "get",
                "kubernetes",
                &[
                    (0, CLUSTER),
                    (8, "v1"),
                    (16, "secrets"),
                    (28, "builds"),
                    (36, "key"),
                ],
                // The namespace is an option.
                &[24],
            ),
            json!([{ "cluster": CLUSTER, "namespace": "builds", "resources": ["pods"], "actions": ["get"] }]),
            "get secrets in namespace builds of projects/demo/locations/europe-west1/clusters/ci",
            "get pods in namespace builds of projects/demo/locations/europe-west1/clusters/ci",
        ),
        row(
            Capability::Registry,
            calls::registry("resolve", "europe-docker.pkg.dev/demo/images/app:1"),
            json!([{ "repository": "europe-docker.pkg.dev/demo/images/app2" }]),
            "resolve europe-docker.pkg.dev/demo/images/app",
            "use images of europe-docker.pkg.dev/demo/images/app2",
        ),
        row(
            Capability::Secrets,
            calls::secret("hook"),
            json!(["other"]),
            "use the secret hook",
            "use other",
        ),
        row(
            Capability::Http,
            calls::send("GET", "https://hooks.example.com/a"),
            json!([{ "host": "hooks.example.com", "methods": ["POST"] }]),
            "GET https://hooks.example.com/a",
            "send POST requests to hooks.example.com",
        ),
    ]
}

/// Returns the failure of a step that has this grant and made one call.
async fn denied(row: &Row, written: &Value) -> Failure {
    let plugin = host().load(&row.guest.build()).expect("it loads");
    let mut step = Step::new();
    let (services, _folder) = services::all();
    step.services = services;
    step.scopes = granted(row.capability, written);
    let failure = step.run(&plugin).await.expect_err("it is refused");
    let [call] = &step.kept.calls()[..] else {
        panic!("one call: {failure:?}");
    };
    assert_eq!(
        (call.allowed, call.target.exact(), call.capability.exact()),
        (false, row.what, row.capability.as_str())
    );
    assert_eq!(
        (failure.class, failure.owner),
        (Class::Refused, Owner::Author),
        "{failure:?}"
    );
    assert_eq!(failure.details["capability"], row.capability.as_str());
    failure
}

#[tokio::test]
async fn a_call_outside_of_the_grant_is_refused_and_says_what_is_granted() {
    let mut helps = Vec::new();
    for row in rows() {
        let (key, what) = (row.capability, row.what);
        let failure = denied(&row, &row.other).await;
        assert_eq!(failure.code, "grant.scope");
        assert_eq!(
            failure.message,
            format!("the step may not {what}: that is outside what it is granted")
        );
        let widen = format!("if it should, widen `{key}` in the step's `grants`");
        helps.push((failure.help, vec![format!("it may {}", row.may), widen]));
    }
    let (seen, expected): (Vec<_>, Vec<_>) = helps.into_iter().unzip();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_call_without_any_grant_is_refused_and_says_which_is_missing() {
    for row in rows() {
        let (key, what) = (row.capability, row.what);
        let failure = denied(&row, &json!([])).await;
        assert_eq!(failure.code, "grant.missing");
        assert_eq!(
            failure.message,
            format!("the step may not {what}: nothing is granted to it under `{key}`")
        );
        assert_eq!(
            failure.help,
            [format!("if it should, add `{key}` to the step's `grants`")]
        );
    }
}

#[test]
fn every_capability_of_the_runner_has_a_row() {
    let rows: Vec<Capability> = rows().iter().map(|row| row.capability).collect();
    for capability in CAPABILITIES {
        assert!(
            rows.contains(&capability.key),
            "{} has none",
            capability.key
        );
    }
}
