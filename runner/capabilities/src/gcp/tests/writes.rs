use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::routing::{any, get, post};
use serde_json::json;
use sidestep_events::{Done, IntentId, OnExit, Place};
use sidestep_policy::Capability;
use sidestep_sandbox_identity::{Access as _, Resource};

use super::world::{BUILDER, REPOSITORY, World, everything, serve, state};
use crate::StepState;
use crate::bindings::sidestep::gcp::iam_write::{self, Host as _};
use crate::bindings::sidestep::gcp::types::{Binding, Condition, Mapping, Policy, PolicyResource};
use crate::bindings::sidestep::host::types::Creation;
use crate::error::CallError;
use crate::gcp::resource::{self, policy};
use crate::google::{Credentials, Endpoints, Service};
use crate::testing::Record;

const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/github";
const USER: &str = "roles/iam.workloadIdentityUser";

/// The failure of a call.
fn failed<T>(result: Result<T, CallError>) -> sidestep_events::Failure {
    match result {
        Ok(_) => panic!("it works"),
        Err(CallError::Failure(failure)) => *failure,
        Err(CallError::Trap(trap)) => panic!("{trap:?}"),
    }
}

async fn read(step: &StepState, target: &PolicyResource) -> Policy {
    let google = step.services.google.clone().expect("a client");
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
        let binding = kept
            .bindings
            .iter()
            .find(|binding| binding.role == "roles/viewer")
            .expect("it is there");
        assert!(binding.condition.is_some(), "{binding:?}");
        // What was read is no longer what is there.
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
    // Another role, another member, and the loss of one who is there.
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
        assert!(failure.message.contains("may not give "), "{failure}");
    }
    let mut wanted = before.clone();
    wanted.bindings[0].members.push(member.into());
    let after = step.set_policy(target, wanted).await.expect("it is set");
    assert_eq!(after.bindings[0].members.len(), 2);
    // Another resource is refused before anything is read.
    let project = PolicyResource::Project("demo".into());
    let failure = failed(step.set_policy(project, before).await);
    assert_eq!(failure.code, "grant.scope", "{failure}");
    let calls = kept.calls();
    let last = calls.last().expect("a call");
    assert!(!last.allowed);
    assert_eq!(last.target, "set the policy of projects/demo");
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

#[tokio::test]
async fn an_account_is_made_once() {
    let world = World::new().await;
    let (mut step, kept) = world.step(Capability::IamWrite, &everything(Capability::IamWrite));
    let wanted = |display_name: &str| iam_write::NewServiceAccount {
        project: "demo".into(),
        account_id: "uploader".into(),
        display_name: Some(display_name.into()),
        description: None,
    };
    let made = step.create_service_account(wanted("Uploader")).await;
    let made = made.expect("it is made");
    let email = "uploader@demo.iam.gserviceaccount.com";
    assert_eq!(
        (&*made.account.email, made.outcome),
        (email, Creation::Created)
    );
    let again = step.create_service_account(wanted("Uploader")).await;
    let again = again.expect("it is there");
    assert_eq!(again.outcome, Creation::AlreadyThere);
    assert_eq!(again.account.unique_id, made.account.unique_id);
    let failure = failed(step.create_service_account(wanted("Another")).await);
    assert_eq!(failure.code, "iam.conflict");
    assert!(
        failure.message.ends_with("and its display name is another"),
        "{failure}"
    );
    let records: Vec<Record> = kept
        .records()
        .into_iter()
        .filter(|record| !matches!(record, Record::Event(_)))
        .collect();
    let [Record::Intent(intent), Record::Done(done), ..] = &records[..] else {
        panic!("{records:?}");
    };
    assert_eq!(
        (&*intent.kind, &intent.place, intent.on_exit),
        (
            "serviceAccount",
            &Place::Project {
                project: "demo".into()
            },
            OnExit::Keep
        )
    );
    assert_eq!(
        intent.name,
        format!("projects/demo/serviceAccounts/{email}")
    );
    let expected = Done {
        intent: IntentId(1),
        id: Some(made.account.unique_id),
        removed: false,
    };
    assert_eq!(done, &expected);
}

