//! The exchange of CI jobs' tokens, and the providers that decide about them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use axum::http::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sidestep_evaluator_guest::Native;
use sidestep_sandbox_google::{Api, Cloud, NoClusters, Scenario, ci};
use sidestep_sandbox_identity::{Access as _, Caller, Clock, Identity};

use crate::world::{DEVELOPER, Reply, World, send};

const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/ci-jobs";
const RUNNER: &str = "ci-runner@demo.iam.gserviceaccount.com";

/// A cloud whose clock the test moves.
struct Moved {
    world: World,
    seconds: Arc<AtomicI64>,
}

impl Moved {
    fn new() -> Self {
        let seed = Scenario::named("healthy").unwrap().seed().unwrap();
        let seconds = Arc::new(AtomicI64::new(1_780_000_000));
        let read = Arc::clone(&seconds);
        let clock =
            Clock::from_fn(move || Timestamp::from_second(read.load(Ordering::Relaxed)).unwrap());
        let identity = Identity::new(seed.identity(), clock, Arc::new(Native));
        let state = seed.state("2026-01-01T00:00:00Z");
        let world = World {
            cloud: Cloud::new(identity, state, Arc::new(NoClusters)),
            accounts: Arc::default(),
        };
        Self { world, seconds }
    }

    fn pass(&self, time: SignedDuration) {
        self.seconds.fetch_add(time.as_secs(), Ordering::Relaxed);
    }
}

/// Sends a job's request to the CI system.
async fn job(world: &World, path: &str) -> Reply {
    let bearer = world.cloud.identity().mint_subject(ci::JOB).secret;
    let request = Request::get(path)
        .header("authorization", format!("Bearer {bearer}"))
        .body(Body::empty())
        .unwrap();
    send(ci::router(&world.cloud), request).await
}

/// Returns an id token of a job for a provider's default audience.
async fn id_token(world: &World, name: &str, more: &str) -> String {
    let path = format!(
        "/{name}/id-token?api-version=2.0{more}&audience=https://iam.googleapis.com/{POOL}/providers/{name}"
    );
    let reply = job(world, &path).await.ok();
    reply["value"].as_str().unwrap().to_owned()
}

async fn exchange(world: &World, audience: &str, token: &str) -> Reply {
    let body = json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "subject_token": token,
        "audience": audience,
        "scope": "https://www.googleapis.com/auth/cloud-platform",
    });
    world.call(Api::Sts, None, "POST", "/v1/token", body).await
}

fn provider(name: &str) -> String {
    format!("//iam.googleapis.com/{POOL}/providers/{name}")
}

async fn change(world: &World, name: &str, mask: &str, body: Value) {
    let path = format!("/v1/{POOL}/providers/{name}?updateMask={mask}");
    world.dev(Api::Iam, "PATCH", &path, body).await.ok();
}

#[tokio::test]
async fn a_job_of_each_ci_system_becomes_the_runner_s_account() {
    let world = World::of("healthy");
    for name in [ci::GITHUB, ci::GITLAB] {
        let token = id_token(&world, name, "").await;
        let reply = exchange(&world, &provider(name), &token).await.ok();
        let federated = reply["access_token"].as_str().unwrap();
        let path = format!("/v1/projects/-/serviceAccounts/{RUNNER}:generateAccessToken");
        let body = json!({ "scope": ["x"] });
        let reply = world
            .call(Api::IamCredentials, Some(federated), "POST", &path, body)
            .await
            .ok();
        let caller = world
            .cloud
            .identity()
            .caller(reply["accessToken"].as_str())
            .unwrap();
        assert_eq!(caller, Caller::Member(format!("serviceAccount:{RUNNER}")));
    }
    // GitHub's token is valid for five minutes, and Google's not longer.
    let token = id_token(&world, ci::GITHUB, "").await;
    let reply = exchange(&world, &provider(ci::GITHUB), &token).await.ok();
    assert!(reply["expires_in"].as_i64().unwrap() <= 300, "{reply}");
}

