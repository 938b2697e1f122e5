//! The callers that may make each call, and the format of refusals.

use serde_json::{Value, json};
use sidestep_sandbox_google::{Api, by_host};

use crate::world::{BUILDER, CLUSTER, DEVELOPER, World, send};

/// Returns one read of each API, and the permission that it needs.
fn reads() -> Vec<(Api, String, &'static str)> {
    let repository = "/v1/projects/demo/locations/europe/repositories/images";
    vec![
        (
            Api::Iam,
            format!("/v1/projects/demo/serviceAccounts/{BUILDER}"),
            "iam.serviceAccounts.get",
        ),
        (
            Api::Container,
            format!("/v1/{CLUSTER}"),
            "container.clusters.get",
        ),
        (
            Api::CloudResourceManager,
            "/v3/projects/demo".into(),
            "resourcemanager.projects.get",
        ),
        (
            Api::ServiceUsage,
            "/v1/projects/123456789012/services/iam.googleapis.com".into(),
            "get service",
        ),
        (
            Api::ArtifactRegistry,
            repository.into(),
            "artifactregistry.repositories.get",
        ),
        (
            Api::SecretManager,
            "/v1/projects/demo/secrets/greeting".into(),
            "secretmanager.secrets.get",
        ),
    ]
}

#[tokio::test]
async fn nobody_gets_in_without_a_token() {
    let world = World::of("healthy");
    for (api, path, _) in reads() {
        for (token, says, reason) in [
            (
                None,
                "Request is missing required authentication credential.",
                "CREDENTIALS_MISSING",
            ),
            (
                Some("ya29.sandbox-made-up"),
                "Request had invalid authentication credentials.",
                "ACCESS_TOKEN_EXPIRED",
            ),
            (
                Some(""),
                "Request had invalid authentication credentials.",
                "ACCESS_TOKEN_EXPIRED",
            ),
        ] {
            let reply = world.call(api, token, "GET", &path, Value::Null).await;
            assert!(
                reply.refused(401).starts_with(says),
                "{api:?}: {}",
                reply.text
            );
            let error = &reply.json()["error"];
            assert_eq!(error["status"], "UNAUTHENTICATED");
            assert_eq!(error["details"][0]["reason"], reason);
            assert!(reply.headers.contains_key("www-authenticate"));
        }
    }
}

#[tokio::test]
async fn a_stranger_is_told_which_permission_is_missing() {
    let world = World::of("healthy");
    let stranger = world.token("user:eve@example.com");
    for (api, path, permission) in reads() {
        let reply = world
            .call(api, Some(&stranger), "GET", &path, Value::Null)
            .await;
        assert!(
            reply.refused(403).contains(permission),
            "{api:?}: {}",
            reply.text
        );
        let error = &reply.json()["error"];
        assert_eq!(error["status"], "PERMISSION_DENIED");
        let reason = error["details"][0]["reason"].as_str().unwrap();
        assert!(
            matches!(reason, "IAM_PERMISSION_DENIED" | "AUTH_PERMISSION_DENIED"),
            "{reason}"
        );
        world.dev(api, "GET", &path, Value::Null).await.ok();
    }
}

#[tokio::test]
async fn a_disabled_api_says_how_to_enable_it() {
    let world = World::of("registry-api-disabled");
    let path = "/v1/projects/demo/locations/europe/repositories/images";
    let reply = world
        .dev(Api::ArtifactRegistry, "GET", path, Value::Null)
        .await;
    let message = reply.refused(403);
    assert!(message.starts_with("Artifact Registry API has not been used in project 123456789012 before or it is disabled. Enable it by visiting https://"), "{message}");
    let details = &reply.json()["error"]["details"];
    assert_eq!(details[0]["reason"], "SERVICE_DISABLED");
    assert_eq!(
        details[0]["metadata"]["service"],
        "artifactregistry.googleapis.com"
    );
    assert_eq!(details[0]["metadata"]["consumer"], "projects/123456789012");

    let enable = "/v1/projects/demo/services/artifactregistry.googleapis.com:enable";
    let operation = world
        .dev(Api::ServiceUsage, "POST", enable, json!({}))
        .await
        .ok();
    assert_eq!(operation["response"]["service"]["state"], "ENABLED");
    let name = operation["name"].as_str().unwrap();
    assert_eq!(
        world
            .dev(
                Api::ServiceUsage,
                "GET",
                &format!("/v1/{name}"),
                Value::Null
            )
            .await
            .ok()["done"],
        true
    );
    world
        .dev(Api::ArtifactRegistry, "GET", path, Value::Null)
        .await
        .ok();
}

