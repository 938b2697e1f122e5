use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use sidestep_capabilities::{Secret, Secrets, Services};
use sidestep_events::Class;
use sidestep_policy::Capability;

use crate::guest::{Guest, LOG};
use crate::sink::{Step, granted, host};

const GET: &str =
    r#"(import "sidestep:secrets/names@0.1.0" "get" (func $get (param i32 i32 i32)))"#;

/// Returns a guest that reads the secret `hook`, logs a text that contains it, and answers with an
/// empty object or the failure.
fn guest() -> Guest {
    Guest::new(
        "(call $get (i32.const 1024) (i32.const 4) (i32.const 512))
         (if (i32.load8_u (i32.const 512)) (then (return (i32.const 512))))
         (call $log (i32.const 1) (i32.const 1028) (i32.const 10) (i32.const 8) (i32.const 0))
         (call $ok (i32.const 1038) (i32.const 2))",
    )
    .import(GET)
    .import(LOG)
    .data("hooka hunter22{}")
    .requests("secrets")
}

fn step(names: &[&str]) -> Step {
    let mut step = Step::new();
    step.scopes = granted(Capability::Secrets, &json!(names));
    let secrets = BTreeMap::from([("hook".to_owned(), Secret::new("hunter22"))]);
    step.services = Arc::new(Services::default().with(Arc::new(Secrets(secrets))));
    step
}

#[tokio::test]
async fn a_secret_is_a_handle_and_masked_from_then_on() {
    let plugin = host().load(&guest().build()).expect("it loads");
    let step = step(&["hook"]);
    assert_eq!(step.run(&plugin).await.expect("it answers"), json!({}));
    assert_eq!(step.kept.log(), ["a ***"]);
    let [call] = &step.kept.calls()[..] else {
        panic!("one call");
    };
    assert_eq!(
        (call.capability.exact(), call.target.exact()),
        ("secrets", "use the secret hook")
    );
}

#[tokio::test]
async fn secrets_no_permission() {
    let plugin = host().load(&guest().build()).expect("it loads");
    let failure = step(&["other"])
        .run(&plugin)
        .await
        .expect_err("it is refused");
    assert_eq!(failure.class, Class::Refused);
    assert_eq!(
        failure.message,
        "the step may not use the secret hook: that is outside what it is granted"
    );
    let failure = step(&[]).run(&plugin).await.expect_err("it is refused");
    assert_eq!(
        failure.message,
        "the step may not use the secret hook: nothing is granted to it under `secrets`"
    );
}

#[tokio::test]
async fn a_check_that_uses_a_secret_is_stopped() {
    let guest = guest().check(
        "(call $get (i32.const 1024) (i32.const 4) (i32.const 512))
         (i32.store (i32.const 604) (i32.const 0)) (i32.const 600)",
    );
    let plugin = host().load(&guest.build()).expect("it loads");
    let step = step(&["hook"]);
    let failure = plugin
        .check(step.incarnation())
        .await
        .expect_err("it is stopped");
    assert_eq!(
        failure.message,
        "the plugin was stopped: a `check` may only read the workspace, but it called \
         `sidestep:secrets/names@0.1.0#get`"
    );
    assert_eq!(step.kept.calls(), []);
}