#[tokio::test]
async fn what_can_be_no_account_is_not_journaled() {
    let world = World::new().await;
    let (mut step, kept) = world.step(Capability::IamWrite, &everything(Capability::IamWrite));
    for (project, account_id) in [
        ("123456789012", "uploader"),
        ("demo/x", "a"),
        ("demo", "a/b"),
    ] {
        let account = iam_write::NewServiceAccount {
            project: project.into(),
            account_id: account_id.into(),
            display_name: None,
            description: None,
        };
        let failure = failed(step.create_service_account(account).await);
        assert_eq!(failure.code, "google.name", "{failure}");
    }
    let events_only = |record: &Record| matches!(record, Record::Event(_));
    assert!(kept.records().iter().all(events_only));
}

#[tokio::test]
async fn a_pool_and_its_provider_are_made_once() {
    let world = World::new().await;
    let (mut step, _) = world.step(Capability::IamWrite, &everything(Capability::IamWrite));
    let pool = iam_write::NewPool {
        project: "123456789012".into(),
        pool_id: "github".into(),
        display_name: None,
        description: Some("CI".into()),
    };
    let provider = iam_write::NewProvider {
        pool: POOL.into(),
        provider_id: "actions".into(),
        issuer: "https://token.actions.githubusercontent.com".into(),
        allowed_audiences: Vec::new(),
        mappings: vec![Mapping {
            attribute: "google.subject".into(),
            expression: "assertion.sub".into(),
        }],
        condition: Some("assertion.repository_owner == 'acme'".into()),
    };
    for outcome in [Creation::Created, Creation::AlreadyThere] {
        let made = step.create_pool(pool.clone()).await.expect("it is made");
        assert_eq!((&*made.pool.name, made.outcome), (POOL, outcome));
        let made = step.create_provider(provider.clone()).await;
        let made = made.expect("it is made");
        assert_eq!(made.outcome, outcome);
        assert_eq!(made.provider.name, format!("{POOL}/providers/actions"));
        assert_eq!(made.provider.kind, "oidc");
        assert_eq!(made.provider.condition, provider.condition);
    }
    let mut other = provider.clone();
    other.condition = None;
    let failure = failed(step.create_provider(other).await);
    assert_eq!(failure.code, "iam.conflict", "{failure}");
    let mut unmapped = provider;
    unmapped.provider_id = "other".into();
    unmapped.mappings.clear();
    let failure = failed(step.create_provider(unmapped).await);
    assert_eq!(failure.code, "google.invalid", "{failure}");
}

/// IAM says that it has begun, and a while later that it is done, or how it failed.
#[tokio::test]
async fn an_operation_is_waited_for() {
    for error in [None, Some(json!({"code": 7, "message": "no"}))] {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let end = error.clone();
        let operation = move || {
            let done = counted.fetch_add(1, Ordering::Relaxed) == 1;
            let error = end.clone().filter(|_| done);
            async move {
                axum::Json(
                    json!({"name": format!("{POOL}/operations/1"), "done": done, "error": error}),
                )
            }
        };
        let router = axum::Router::new()
            .route(
                "/v1/projects/123456789012/locations/global/workloadIdentityPools",
                post(|| async { axum::Json(json!({"name": format!("{POOL}/operations/1")})) }),
            )
            .route(&format!("/v1/{POOL}/operations/1"), get(operation))
            .fallback(any(|| async {
                axum::Json(json!({"name": POOL, "state": "ACTIVE"}))
            }));
        let mut endpoints = Endpoints::default();
        endpoints.set(Service::Iam, serve(router).await);
        let (mut step, _) = state(
            &endpoints,
            Credentials::anonymous(),
            Capability::IamWrite,
            &everything(Capability::IamWrite),
        );
        let pool = iam_write::NewPool {
            project: "123456789012".into(),
            pool_id: "github".into(),
            display_name: None,
            description: None,
        };
        let made = step.create_pool(pool).await;
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        match error {
            None => assert_eq!(made.expect("it is made").outcome, Creation::Created),
            Some(_) => assert_eq!(failed(made).code, "google.permission-denied"),
        }
    }
}