#[tokio::test]
async fn gitlab_s_token_comes_with_the_job_and_github_s_is_requested() {
    let world = World::of("healthy");
    let of_gitlab = job(&world, "/gitlab/job").await.ok();
    let token = of_gitlab["token"].as_str().unwrap();
    exchange(&world, &provider(ci::GITLAB), token).await.ok();
    let of_github = job(&world, "/github/job").await.ok();
    assert_eq!(of_github["token"], Value::Null);
    assert_eq!(of_github["provider"], format!("{POOL}/providers/github"));
    let anonymous = Request::get("/github/id-token")
        .body(Body::empty())
        .unwrap();
    let refused = send(ci::router(&world.cloud), anonymous).await;
    assert_eq!(refused.status, 401);
    let keys = job(&world, "/github/.well-known/jwks").await.ok();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    let issuer = job(&world, "/gitlab/.well-known/openid-configuration")
        .await
        .ok();
    assert_eq!(issuer["issuer"], "https://gitlab.com");
}

#[tokio::test]
async fn rejected_tokens_get_google_s_words() {
    let world = World::of("healthy");
    let good = id_token(&world, ci::GITHUB, "").await;
    let foreign = id_token(&world, ci::GITLAB, "").await;
    let branch = id_token(&world, ci::GITHUB, "&claim.ref=refs/heads/x").await;
    let long = format!("&claim.sub={}", "x".repeat(128));
    let long = id_token(&world, ci::GITHUB, &long).await;
    let path = "/github/id-token?audience=https://vault.example";
    let for_another = job(&world, path).await.ok()["value"]
        .as_str()
        .unwrap()
        .to_owned();
    let forged = format!("{good}x");
    let here = provider(ci::GITHUB);
    let with_id = here.replace("123456789012", "demo");
    let missing = "The target service indicated by the \"audience\" parameters is invalid.";
    for (audience, token, status, error, says) in [
        (&*with_id, &good, 400, "invalid_target", missing),
        (&*provider("other"), &good, 400, "invalid_target", missing),
        (
            here.split("/providers").next().unwrap(),
            &good,
            400,
            "invalid_request",
            "Invalid value for \"audience\".",
        ),
        (
            &*here,
            &foreign,
            400,
            "invalid_grant",
            "The issuer in ID Token https://gitlab.com does not match the expected ones: https://token.actions.githubusercontent.com",
        ),
        (
            &*here,
            &for_another,
            400,
            "invalid_grant",
            "The audience in ID Token [https://vault.example] does not match",
        ),
        (
            &*here,
            &branch,
            401,
            "unauthorized_client",
            "The given credential is rejected by the attribute condition.",
        ),
        (
            &*here,
            &long,
            400,
            "invalid_request",
            "The size of mapped attribute exceeds the 127 bytes limit.",
        ),
        (&*here, &forged, 400, "invalid_grant", "Invalid signature"),
    ] {
        let reply = exchange(&world, audience, token).await;
        assert_eq!(reply.status, status, "{says}: {}", reply.text);
        assert_eq!(reply.json()["error"], error);
        let said = reply.json()["error_description"].to_string();
        assert!(said.replace("\\\"", "\"").contains(says), "{said}");
        assert!(!reply.text.contains(token.as_str()), "{}", reply.text);
    }
}

