//! Setting policies.

use serde_json::json;
use sidestep_bindings::sidestep::gcp::iam_write::Host as _;
use sidestep_bindings::sidestep::gcp::types::{Binding, Condition, Policy, PolicyResource};
use sidestep_control_plane::ControlPlane;
use sidestep_policy::Capability;
use sidestep_resources::{self as resource, policy};
use sidestep_sandbox_identity::{Access as _, Resource};

use super::world::{BUILDER, REPOSITORY, World, everything, failed};
use crate::Calls;

const USER: &str = "roles/iam.workloadIdentityUser";

async fn read(step: &Calls<'_>, target: &PolicyResource) -> Policy {
    let google = step.services.find::<ControlPlane>().expect("a client");
    let name = resource::name(target).expect("a name");
    policy::get(&google, target, &name).await.expect("a policy")
}

fn binding(role: &str, member: &str) -> Binding {
    Binding {
        role: role.into(),
        members: vec![member.into()],
        condition: None,
    }
}

#[tokio::test]
async fn a_policy_is_set_as_it_was_read_and_changed() {
    let world = World::new().await;
    for target in [
        PolicyResource::Project("demo".into()),
        PolicyResource::ServiceAccount(BUILDER.into()),
        PolicyResource::Bucket("demo-contexts".into()),
        PolicyResource::Repository(REPOSITORY.into()),
        PolicyResource::Secret("projects/demo/secrets/greeting".into()),
    ] {
        let (mut step, _) = world.step(Capability::IamWrite, &everything(Capability::IamWrite));
        let before = read(&step, &target).await;
        let mut wanted = before.clone();
        let mut added = binding("roles/viewer", "user:new@example.com");
        added.condition = Some(Condition {
            title: "a while".into(),
            description: None,
            expression: "request.time < timestamp('2030-01-01T00:00:00Z')".into(),
        });
        wanted.bindings.push(added);
        let after = step.set_policy(target.clone(), wanted.clone()).await;
        let after = after.unwrap_or_else(|error| panic!("{target:?}: {error:?}"));
        assert_ne!(after.etag, before.etag);
        assert_eq!(after.version, 3);
        assert_eq!(after.bindings.len(), before.bindings.len() + 1);
        let kept = read(&step, &target).await;
        let mut viewers = kept.bindings.iter();
        // The seed has one without a condition.
        let kept = viewers.any(|one| one.role == "roles/viewer" && one.condition.is_some());
        assert!(kept, "{target:?}");
        // The policy has changed since it was read.
        let failure = failed(step.set_policy(target, wanted).await);
        assert_eq!(failure.class, sidestep_events::Class::Conflict, "{failure}");
    }
}

#[tokio::test]
async fn only_the_changes_have_to_be_granted() {
    let world = World::new().await;
    let member = "serviceAccount:demo.svc.id.goog[builds/other]";
    let granted = json!([{
        "resource": format!("projects/demo/serviceAccounts/{BUILDER}"),
        "roles": [USER],
        "members": [member],
    }]);
    let (mut step, kept) = world.step(Capability::IamWrite, &granted);
    let target = PolicyResource::ServiceAccount(BUILDER.into());
    let before = read(&step, &target).await;
    // Another role, another member, and the removal of an existing member.
    for change in [
        &|policy: &mut Policy| policy.bindings.push(binding("roles/owner", member)),
        &(|policy: &mut Policy| policy.bindings.push(binding(USER, "allUsers")))
            as &dyn Fn(&mut Policy),
        &|policy: &mut Policy| policy.bindings.clear(),
    ] {
        let mut wanted = before.clone();
        change(&mut wanted);
        let failure = failed(step.set_policy(target.clone(), wanted).await);
        assert_eq!(failure.code, "grant.scope", "{failure}");
        assert!(failure.message.contains("may not grant "), "{failure}");
    }
    let mut wanted = before.clone();
    wanted.bindings[0].members.push(member.into());
    let after = step.set_policy(target, wanted).await.expect("it is set");
    assert_eq!(after.bindings[0].members.len(), 2);
    // A change to another resource is refused before anything is read.
    let project = PolicyResource::Project("demo".into());
    let failure = failed(step.set_policy(project, before).await);
    assert_eq!(failure.code, "grant.scope", "{failure}");
    let calls = kept.calls();
    let last = calls.last().expect("a call");
    assert!(!last.allowed);
    assert_eq!(last.target, "set the policy of projects/demo");
}

#[tokio::test]
async fn another_client_s_change_is_a_conflict_and_no_missing_grant() {
    let world = World::new().await;
    let member = "serviceAccount:demo.svc.id.goog[builds/other]";
    let granted = json!([{
        "resource": format!("projects/demo/serviceAccounts/{BUILDER}"),
        "roles": [USER],
        "members": [member],
    }]);
    let (mut step, _) = world.step(Capability::IamWrite, &granted);
    let target = PolicyResource::ServiceAccount(BUILDER.into());
    let mut wanted = read(&step, &target).await;
    let mut others = wanted.clone();
    let (mut other, _) = world.step(Capability::IamWrite, &everything(Capability::IamWrite));
    others
        .bindings
        .push(binding("roles/viewer", "user:new@example.com"));
    let set = other.set_policy(target.clone(), others).await;
    set.expect("it is set");
    wanted.bindings[0].members.push(member.into());
    let failure = failed(step.set_policy(target, wanted).await);
    assert_eq!(failure.class, sidestep_events::Class::Conflict, "{failure}");
}

#[tokio::test]
async fn a_policy_without_an_etag_is_never_set() {
    let world = World::new().await;
    let (mut step, _) = world.step(Capability::IamWrite, &everything(Capability::IamWrite));
    let target = PolicyResource::Bucket("demo-contexts".into());
    let bucket = Resource::Bucket("demo-contexts".into());
    let before = world.identity().policy(&bucket);
    let empty = Policy {
        etag: String::new(),
        version: 3,
        bindings: Vec::new(),
    };
    let failure = failed(step.set_policy(target, empty).await);
    assert_eq!(failure.code, "iam.etag");
    assert_eq!(world.identity().policy(&bucket), before);
}
