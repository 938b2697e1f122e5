use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use sidestep_capabilities::Services;
use sidestep_capabilities::google::{ControlPlane, Credentials, Endpoints};
use sidestep_capabilities::identity::{Identity, Variables};
use sidestep_capabilities::kubernetes::Clusters;
use sidestep_events::{Class, Failure};
use sidestep_policy::Capability;

use crate::guest::Guest;
use crate::sink::{Step, granted, host};

const PROVE: &str =
    r#"(import "sidestep:identity/prove@0.1.0" "prove" (func $prove (param i32 i32 i32)))"#;
const CLUSTER: &str = "projects/demo/locations/europe-west1/clusters/ci";

/// Returns a guest that proves one subject and answers with its failure: the list's first item,
/// which has the layout of the function's own result.
fn guest() -> Guest {
    let texts = [CLUSTER, "builds", "kaniko", "demo.svc.id.goog", "https://x"];
    let mut at = 1024;
    let mut fields = String::new();
    for (index, text) in texts.iter().enumerate() {
        let field = 2048 + 8 * index;
        fields.push_str(&format!(
            "(i32.store (i32.const {field}) (i32.const {at}))
             (i32.store (i32.const {}) (i32.const {}))",
            field + 4,
            text.len()
        ));
        at += text.len();
    }
    // No impersonation and no targets: zeros.
    Guest::new(&format!(
        "{fields}
         (call $prove (i32.const 2048) (i32.const 1) (i32.const 700))
         (i32.load (i32.const 700))"
    ))
    .import(PROVE)
    .data(&texts.concat())
    .requests("identity")
}

async fn refused(scopes: &serde_json::Value) -> (Failure, Step) {
    let credentials = Arc::new(Credentials::anonymous());
    let google = ControlPlane::new(Arc::new(Endpoints::default()), Arc::clone(&credentials));
    let clusters = Clusters::new(
        Arc::new(google.clone()),
        Arc::clone(&credentials),
        BTreeMap::new(),
    );
    let identity = Identity::new(
        google,
        Arc::new(clusters),
        credentials,
        Variables::default(),
    );
    let mut step = Step::new();
    step.scopes = granted(Capability::Identity, scopes);
    step.services = Arc::new(Services::default().with(Arc::new(identity)));
    let plugin = host().load(&guest().build()).expect("it loads");
    let failure = step.run(&plugin).await.expect_err("it is refused");
    (failure, step)
}

#[tokio::test]
async fn identity_no_permission() {
    let (failure, step) = refused(&json!([])).await;
    assert_eq!(
        (failure.class, failure.code.exact()),
        (Class::Refused, "grant.missing")
    );
    assert_eq!(
        failure.message,
        format!(
            "the step may not prove the identity of builds/kaniko in {CLUSTER}: nothing is granted to it under `identity`"
        )
    );
    let [call] = &step.kept.calls()[..] else {
        panic!("one call");
    };
    assert_eq!(
        (call.capability.exact(), call.function.exact()),
        ("identity", "prove")
    );
    assert!(!call.allowed);
}

#[tokio::test]
async fn identity_of_another_namespace_is_refused() {
    let scope = json!([{"cluster": CLUSTER, "namespace": "deploys"}]);
    let (failure, _) = refused(&scope).await;
    assert_eq!(
        (failure.class, failure.code.exact()),
        (Class::Refused, "grant.scope")
    );
    let scope = json!([{"cluster": CLUSTER, "namespace": "builds", "serviceAccounts": ["other"]}]);
    let (failure, _) = refused(&scope).await;
    assert_eq!(failure.code, "grant.scope");
}
