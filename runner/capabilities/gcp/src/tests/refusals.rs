use serde_json::{Value, json};
use sidestep_bindings::sidestep::gcp::types::PolicyResource;
use sidestep_bindings::sidestep::gcp::{artifact_registry, gke, iam, project};
use sidestep_bindings::sidestep::host::types::Failure;
use sidestep_policy::Capability;

use super::world::{BUILDER, CLUSTER, REPOSITORY, World, everything};
use crate::Calls;
use iam::Query;

/// Returns the outcome of each call, one line per function: each of the four functions once, for
/// resources named `name`.
async fn failures(step: &mut Calls<'_>, capability: Capability, name: &str) -> Vec<Failure> {
    use artifact_registry::Host as _;
    use gke::Host as _;
    use iam::Host as _;
    use project::Host as _;
    fn gather<T: std::fmt::Debug>(
        all: &mut Vec<Failure>,
        answers: wasmtime::Result<Vec<Result<T, Failure>>>,
    ) {
        for answer in answers.expect("no trap") {
            all.push(answer.expect_err("it fails"));
        }
    }
    let mut all = Vec::new();
    match capability {
        Capability::Project => {
            gather(&mut all, project::Host::get(step, vec![name.into()]).await);
            let query = project::ServiceQuery {
                project: name.into(),
                service: "iam.googleapis.com".into(),
            };
            gather(&mut all, step.enabled(vec![query]).await);
        }
        Capability::Gke => {
            gather(&mut all, step.clusters(vec![name.into()]).await);
            gather(&mut all, step.node_pools(vec![name.into()]).await);
        }
        Capability::ArtifactRegistry => {
            gather(&mut all, step.repositories(vec![name.into()]).await);
        }
        _ => {
            let project = "demo".to_owned();
            let queries = vec![
                Query::ServiceAccount(name.into()),
                Query::Keys(name.into()),
                Query::Policy(PolicyResource::ServiceAccount(name.into())),
                Query::ServiceAccounts(project.clone()),
                Query::Pools(project),
            ];
            gather(&mut all, step.read(queries).await);
        }
    }
    all
}

