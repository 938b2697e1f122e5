//! Creating accounts, pools and providers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::routing::{any, get, post};
use serde_json::json;
use sidestep_bindings::sidestep::gcp::iam_write::{self, Host as _};
use sidestep_bindings::sidestep::gcp::types::{Mapping, Policy, PolicyResource};
use sidestep_bindings::sidestep::host::types::Creation;
use sidestep_events::{Done, IntentId, Location, OnExit};
use sidestep_gate_testing::{Kept, Record};
use sidestep_google::{Credentials, Endpoints, Service};
use sidestep_policy::Capability;

use super::world::{BUILDER, World, everything, failed, serve, state};
use crate::Calls;

const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/github";

fn account() -> iam_write::NewServiceAccount {
    iam_write::NewServiceAccount {
        project: "demo".into(),
        account_id: "uploader".into(),
        display_name: None,
        description: None,
    }
}

fn pool() -> iam_write::NewPool {
    iam_write::NewPool {
        project: "123456789012".into(),
        pool_id: "github".into(),
        display_name: None,
        description: None,
    }
}

fn provider() -> iam_write::NewProvider {
    iam_write::NewProvider {
        pool: POOL.into(),
        provider_id: "actions".into(),
        issuer: "https://token.actions.githubusercontent.com".into(),
        allowed_audiences: Vec::new(),
        mappings: vec![Mapping {
            attribute: "google.subject".into(),
            expression: "assertion.sub".into(),
        }],
        condition: Some("assertion.repository_owner == 'acme'".into()),
    }
}

#[tokio::test]
async fn an_account_is_made_once() {
    let world = World::new().await;
    let (mut step, kept) = world.step(Capability::IamWrite, &everything(Capability::IamWrite));
    let wanted = |display_name: &str| iam_write::NewServiceAccount {
        display_name: Some(display_name.into()),
        ..account()
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
        failure.message.ends_with("and its display name differs"),
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
        (&*intent.kind, &intent.location, intent.on_exit),
        (
            "serviceAccount",
            &Location::Project {
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
            ..account()
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
        description: Some("CI".into()),
        ..pool()
    };
    let provider = provider();
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

/// IAM reports that an operation has started, and later that it is done, or how it failed.
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
        let made = step.create_pool(pool()).await;
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        match error {
            None => assert_eq!(made.expect("it is made").outcome, Creation::Created),
            Some(_) => assert_eq!(failed(made).code, "google.permission-denied"),
        }
    }
}

/// Returns the failures of every function that writes.
async fn failures(step: &mut Calls<'_>) -> Vec<sidestep_events::Failure> {
    let policy = Policy {
        etag: "CAE=".into(),
        version: 3,
        bindings: Vec::new(),
    };
    let builder = PolicyResource::ServiceAccount(BUILDER.into());
    vec![
        failed(step.set_policy(builder, policy).await),
        failed(step.create_service_account(account()).await),
        failed(step.create_pool(pool()).await),
        failed(step.create_provider(provider()).await),
    ]
}

/// Returns whether each of the three intents ended without creating anything.
fn made_nothing(kept: &Kept) -> bool {
    let ends: Vec<Done> = kept
        .records()
        .into_iter()
        .filter_map(|record| match record {
            Record::Done(done) => Some(done),
            _ => None,
        })
        .collect();
    let nothing = |intent| Done {
        intent: IntentId(intent),
        id: None,
        removed: false,
    };
    ends == [1, 2, 3].map(nothing)
}

#[tokio::test]
async fn what_the_runner_may_not_write_is_denied() {
    let world = World::new().await;
    let (mut guest, kept) = world.guest_and_records(Capability::IamWrite);
    for failure in failures(&mut guest).await {
        assert_eq!(failure.code, "google.permission-denied", "{failure}");
        assert!(failure.details["metadata"]["permission"].is_string());
    }
    assert!(made_nothing(&kept), "{:?}", kept.records());
}

#[tokio::test]
async fn a_disabled_api_writes_nothing() {
    let world = World::without("iam.googleapis.com").await;
    let everything = everything(Capability::IamWrite);
    let (mut step, kept) = world.step(Capability::IamWrite, &everything);
    for failure in failures(&mut step).await {
        assert_eq!(failure.code, "google.api-disabled", "{failure}");
        assert_eq!(
            failure.help,
            ["gcloud services enable iam.googleapis.com --project 123456789012"]
        );
    }
    assert!(made_nothing(&kept), "{:?}", kept.records());
}

/// Returns an IAM that creates accounts and pools, and does not show them until a number of reads
/// have come.
async fn slow_iam(hidden: usize) -> Endpoints {
    let reads = Arc::new(AtomicUsize::new(0));
    let read = move || {
        let early = reads.fetch_add(1, Ordering::Relaxed) < hidden;
        async move {
            if early {
                let error = json!({"error": {"code": 404, "message": "not yet"}});
                (axum::http::StatusCode::NOT_FOUND, axum::Json(error))
            } else {
                let account = json!({"uniqueId": "1", "name": POOL, "state": "ACTIVE"});
                (axum::http::StatusCode::OK, axum::Json(account))
            }
        }
    };
    let made =
        || async { axum::Json(json!({"name": format!("{POOL}/operations/1"), "done": true})) };
    let router = axum::Router::new().fallback(get(read).post(made));
    let mut endpoints = Endpoints::default();
    endpoints.set(Service::Iam, serve(router).await);
    endpoints
}

// The clock advances only while everything waits.
#[tokio::test(start_paused = true)]
async fn what_iam_does_not_show_at_once_is_waited_for_and_not_taken_for_absent() {
    for (hidden, shown) in [(2, true), (100, false)] {
        let endpoints = slow_iam(hidden).await;
        let granted = everything(Capability::IamWrite);
        let (mut step, kept) = state(
            &endpoints,
            Credentials::anonymous(),
            Capability::IamWrite,
            &granted,
        );
        let account = step.create_service_account(account()).await;
        assert_eq!(account.is_ok(), shown);
        if !shown {
            assert_eq!(failed(account).code, "google.not-found");
        }
        let pool = step.create_pool(pool()).await;
        assert_eq!(pool.is_ok(), shown);
        let ends = kept.records().into_iter();
        let ends = ends.filter(|record| matches!(record, Record::Done(_)));
        assert_eq!(ends.count(), if shown { 2 } else { 0 });
    }
}