#[tokio::test]
async fn missing_things_are_told_to_those_who_may_look() {
    let world = World::of("healthy");
    let gone = "gone@demo.iam.gserviceaccount.com";
    let by_project = format!("/v1/projects/demo/serviceAccounts/{gone}");
    assert_eq!(
        world
            .dev(Api::Iam, "GET", &by_project, Value::Null)
            .await
            .refused(404),
        "Unknown service account"
    );
    let by_dash = format!("/v1/projects/-/serviceAccounts/{gone}");
    assert!(
        world
            .dev(Api::Iam, "GET", &by_dash, Value::Null)
            .await
            .refused(403)
            .contains("iam.serviceAccounts.get")
    );
    let cluster = "/v1/projects/demo/locations/europe-west1/clusters/nope";
    assert!(
        world
            .dev(Api::Container, "GET", cluster, Value::Null)
            .await
            .refused(404)
            .starts_with("Not found: projects/demo/")
    );
    for path in ["/v3/projects/nowhere", "/v3/projects/999"] {
        world
            .dev(Api::CloudResourceManager, "GET", path, Value::Null)
            .await
            .refused(403);
    }
    world
        .dev(Api::Iam, "GET", "/v1/nonsense", Value::Null)
        .await
        .refused(501);
}

#[tokio::test]
async fn permissions_are_tested_for_whoever_asks() {
    let world = World::of("healthy");
    let path = "/v1/projects/demo/locations/europe/repositories/images:testIamPermissions";
    let asked = json!({"permissions": ["artifactregistry.repositories.uploadArtifacts", "artifactregistry.repositories.delete"]});
    let builder = world.token(&format!("serviceAccount:{BUILDER}"));
    let held = world
        .call(
            Api::ArtifactRegistry,
            Some(&builder),
            "POST",
            path,
            asked.clone(),
        )
        .await
        .ok();
    assert_eq!(
        held,
        json!({"permissions": ["artifactregistry.repositories.uploadArtifacts"]})
    );
    let stranger = world.token("user:eve@example.com");
    assert_eq!(
        world
            .call(
                Api::ArtifactRegistry,
                Some(&stranger),
                "POST",
                path,
                asked.clone()
            )
            .await
            .ok(),
        json!({})
    );
    let missing = path.replace("images", "nope");
    assert_eq!(
        world
            .dev(Api::ArtifactRegistry, "POST", &missing, asked)
            .await
            .ok(),
        json!({})
    );
}

#[tokio::test]
async fn a_policy_is_written_only_as_it_was_read() {
    let world = World::of("healthy");
    let account = format!("/v1/projects/demo/serviceAccounts/{BUILDER}");
    let read = format!("{account}:getIamPolicy?options.requestedPolicyVersion=3");
    let write = format!("{account}:setIamPolicy");
    let mut policy = world.dev(Api::Iam, "POST", &read, Value::Null).await.ok();
    let first = policy.clone();
    policy["bindings"].as_array_mut().unwrap().push(json!({
        "role": "roles/iam.serviceAccountTokenCreator", "members": [DEVELOPER],
        "condition": {"title": "soon", "expression": "request.time < timestamp('2100-01-01T00:00:00Z')"},
    }));
    let body = |policy: &Value| json!({ "policy": policy });
    assert!(
        world
            .dev(Api::Iam, "POST", &write, body(&policy))
            .await
            .refused(400)
            .contains("version 3")
    );
    policy["version"] = json!(3);
    world
        .dev(Api::Iam, "POST", &write, body(&policy))
        .await
        .ok();
    let reply = world.dev(Api::Iam, "POST", &write, body(&first)).await;
    reply.refused(409);
    assert_eq!(reply.json()["error"]["status"], "ABORTED");

    let old = world
        .dev(
            Api::Iam,
            "POST",
            &format!("{account}:getIamPolicy"),
            Value::Null,
        )
        .await
        .ok();
    let hidden = old["bindings"][1]["role"].as_str().unwrap();
    assert!(
        hidden.starts_with("roles/iam.serviceAccountTokenCreator_withcond_"),
        "{hidden}"
    );

    let path = format!("/v1/projects/-/serviceAccounts/{BUILDER}:generateAccessToken");
    world
        .dev(Api::IamCredentials, "POST", &path, json!({"scope": ["x"]}))
        .await
        .ok();
    policy["etag"] = Value::Null;
    policy["bindings"][1]["condition"]["expression"] = json!("false");
    world
        .dev(Api::Iam, "POST", &write, body(&policy))
        .await
        .ok();
    world
        .dev(Api::IamCredentials, "POST", &path, json!({"scope": ["x"]}))
        .await
        .refused(403);

    policy["bindings"][0]["members"] =
        json!(["serviceAccount:123456789012.svc.id.goog[builds/kaniko]"]);
    let message = world
        .dev(Api::Iam, "POST", &write, body(&policy))
        .await
        .refused(400);
    assert!(
        message.starts_with("Identity Pool does not exist (123456789012.svc.id.goog)"),
        "{message}"
    );
}

