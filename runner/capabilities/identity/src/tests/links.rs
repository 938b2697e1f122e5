use serde_json::{Value, json};
use sidestep_bindings::sidestep::identity::prove as wit;
use sidestep_policy::Capability as Key;

use super::sandbox::{BUILDER, CLUSTER, Prover, TestSandbox, broken, subject};

/// Returns where the proof of a subject fails: link, class, code, and details.
async fn cause(
    scenario: &str,
    subject: wit::Subject,
) -> (wit::Link, String, String, Value, String) {
    let proof = TestSandbox::new(scenario).await.prove(subject).await;
    let (link, failure) = broken(&proof);
    let details: Value = serde_json::from_str(&failure.details).expect("JSON");
    (
        link,
        failure.class.clone(),
        failure.code.clone(),
        details,
        format!(
            "{}\n{}",
            failure.message,
            sidestep_gate_testing::help(failure).join("\n")
        ),
    )
}

#[tokio::test]
async fn an_account_is_impersonated() {
    let proof = TestSandbox::new("healthy")
        .await
        .prove(subject("kaniko", Some(BUILDER)))
        .await;
    let links: Vec<_> = proof.links.iter().map(|link| link.link).collect();
    assert_eq!(
        links,
        [
            wit::Link::TokenRequest,
            wit::Link::Exchange,
            wit::Link::Impersonate
        ]
    );
    assert!(
        proof.links.iter().all(|link| link.failure.is_none()),
        "{proof:?}"
    );
    assert_eq!(proof.principal.as_deref(), Some(BUILDER));
}

#[tokio::test]
async fn a_direct_identity_is_named_as_policies_name_it() {
    let proof = TestSandbox::new("healthy")
        .await
        .prove(subject("kaniko-direct", None))
        .await;
    assert_eq!(proof.links.len(), 2);
    assert!(
        proof.links.iter().all(|link| link.failure.is_none()),
        "{proof:?}"
    );
    assert_eq!(
        proof.principal.as_deref(),
        Some(
            "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/demo.svc.id.goog/subject/ns/builds/sa/kaniko-direct"
        )
    );
}

#[tokio::test]
async fn a_missing_service_account_breaks_the_first_link() {
    let (link, class, code, details, said) =
        cause("service-account-missing", subject("kaniko", Some(BUILDER))).await;
    assert_eq!(link, wit::Link::TokenRequest);
    assert_eq!((&*class, &*code), ("not-found", "kubernetes.not-found"));
    assert_eq!(details["link"], "token-request");
    assert_eq!(
        said,
        "cannot get a token of the service account builds/kaniko: serviceaccounts \"kaniko\" not found\n\
         kubectl create serviceaccount kaniko -n builds"
    );
}

#[tokio::test]
async fn a_missing_cluster_breaks_the_first_link_too() {
    let mut subject = subject("kaniko", Some(BUILDER));
    subject.cluster = "projects/demo/locations/europe-west1/clusters/other".to_owned();
    let (link, class, code, ..) = cause("healthy", subject).await;
    assert_eq!(link, wit::Link::TokenRequest);
    assert_eq!((&*class, &*code), ("not-found", "google.not-found"));
}

#[tokio::test]
async fn a_cluster_without_a_pool_breaks_the_exchange() {
    let (link, class, code, details, said) =
        cause("no-workload-pool", subject("kaniko", Some(BUILDER))).await;
    assert_eq!(link, wit::Link::Exchange);
    assert_eq!((&*class, &*code), ("not-found", "identity.pool-missing"));
    assert_eq!(details["reason"], "invalid_target");
    assert!(
        said.contains("The target service indicated by the \"audience\" parameters is invalid."),
        "{said}"
    );
    assert!(
        said.ends_with("gcloud container clusters describe ci --location europe-west1 --project demo '--format=value(workloadIdentityConfig.workloadPool)'"),
        "{said}"
    );
}