#[tokio::test]
async fn an_expired_token_is_stale_and_a_deleted_provider_keeps_its_id_for_thirty_days() {
    let moved = Moved::new();
    let world = &moved.world;
    let token = id_token(world, ci::GITHUB, "").await;
    moved.pass(SignedDuration::from_secs(299));
    let here = provider(ci::GITHUB);
    let reply = exchange(world, &here, &token).await.ok();
    assert_eq!(reply["expires_in"], 1);
    moved.pass(SignedDuration::from_secs(1));
    let reply = exchange(world, &here, &token).await;
    let said = reply.json()["error_description"].to_string();
    assert!(said.contains("is stale to sign-in"), "{said}");

    let path = format!("/v1/{POOL}/providers/github");
    world.dev(Api::Iam, "DELETE", &path, Value::Null).await.ok();
    let token = id_token(world, ci::GITHUB, "").await;
    assert_eq!(
        exchange(world, &here, &token).await.json()["error"],
        "invalid_target"
    );
    let found = world.dev(Api::Iam, "GET", &path, Value::Null).await.ok();
    assert_eq!(found["state"], "DELETED");
    let create = format!("/v1/{POOL}/providers?workloadIdentityPoolProviderId=github");
    let body = json!({
        "oidc": {"issuerUri": "https://x.example"},
        "attributeMapping": {"google.subject": "assertion.sub"},
    });
    world
        .dev(Api::Iam, "POST", &create, body.clone())
        .await
        .refused(409);
    let undelete = format!("{path}:undelete");
    world.dev(Api::Iam, "POST", &undelete, json!({})).await.ok();
    let token = id_token(world, ci::GITHUB, "").await;
    exchange(world, &here, &token).await.ok();
    world
        .dev(Api::Iam, "POST", &undelete, json!({}))
        .await
        .refused(400);

    world.dev(Api::Iam, "DELETE", &path, Value::Null).await.ok();
    moved.pass(SignedDuration::from_hours(30 * 24));
    world
        .dev(Api::Iam, "GET", &path, Value::Null)
        .await
        .refused(404);
    world.dev(Api::Iam, "POST", &create, body).await.ok();
}

#[tokio::test]
async fn changes_of_a_provider_decide_about_the_next_token() {
    let world = World::of("healthy");
    let here = provider(ci::GITHUB);
    let token = id_token(&world, ci::GITHUB, "&claim.ref=refs/heads/x").await;
    assert_eq!(exchange(&world, &here, &token).await.status, 401);
    change(
        &world,
        "github",
        "attributeCondition",
        json!({"attributeCondition": "attribute.repository == 'acme/app'"}),
    )
    .await;
    exchange(&world, &here, &token).await.ok();
    // Google compares case.
    let token = id_token(&world, ci::GITHUB, "&claim.repository=Acme/app").await;
    assert_eq!(exchange(&world, &here, &token).await.status, 401);
    change(&world, "github", "disabled", json!({"disabled": true})).await;
    assert_eq!(
        exchange(&world, &here, &token).await.json()["error"],
        "invalid_target"
    );
    change(
        &world,
        "gitlab",
        "oidc.allowedAudiences",
        json!({"oidc": {"allowedAudiences": ["https://vault.example"]}}),
    )
    .await;
    let token = job(&world, "/gitlab/id-token?audience=https://vault.example")
        .await
        .ok();
    let token = token["value"].as_str().unwrap();
    exchange(&world, &provider(ci::GITLAB), token).await.ok();
    // A field of a text is none.
    for mask in ["nonsense", "displayName.x", "disabled.x"] {
        let path = format!("/v1/{POOL}/providers/gitlab?updateMask={mask}");
        world
            .dev(Api::Iam, "PATCH", &path, json!({"displayName": "a"}))
            .await
            .refused(400);
    }
}

#[tokio::test]
async fn a_pool_is_changed_only_with_the_permission() {
    let world = World::of("healthy");
    let path = format!("/v1/{POOL}");
    let stranger = world.token("user:nobody@example.com");
    let undelete = format!("{path}:undelete");
    for (method, path) in [
        ("GET", &path),
        ("DELETE", &path),
        ("PATCH", &path),
        ("POST", &undelete),
    ] {
        world
            .call(Api::Iam, Some(&stranger), method, path, json!({}))
            .await
            .refused(403);
    }
    let listed = |query: &'static str| {
        let world = &world;
        async move {
            let all = "/v1/projects/demo/locations/global/workloadIdentityPools";
            let token = world.token(DEVELOPER);
            let reply = world
                .call(
                    Api::Iam,
                    Some(&token),
                    "GET",
                    &format!("{all}{query}"),
                    Value::Null,
                )
                .await
                .ok();
            reply["workloadIdentityPools"]
                .as_array()
                .map_or(0, Vec::len)
        }
    };
    assert_eq!(listed("").await, 1);
    world.dev(Api::Iam, "DELETE", &path, Value::Null).await.ok();
    assert_eq!(listed("").await, 0);
    assert_eq!(listed("?showDeleted=true").await, 1);
}