#[tokio::test]
async fn enums_are_read_as_names_and_numbers() {
    let world = World::of("metadata-server-off");
    let path = format!("/v1/{CLUSTER}/nodePools/default-pool");
    for mode in [json!("GKE_METADATA"), json!(1), json!(2), json!("2")] {
        let body = json!({"workloadMetadataConfig": {"mode": mode}});
        let operation = world.dev(Api::Container, "PUT", &path, body).await.ok();
        assert_eq!(operation["status"], "DONE");
        let pool = world
            .dev(
                Api::Container,
                "GET",
                &format!("{path}?$alt=json;enum-encoding=int"),
                Value::Null,
            )
            .await
            .ok();
        let expected = if mode == json!(1) {
            "GCE_METADATA"
        } else {
            "GKE_METADATA"
        };
        assert_eq!(pool["config"]["workloadMetadataConfig"]["mode"], expected);
    }
    for mode in [json!("NOPE"), json!(9), json!(-1), json!([]), Value::Null] {
        let body = json!({"workloadMetadataConfig": {"mode": mode}});
        world
            .dev(Api::Container, "PUT", &path, body)
            .await
            .refused(400);
    }
}

#[tokio::test]
async fn one_address_serves_all_apis_by_host_and_fields_are_masked() {
    let world = World::of("healthy");
    let ask = |host: &str, path: &str| {
        axum::http::Request::get(path)
            .header("host", host)
            .header(
                "authorization",
                format!("Bearer {}", world.token(DEVELOPER)),
            )
            .body(axum::body::Body::empty())
            .unwrap()
    };
    let path = format!("/v1/{CLUSTER}?fields=workloadIdentityConfig,nodePools(name)");
    let reply = send(
        by_host(&world.cloud),
        ask("container.googleapis.com:443", &path),
    )
    .await
    .ok();
    assert_eq!(
        reply,
        json!({
            "workloadIdentityConfig": {"workloadPool": "demo.svc.id.goog"},
            "nodePools": [{"name": "default-pool"}],
        })
    );
    let malformed = format!("/v1/{CLUSTER}?fields=nodePools(");
    let why = send(
        by_host(&world.cloud),
        ask("container.googleapis.com:443", &malformed),
    )
    .await
    .refused(400);
    assert_eq!(why, "Invalid field selection nodePools(");
    send(by_host(&world.cloud), ask("example.com", "/"))
        .await
        .refused(404);
}

#[tokio::test]
async fn hostile_requests_get_an_answer() {
    let world = World::of("healthy");
    let deep = "[".repeat(5_000);
    for path in [
        "/",
        "//",
        "/v1",
        "/v1/projects/%ff/serviceAccounts",
        "/v1/projects//:x",
        "/v1/projects/demo/serviceAccounts/%00",
        "/v1/projects/demo/serviceAccounts?pageSize=-1",
        "/v1/projects/demo/serviceAccounts?pageToken=99999999999999999999",
    ] {
        let reply = world.dev(Api::Iam, "GET", path, Value::Null).await;
        assert!(
            (400..=501).contains(&reply.status),
            "{path}: {}",
            reply.status
        );
    }
    let request = axum::http::Request::post("/v1/projects/demo/serviceAccounts")
        .header(
            "authorization",
            format!("Bearer {}", world.token(DEVELOPER)),
        )
        .body(axum::body::Body::from(deep))
        .unwrap();
    let reply = send(
        sidestep_sandbox_google::router(&world.cloud, Api::Iam),
        request,
    )
    .await;
    assert!(
        reply
            .refused(400)
            .starts_with("Invalid JSON payload received.")
    );
    for body in [
        json!({"policy": 3}),
        json!({"policy": {"bindings": [1]}}),
        json!([]),
        json!("x"),
    ] {
        let path = "/v3/projects/demo:setIamPolicy";
        world
            .dev(Api::CloudResourceManager, "POST", path, body)
            .await
            .refused(400);
    }
}
