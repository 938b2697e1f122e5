//! Tokens: exchange, impersonation, and their permissions afterwards.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sidestep_sandbox_google::{Api, DEVELOPER_AUDIENCE, SUBJECT_TOKEN_TYPE, router};
use sidestep_sandbox_identity::{Access as _, Caller, Resource};

use crate::world::{BUILDER, CLUSTER, DEVELOPER, Reply, World, send};

const POOL: &str = "demo.svc.id.goog";

fn request(subject: &str, pool: &str, cluster: &str) -> Value {
    json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "subject_token": subject,
        "audience": format!("identitynamespace:{pool}:https://container.googleapis.com/v1/{cluster}"),
        "scope": "https://www.googleapis.com/auth/cloud-platform",
    })
}

async fn bind(world: &World, body: Value) -> Reply {
    world
        .call(
            Api::SecureToken,
            None,
            "POST",
            "/v1/identitybindingtoken",
            body,
        )
        .await
}

async fn impersonate(world: &World, token: &str, account: &str) -> Reply {
    let path = format!("/v1/projects/-/serviceAccounts/{account}:generateAccessToken");
    let body =
        json!({"scope": ["https://www.googleapis.com/auth/cloud-platform"], "lifetime": "3600s"});
    world
        .call(Api::IamCredentials, Some(token), "POST", &path, body)
        .await
}

async fn federated(world: &World, account: &str) -> String {
    let reply = bind(
        world,
        request(&format!("builds/{account}@{POOL}"), POOL, CLUSTER),
    )
    .await
    .ok();
    assert_eq!(reply["token_type"], "Bearer");
    assert!(reply["expires_in"].as_i64().unwrap() > 3500);
    reply["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_workload_becomes_its_account() {
    let world = World::of("healthy");
    let token = federated(&world, "kaniko").await;
    let reply = impersonate(&world, &token, BUILDER).await.ok();
    assert!(reply["expireTime"].as_str().unwrap().ends_with('Z'));
    let access = reply["accessToken"].as_str().unwrap();
    let caller = world.cloud.identity().caller(Some(access)).unwrap();
    assert_eq!(caller, Caller::Member(format!("serviceAccount:{BUILDER}")));
}

#[tokio::test]
async fn another_workload_does_not() {
    let world = World::of("healthy");
    let token = federated(&world, "default").await;
    let message = impersonate(&world, &token, BUILDER).await.refused(403);
    assert_eq!(
        message,
        "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
    );
}

#[tokio::test]
async fn a_direct_principal_has_what_it_is_granted() {
    let world = World::of("healthy");
    let identity = world.cloud.identity();
    let caller = identity
        .caller(Some(&federated(&world, "kaniko-direct").await))
        .unwrap();
    let bucket = Resource::Bucket("demo-contexts".into());
    assert!(identity.allows(&caller, "storage.objects.get", &bucket));
    let caller = identity
        .caller(Some(&federated(&world, "kaniko").await))
        .unwrap();
    assert!(!identity.allows(&caller, "storage.objects.get", &bucket));
}

#[tokio::test]
async fn the_cluster_of_another_project_may_use_the_pool_of_its_own_only() {
    let world = World::of("healthy");
    let token = federated(&world, "kaniko-shared").await;
    impersonate(&world, &token, "builder@shared.iam.gserviceaccount.com")
        .await
        .ok();
    impersonate(&world, &token, BUILDER).await.refused(403);
}

#[tokio::test]
async fn bad_exchanges_are_refused_in_oauths_shape() {
    let world = World::of("healthy");
    let good = request(&format!("builds/kaniko@{POOL}"), POOL, CLUSTER);
    let with = |key: &str, value: &str| {
        let mut body = good.clone();
        body[key] = json!(value);
        body
    };
    let cases = [
        (with("grant_type", "password"), "unsupported_grant_type"),
        (with("subject_token", ""), "invalid_request"),
        (
            with("subject_token", "builds/kaniko@other"),
            "invalid_grant",
        ),
        (
            with("subject_token", "builds/nobody@demo.svc.id.goog"),
            "invalid_grant",
        ),
        (with("audience", "nonsense"), "invalid_request"),
        (
            with("audience", "identitynamespace:demo.svc.id.goog"),
            "invalid_request",
        ),
        (with("scope", ""), "invalid_scope"),
        (
            request("builds/kaniko@x.svc.id.goog", "x.svc.id.goog", CLUSTER),
            "invalid_target",
        ),
        (
            request(
                "builds/kaniko@demo.svc.id.goog",
                POOL,
                "projects/demo/locations/x/clusters/y",
            ),
            "invalid_target",
        ),
        (
            with(
                "audience",
                "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
            ),
            "invalid_target",
        ),
        (json!([]), "unsupported_grant_type"),
    ];
    for (body, error) in cases {
        let reply = bind(&world, body.clone()).await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.text);
        assert_eq!(reply.json()["error"], error, "{body}: {}", reply.text);
        assert!(reply.json()["error_description"].is_string());
        assert!(
            !reply.text.contains("builds/"),
            "a subject token is not repeated: {}",
            reply.text
        );
    }
    let off = World::of("no-workload-pool");
    assert_eq!(bind(&off, good).await.json()["error"], "invalid_target");
}