fn details(failure: &Failure) -> Value {
    serde_json::from_str(&failure.details).expect("JSON")
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let world = World::new().await;
    for (capability, name, missing) in [
        (Capability::Gke, CLUSTER.replace("/ci", "/none"), 2),
        (
            Capability::ArtifactRegistry,
            REPOSITORY.replace("images", "none"),
            1,
        ),
        (Capability::Iam, BUILDER.replace("builder", "nobody"), 3),
    ] {
        let (mut step, _) = world.step(capability, &everything(capability));
        let failures = match capability {
            Capability::Iam => {
                use iam::Host as _;
                let queries = vec![
                    Query::ServiceAccount(name.clone()),
                    Query::Keys(name.clone()),
                    Query::Policy(PolicyResource::ServiceAccount(name.clone())),
                ];
                let answers = step.read(queries).await.expect("no trap");
                answers
                    .into_iter()
                    .map(|answer| answer.expect_err("it is not there"))
                    .collect()
            }
            _ => failures(&mut step, capability, &name).await,
        };
        assert_eq!(failures.len(), missing);
        for failure in failures {
            assert_eq!(
                (&*failure.class, &*failure.code),
                ("not-found", "google.not-found"),
                "{failure:?}"
            );
            assert_eq!(
                details(&failure),
                json!({"httpStatus": 404, "status": "NOT_FOUND"})
            );
            assert!(
                failure.message.starts_with("cannot ") && failure.message.contains(&name),
                "{failure:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_the_runner_may_not_is_denied() {
    let world = World::new().await;
    for (capability, name, permissions) in [
        (
            Capability::Project,
            "demo",
            &["resourcemanager.projects.get"][..],
        ),
        (
            Capability::Gke,
            CLUSTER,
            &["container.clusters.get", "container.clusters.get"],
        ),
        (
            Capability::ArtifactRegistry,
            REPOSITORY,
            &["artifactregistry.repositories.get"],
        ),
        (
            Capability::Iam,
            BUILDER,
            &[
                "iam.serviceAccounts.get",
                "iam.serviceAccountKeys.list",
                "iam.serviceAccounts.getIamPolicy",
                "iam.serviceAccounts.list",
                "iam.googleapis.com/workloadIdentityPools.list",
            ],
        ),
    ] {
        let failures = failures(&mut world.guest(capability), capability, name).await;
        for failure in &failures {
            assert_eq!(
                (&*failure.class, &*failure.code, &*failure.owner),
                ("denied", "google.permission-denied", "cloud"),
                "{failure:?}"
            );
            assert_eq!(details(failure)["httpStatus"], 403);
        }
        for (failure, permission) in failures.iter().zip(permissions) {
            let details = details(failure);
            assert_eq!(details["reason"], "IAM_PERMISSION_DENIED");
            assert_eq!(details["metadata"]["permission"], *permission);
        }
    }
}

#[tokio::test]
async fn a_disabled_api_is_said_to_be_disabled() {
    for (capability, name, service) in [
        (
            Capability::Project,
            "demo",
            "cloudresourcemanager.googleapis.com",
        ),
        (Capability::Gke, CLUSTER, "container.googleapis.com"),
        (
            Capability::ArtifactRegistry,
            REPOSITORY,
            "artifactregistry.googleapis.com",
        ),
        (Capability::Iam, BUILDER, "iam.googleapis.com"),
    ] {
        let world = World::without(service).await;
        let (mut step, _) = world.step(capability, &everything(capability));
        let failures = match capability {
            // Whether services are enabled is a question for another API.
            Capability::Project => {
                let answers = project::Host::get(&mut step, vec![name.into()]).await;
                let answers = answers.expect("no trap").into_iter();
                answers
                    .map(|answer| answer.expect_err("it fails"))
                    .collect()
            }
            _ => failures(&mut step, capability, name).await,
        };
        for failure in failures {
            assert_eq!(
                (&*failure.class, &*failure.code),
                ("denied", "google.api-disabled"),
                "{failure:?}"
            );
            let details = details(&failure);
            assert_eq!(details["reason"], "SERVICE_DISABLED");
            assert_eq!(details["metadata"]["service"], service);
            assert_eq!(
                sidestep_gate_testing::help(&failure),
                [format!(
                    "gcloud services enable {service} --project 123456789012"
                )]
            );
        }
    }
}

#[tokio::test]
async fn nothing_is_asked_outside_the_grant() {
    let world = World::new().await;
    for (capability, granted, name) in [
        (Capability::Project, json!([{ "project": "other" }]), "demo"),
        (
            Capability::Gke,
            json!([{ "cluster": "projects/other/**" }]),
            CLUSTER,
        ),
        (
            Capability::ArtifactRegistry,
            json!([{ "repository": "projects/other/**" }]),
            REPOSITORY,
        ),
        (
            Capability::Iam,
            json!([{ "project": "other" }, { "resource": "buckets/*" }]),
            BUILDER,
        ),
    ] {
        let (mut step, kept) = world.step(capability, &granted);
        for failure in failures(&mut step, capability, name).await {
            assert_eq!(
                (&*failure.class, &*failure.code),
                ("refused", "grant.scope"),
                "{failure:?}"
            );
        }
        assert!(kept.calls().iter().all(|call| !call.allowed));
    }
}

#[tokio::test]
async fn a_grant_of_one_account_is_none_of_the_project() {
    use iam::Host as _;
    let world = World::new().await;
    let granted = json!([{
        "resource": format!("projects/demo/serviceAccounts/{BUILDER}"),
        "actions": ["get", "getPolicy"],
    }]);
    let (mut step, _) = world.step(Capability::Iam, &granted);
    let policy = |resource| Query::Policy(resource);
    let queries = vec![
        Query::ServiceAccount(BUILDER.into()),
        policy(PolicyResource::ServiceAccount(BUILDER.into())),
        Query::Keys(BUILDER.into()),
        Query::ServiceAccounts("demo".into()),
        policy(PolicyResource::Project("demo".into())),
        policy(PolicyResource::Bucket("demo-contexts".into())),
        Query::ServiceAccount(BUILDER.replace("demo", "shared")),
    ];
    let found = step.read(queries).await.expect("no trap");
    let allowed: Vec<bool> = found.iter().map(Result::is_ok).collect();
    assert_eq!(allowed, [true, true, false, false, false, false, false]);
}
