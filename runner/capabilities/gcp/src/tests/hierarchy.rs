use serde_json::json;
use sidestep_bindings::sidestep::gcp::iam;
use sidestep_policy::Capability;
use sidestep_sandbox_google::Scenario;

use super::world::World;
use iam::{Answer, Host as _, Level, Query};
use sidestep_bindings::sidestep::host::types::Failure;

/// Returns the world of a scenario with a hierarchy.
async fn world(scenario: &str) -> World {
    World::of(|seed| {
        *seed = Scenario::named(scenario)
            .expect("it is there")
            .seed()
            .expect("a seed");
    })
    .await
}

async fn levels(scenario: &str, granted: &serde_json::Value) -> Result<Vec<Level>, Failure> {
    let world = world(scenario).await;
    let (mut step, kept) = world.step(Capability::Iam, granted);
    let found = step.read(vec![Query::Hierarchy("demo".into())]).await;
    let found = found.expect("no trap").remove(0);
    let calls = kept.calls();
    assert_eq!(calls[0].target.exact(), "getPolicy projects/demo");
    match found {
        Ok(Answer::Hierarchy(levels)) => Ok(levels),
        Ok(other) => panic!("{other:?}"),
        Err(failure) => Err(failure),
    }
}

fn granted() -> serde_json::Value {
    json!([{ "project": "demo", "actions": ["getPolicy"] }])
}

#[tokio::test]
async fn a_project_has_the_levels_above_it_with_their_deny_policies() {
    let found = levels("deny-policy", &granted()).await.expect("levels");
    let names: Vec<&str> = found.iter().map(|level| level.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "projects/demo",
            "folders/5647382910",
            "organizations/1029384756"
        ]
    );
    let denies = found[1].deny_policies.as_ref().expect("readable");
    assert_eq!((denies.len(), denies[0].id.as_str()), (1, "no-pushes"));
    let rule = &denies[0].rules[0];
    assert_eq!(
        rule.denied_permissions,
        ["artifactregistry.googleapis.com/repositories.uploadArtifacts"]
    );
    assert_eq!(
        rule.description.as_deref(),
        Some("No pushes by the builder")
    );
    assert!(!denies[0].etag.is_empty());
    assert!(found[0].policy.is_ok());
    // The owner of a project is nobody in the folder.
    let denied = found[1].policy.as_ref().expect_err("denied");
    assert!(
        denied
            .message
            .contains("resourcemanager.folders.getIamPolicy"),
        "{denied:?}"
    );
}

#[tokio::test]
async fn a_level_that_the_caller_may_not_read_has_the_missing_permission() {
    let found = levels("deny-policy-unread", &granted())
        .await
        .expect("levels");
    for level in &found {
        let denied = level.deny_policies.as_ref().expect_err("denied");
        assert!(
            denied.message.contains("iam.denypolicies.list"),
            "{denied:?}"
        );
    }
}

#[tokio::test]
async fn a_project_without_anything_above_it_is_alone() {
    let found = levels("healthy", &granted()).await.expect("levels");
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn a_hierarchy_needs_the_grant_of_the_project_s_policy() {
    let other = json!([{ "project": "other", "actions": ["getPolicy"] }]);
    let refused = levels("healthy", &other).await.expect_err("refused");
    assert_eq!(refused.class, "refused", "{refused:?}");
}