#[tokio::test]
async fn the_developers_subject_token_is_exchanged_as_a_form() {
    let world = World::of("healthy");
    let subject = world.cloud.identity().mint_subject(DEVELOPER).secret;
    let form: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair(
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        )
        .append_pair("audience", DEVELOPER_AUDIENCE)
        .append_pair("subject_token_type", SUBJECT_TOKEN_TYPE)
        .append_pair("subject_token", &subject)
        .append_pair("scope", "https://www.googleapis.com/auth/cloud-platform")
        .finish();
    let request = Request::post("/v1/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap();
    let reply = send(router(&world.cloud, Api::Sts), request).await.ok();
    let token = reply["access_token"].as_str().unwrap();
    let caller = world.cloud.identity().caller(Some(token)).unwrap();
    assert_eq!(caller, Caller::Member(DEVELOPER.to_owned()));
}

#[tokio::test]
async fn what_breaks_an_account_breaks_its_tokens() {
    let denied = "Permission 'iam.serviceAccounts.getAccessToken' denied";
    for (scenario, status, says) in [
        ("no-binding", 403, denied),
        ("ksa-ns-swapped", 403, denied),
        ("project-number-in-member", 403, denied),
        ("wrong-role", 403, denied),
        ("account-recreated", 403, denied),
        ("account-disabled", 403, denied),
        (
            "account-deleted",
            404,
            "Not found; Gaia id not found for email builder@demo",
        ),
        (
            "api-disabled",
            403,
            "IAM Service Account Credentials API has not been used in project 123456789012 before or it is disabled.",
        ),
    ] {
        let world = World::of(scenario);
        let token = federated(&world, "kaniko").await;
        let message = impersonate(&world, &token, BUILDER).await.refused(status);
        assert!(message.starts_with(says), "{scenario}: {message}");
    }
}

#[tokio::test]
async fn a_lifetime_has_bounds() {
    let world = World::of("healthy");
    let token = federated(&world, "kaniko").await;
    let path = format!("/v1/projects/-/serviceAccounts/{BUILDER}:generateAccessToken");
    for (lifetime, status) in [
        ("300s", 200),
        ("3601s", 400),
        ("0s", 400),
        ("-1s", 400),
        ("NaNs", 400),
        ("1h", 400),
    ] {
        let body = json!({"scope": ["x"], "lifetime": lifetime});
        let reply = world
            .call(Api::IamCredentials, Some(&token), "POST", &path, body)
            .await;
        assert_eq!(reply.status, status, "{lifetime}: {}", reply.text);
    }
    let reply = world
        .call(Api::IamCredentials, Some(&token), "POST", &path, json!({}))
        .await;
    assert_eq!(reply.refused(400), "Scope required.");
}
