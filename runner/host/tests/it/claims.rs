//! A guest's claims about its own failure.

use sidestep_events::{Class, Exit, Failure, Owner};

use crate::guest::Guest;
use crate::sink::{Step, host};

/// Returns a guest that fails with a class, a code, an owner, a message that is also its only help,
/// and details.
fn fails(texts: [&str; 5]) -> Guest {
    let [class, code, owner, message, details] = texts;
    let mut at = 1024;
    let mut stores = String::new();
    for (field, text) in [
        (520, class),
        (528, code),
        (536, owner),
        (544, message),
        (576, details),
    ] {
        stores.push_str(&format!(
            "(i32.store (i32.const {field}) (i32.const {at}))
             (i32.store (i32.const {}) (i32.const {}))",
            field + 4,
            text.len()
        ));
        at += text.len();
    }
    // The result is an error with an empty help and no time for a retry.
    Guest::new(&format!(
        "(i32.store8 (i32.const 512) (i32.const 1))
         {stores}
         (i32.store (i32.const 552) (i32.const 8)) (i32.store (i32.const 556) (i32.const 0))
         (i32.store8 (i32.const 560) (i32.const 0))
         (i32.const 512)"
    ))
    .data(&texts.concat())
}

async fn failure(texts: [&str; 5]) -> Failure {
    let plugin = host().load(&fails(texts).build()).expect("it loads");
    let step = Step::new();
    step.masks.add("hunter22").expect("maskable");
    step.run(&plugin).await.expect_err("it fails")
}

#[tokio::test]
async fn a_failure_that_claims_nothing_comes_through_as_it_is() {
    let failure = failure(["failed", "x.y", "author", "no, hunter22", r#"{"n":1}"#]).await;
    assert_eq!(
        (failure.class, failure.owner),
        (Class::Failed, Owner::Author)
    );
    assert_eq!(failure.code, "x.y");
    assert_eq!(failure.message, "no, ***");
    assert_eq!(failure.details["n"], 1);
    assert_eq!(failure.help, [""; 0]);
}

#[tokio::test]
async fn a_denial_that_nobody_said_is_a_failure() {
    let failure = failure(["denied", "x.y", "cloud", "no, hunter22", r#"{"n":1}"#]).await;
    assert_eq!(
        (failure.class, failure.owner),
        (Class::Failed, Owner::Plugin)
    );
    assert_eq!(failure.code, "x.y");
    assert_eq!(failure.message, "no, ***");
    assert_eq!(failure.details["n"], 1);
    assert_eq!(failure.details["claimed"]["class"], "denied");
    assert_eq!(Exit::of_failure(&failure), Exit::Failed);
    assert_eq!(
        failure.help,
        [
            "the plugin reported `x.y` (denied, owner: cloud), but none of its host calls \
             confirmed that, so it counts as `failed`"
        ]
    );
}

#[tokio::test]
async fn what_no_contract_knows_is_the_plugin_s_own_failure() {
    let failure = failure(["melted", "x.y", "neighbour", "m", "not json"]).await;
    assert_eq!(
        (failure.class, failure.owner),
        (Class::Failed, Owner::Plugin)
    );
    assert_eq!(failure.code, "x.y");
    assert_eq!(failure.details["text"], "not json");
}

#[tokio::test]
async fn a_secret_in_a_code_is_masked_where_it_is_quoted() {
    let failure = failure(["denied", "x.hunter22", "cloud", "m", "{}"]).await;
    let text = serde_json::to_string(&failure).expect("plain data");
    assert!(!text.contains("hunter22"), "{text}");
}