#[tokio::test]
async fn a_missing_binding_breaks_the_impersonation() {
    let (link, class, code, details, said) =
        cause("no-binding", subject("kaniko", Some(BUILDER))).await;
    assert_eq!(link, wit::Link::Impersonate);
    assert_eq!(
        (&*class, &*code),
        ("denied", "identity.impersonation-denied")
    );
    assert_eq!(details["reason"], "IAM_PERMISSION_DENIED");
    assert_eq!(
        details["metadata"]["permission"],
        "iam.serviceAccounts.getAccessToken"
    );
    assert!(
        said.starts_with("cannot impersonate builder@demo.iam.gserviceaccount.com: Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).\nan administrator of the account can let the workload impersonate it:\n\
         gcloud iam service-accounts add-iam-policy-binding builder@demo.iam.gserviceaccount.com --project demo --role roles/iam.workloadIdentityUser --member 'serviceAccount:demo.svc.id.goog[builds/kaniko]' --condition=None\n"),
        "{said}"
    );
}

#[tokio::test]
async fn a_deleted_account_is_told_from_a_missing_binding() {
    let (link, class, code, _, said) =
        cause("account-deleted", subject("kaniko", Some(BUILDER))).await;
    assert_eq!(link, wit::Link::Impersonate);
    assert_eq!((&*class, &*code), ("not-found", "identity.account-missing"));
    assert_eq!(
        said,
        "cannot impersonate builder@demo.iam.gserviceaccount.com: Not found; Gaia id not found for email builder@demo.iam.gserviceaccount.com\n\
         gcloud iam service-accounts create builder --project demo"
    );
}

#[tokio::test]
async fn a_disabled_api_is_told_from_a_missing_binding() {
    let (link, class, code, details, said) =
        cause("api-disabled", subject("kaniko", Some(BUILDER))).await;
    assert_eq!(link, wit::Link::Impersonate);
    assert_eq!((&*class, &*code), ("denied", "google.api-disabled"));
    assert_eq!(details["reason"], "SERVICE_DISABLED");
    assert_eq!(details["metadata"]["consumer"], "projects/123456789012");
    assert!(
        said.ends_with(
            "gcloud services enable iamcredentials.googleapis.com --project 123456789012"
        ),
        "{said}"
    );
}

#[tokio::test]
async fn a_grant_for_one_namespace_refuses_another() {
    let place = TestSandbox::new("healthy").await;
    let granted = json!([{"cluster": CLUSTER, "namespace": "other"}]);
    let mut prover = Prover::new(place.identity(), &[(Key::Identity, granted)]);
    let failure = prover
        .prove(subject("kaniko", Some(BUILDER)))
        .await
        .expect_err("it is refused");
    assert_eq!(
        (&*failure.class, &*failure.code),
        ("refused", "grant.scope")
    );
    assert_eq!(
        failure.message,
        format!(
            "the step may not prove the identity of builds/kaniko in {CLUSTER}: that is outside what it is granted"
        )
    );
    let [call] = &prover.kept.calls()[..] else {
        panic!("one call");
    };
    assert!(!call.allowed);
}

#[tokio::test]
async fn a_name_that_is_none_is_not_sent_anywhere() {
    let place = TestSandbox::new("healthy").await;
    let changes: [fn(&mut wit::Subject); 5] = [
        |subject| subject.namespace = "builds/../x".to_owned(),
        |subject| subject.service_account = "kaniko?x=y".to_owned(),
        |subject| subject.pool = String::new(),
        |subject| subject.impersonate = Some("a@b/keys".to_owned()),
        |subject| subject.impersonate = Some("$(id)@b".to_owned()),
    ];
    for change in changes {
        let mut subject = subject("kaniko", None);
        change(&mut subject);
        let failure = place.prover().prove(subject).await.expect_err("it is none");
        assert_eq!(
            (&*failure.class, &*failure.code),
            ("invalid-input", "identity.subject")
        );
    }
    let mut subject = subject("kaniko", None);
    subject.cluster = "prod".to_owned();
    let failure = place.prover().prove(subject).await.expect_err("it is none");
    assert_eq!(failure.code, "kubernetes.unknown-cluster");
}
