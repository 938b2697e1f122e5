use serde_json::json;
use sidestep_bindings::sidestep::identity::prove as wit;
use sidestep_bindings::sidestep::identity::prove::PolicyResource;
use sidestep_policy::Capability as Key;

use super::sandbox::{BUILDER, Prover, REPOSITORY, TestSandbox, anything, subject, target};

const SHARED_BUILDER: &str = "builder@shared.iam.gserviceaccount.com";

fn granted(proof: &wit::Proof) -> Vec<Vec<&str>> {
    proof
        .targets
        .iter()
        .map(|target| {
            assert!(target.failure.is_none(), "{target:?}");
            target.granted.iter().map(String::as_str).collect()
        })
        .collect()
}

#[tokio::test]
async fn targets_are_asked_as_the_account() {
    let mut subject = subject("kaniko", Some(BUILDER));
    subject.targets = vec![
        target(
            PolicyResource::Bucket("demo-contexts".into()),
            &["storage.objects.create", "storage.objects.get"],
        ),
        target(
            PolicyResource::Repository(REPOSITORY.into()),
            &[
                "artifactregistry.repositories.uploadArtifacts",
                "artifactregistry.repositories.delete",
                "artifactregistry.repositories.downloadArtifacts",
            ],
        ),
        target(
            PolicyResource::Secret("projects/demo/secrets/greeting".into()),
            &["secretmanager.versions.access"],
        ),
        // The runner is the project's owner. The account is not.
        target(
            PolicyResource::Project("demo".into()),
            &["resourcemanager.projects.get"],
        ),
        target(
            PolicyResource::ServiceAccount(BUILDER.into()),
            &["iam.serviceAccounts.getAccessToken"],
        ),
        target(PolicyResource::Bucket("demo-contexts".into()), &[]),
    ];
    let proof = TestSandbox::new("healthy").await.prove(subject).await;
    let expected: [&[&str]; 6] = [
        &["storage.objects.get"],
        &[
            "artifactregistry.repositories.uploadArtifacts",
            "artifactregistry.repositories.downloadArtifacts",
        ],
        &["secretmanager.versions.access"],
        &[],
        &[],
        &[],
    ];
    assert_eq!(granted(&proof), expected);
}

#[tokio::test]
async fn targets_are_asked_as_the_direct_principal() {
    let mut subject = subject("kaniko-direct", None);
    subject.targets = vec![
        target(
            PolicyResource::Bucket("demo-contexts".into()),
            &["storage.objects.get"],
        ),
        target(
            PolicyResource::Bucket("shared-contexts".into()),
            &["storage.objects.get"],
        ),
    ];
    let proof = TestSandbox::new("healthy").await.prove(subject).await;
    assert_eq!(granted(&proof), [&["storage.objects.get"][..], &[]]);
}

#[tokio::test]
async fn an_account_and_targets_of_another_project_are_reached() {
    let mut subject = subject("kaniko-shared", Some(SHARED_BUILDER));
    subject.targets = vec![
        target(
            PolicyResource::Bucket("shared-contexts".into()),
            &["storage.objects.get"],
        ),
        target(
            PolicyResource::Repository(
                "projects/shared/locations/europe/repositories/images".into(),
            ),
            &["artifactregistry.repositories.uploadArtifacts"],
        ),
    ];
    let proof = TestSandbox::new("healthy").await.prove(subject).await;
    assert_eq!(proof.principal.as_deref(), Some(SHARED_BUILDER));
    assert_eq!(
        granted(&proof),
        [
            ["storage.objects.get"],
            ["artifactregistry.repositories.uploadArtifacts"]
        ]
    );
}

#[tokio::test]
async fn a_missing_target_is_told_from_one_that_gives_nothing() {
    let place = TestSandbox::new("healthy").await;
    let missing = "projects/demo/locations/europe/repositories/none";
    let mut subject = subject("kaniko", Some(BUILDER));
    subject.targets = vec![
        target(
            PolicyResource::Bucket("no-such-bucket".into()),
            &["storage.objects.get"],
        ),
        target(
            PolicyResource::Repository(missing.into()),
            &["artifactregistry.repositories.uploadArtifacts"],
        ),
        target(
            PolicyResource::Repository("demo/images".into()),
            &["artifactregistry.repositories.uploadArtifacts"],
        ),
    ];
    let [bucket, repository, wrong] = &place.prove(subject.clone()).await.targets[..] else {
        panic!("three targets");
    };
    let failure = bucket.failure.as_ref().expect("it is missing");
    assert_eq!(
        (&*failure.class, &*failure.code),
        ("not-found", "google.not-found")
    );
    // The account has no permission to check this, and neither does the step.
    assert!(repository.failure.is_none(), "{repository:?}");
    assert!(repository.granted.is_empty());
    let failure = wrong.failure.as_ref().expect("it is no name");
    assert_eq!(failure.code, "google.name");

    let look = json!([{"repository": missing, "actions": ["get"]}]);
    let mut prover = Prover::new(
        place.identity(),
        &[(Key::Identity, anything()), (Key::ArtifactRegistry, look)],
    );
    let proof = prover.proof(subject).await;
    let failure = proof.targets[1].failure.as_ref().expect("it is missing");
    assert_eq!(
        (&*failure.class, &*failure.code),
        ("not-found", "google.not-found")
    );
    assert!(failure.details.contains(missing), "{failure:?}");
}

#[tokio::test]
async fn an_api_that_is_off_is_not_an_empty_answer() {
    let mut subject = subject("kaniko", Some(BUILDER));
    subject.targets = vec![target(
        PolicyResource::Repository(REPOSITORY.into()),
        &["artifactregistry.repositories.uploadArtifacts"],
    )];
    let proof = TestSandbox::new("registry-api-disabled")
        .await
        .prove(subject)
        .await;
    let failure = proof.targets[0].failure.as_ref().expect("it is off");
    assert_eq!(failure.code, "google.api-disabled");
    assert_eq!(
        sidestep_gate_testing::help(failure),
        ["gcloud services enable artifactregistry.googleapis.com --project 123456789012"]
    );
}

#[tokio::test]
async fn an_object_is_read_as_the_workload() {
    let of = |resource: PolicyResource, object: &str| wit::Target {
        object: Some(object.to_owned()),
        ..target(resource, &["storage.objects.get"])
    };
    let mut subject = subject("kaniko", Some(BUILDER));
    subject.targets = vec![
        of(
            PolicyResource::Bucket("demo-contexts".into()),
            "contexts/a b.tar",
        ),
        of(
            PolicyResource::Bucket("shared-contexts".into()),
            "contexts/a.tar",
        ),
        of(
            PolicyResource::Secret("projects/demo/secrets/greeting".into()),
            "x",
        ),
        target(
            PolicyResource::Bucket("demo-contexts".into()),
            &["storage.objects.get"],
        ),
    ];
    let proof = TestSandbox::new("healthy").await.prove(subject).await;
    let read = |index: usize| proof.targets[index].object.as_ref();
    let class = |index: usize| {
        read(index)
            .and_then(|read| read.as_ref().err())
            .map(|why| why.class.as_str())
    };
    assert_eq!(class(0), Some("not-found"), "it may list");
    assert_eq!(class(1), Some("denied"));
    assert_eq!(class(2), Some("invalid-input"), "a secret has no objects");
    assert!(read(3).is_none());
}
