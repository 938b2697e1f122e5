//! Service account keys: created, used, disabled, deleted.

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sidestep_sandbox_google::{Api, router};
use sidestep_sandbox_identity::{Access as _, Caller};

use crate::world::{BUILDER, DEVELOPER, World, send};

const KEYS: &str = "/v1/projects/-/serviceAccounts/builder@demo.iam.gserviceaccount.com/keys";
const TOKEN_URI: &str = "http://127.0.0.1:1/token";

async fn made(world: &World) -> (String, Value) {
    let key = world.dev(Api::Iam, "POST", KEYS, json!({})).await.ok();
    let file = STANDARD
        .decode(key["privateKeyData"].as_str().unwrap())
        .unwrap();
    let name = key["name"].as_str().unwrap().to_owned();
    (name, serde_json::from_slice(&file).unwrap())
}

/// Returns a JWT that the key signs, with these claims and the lifetime that clients use.
fn signed(file: &Value, mut claims: Value) -> String {
    let now = jiff::Timestamp::now().as_second();
    claims["iss"] = file["client_email"].clone();
    claims["iat"] = json!(now);
    if claims["exp"].is_null() {
        claims["exp"] = json!(now + 3600);
    }
    let header = Header {
        kid: file["private_key_id"].as_str().map(str::to_owned),
        ..Header::new(Algorithm::RS256)
    };
    let pem = file["private_key"].as_str().unwrap();
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
    jsonwebtoken::encode(&header, &claims, &key).unwrap()
}

/// Returns the token endpoint's answer to the assertion.
async fn exchanged(world: &World, assertion: &str) -> (u16, Value) {
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let form = format!(
        "grant_type={}&assertion={assertion}",
        grant.replace(':', "%3A")
    );
    let request = Request::post("/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap();
    let reply = send(router(&world.cloud, Api::Sts), request).await;
    (reply.status, reply.json())
}

fn usual() -> Value {
    json!({ "aud": TOKEN_URI, "scope": "https://www.googleapis.com/auth/cloud-platform" })
}

#[tokio::test]
async fn a_key_is_the_account_until_it_is_deleted() {
    let world = World::of("healthy");
    world.cloud.set_token_uri(TOKEN_URI);
    let (name, file) = made(&world).await;
    assert_eq!(file["type"], "service_account");
    assert_eq!(file["token_uri"], TOKEN_URI);
    let member = Caller::Member(format!("serviceAccount:{BUILDER}"));
    let identity = world.cloud.identity();

    let (status, token) = exchanged(&world, &signed(&file, usual())).await;
    assert_eq!(status, 200, "{token}");
    assert_eq!(
        identity.caller(token["access_token"].as_str()),
        Ok(member.clone())
    );
    // Some clients sign for Google's own address, whatever the file says.
    let mut googles = usual();
    googles["aud"] = json!("https://oauth2.googleapis.com/token");
    assert_eq!(exchanged(&world, &signed(&file, googles)).await.0, 200);
    // Others send the signed JWT directly.
    let own = json!({ "sub": BUILDER, "aud": "https://iam.googleapis.com/" });
    assert_eq!(
        identity.caller(Some(&signed(&file, own))),
        Ok(member.clone())
    );
    let scoped =
        json!({ "sub": BUILDER, "scope": "https://www.googleapis.com/auth/cloud-platform" });
    assert_eq!(identity.caller(Some(&signed(&file, scoped))), Ok(member));
    // A JWT for the token endpoint gives no access by itself.
    let mut meant_for_tokens = usual();
    meant_for_tokens["sub"] = json!(BUILDER);
    assert!(
        identity
            .caller(Some(&signed(&file, meant_for_tokens)))
            .is_err()
    );

    let id = json!({ "aud": TOKEN_URI, "target_audience": "https://run.example" });
    let (status, answer) = exchanged(&world, &signed(&file, id)).await;
    assert_eq!((status, answer["id_token"].is_string()), (200, true));

    let path = format!("/v1/{name}");
    let listed = world.dev(Api::Iam, "GET", KEYS, Value::Null).await.ok();
    assert_eq!(listed["keys"][0]["name"], name.as_str());
    assert_eq!(listed["keys"][0]["privateKeyData"], Value::Null);
    let signature = json!("Invalid JWT Signature.");
    world
        .dev(Api::Iam, "POST", &format!("{path}:disable"), json!({}))
        .await
        .ok();
    let (status, refusal) = exchanged(&world, &signed(&file, usual())).await;
    assert_eq!((status, &refusal["error_description"]), (400, &signature));
    world
        .dev(Api::Iam, "POST", &format!("{path}:enable"), json!({}))
        .await
        .ok();
    assert_eq!(exchanged(&world, &signed(&file, usual())).await.0, 200);
    world.dev(Api::Iam, "DELETE", &path, Value::Null).await.ok();
    let (status, refusal) = exchanged(&world, &signed(&file, usual())).await;
    assert_eq!((status, &refusal["error_description"]), (400, &signature));
}

#[tokio::test]
async fn what_a_key_cannot_do() {
    let world = World::of("healthy");
    world.cloud.set_token_uri(TOKEN_URI);
    let (_, file) = made(&world).await;
    let said = |(status, refusal): (u16, Value)| {
        assert_eq!(status, 400, "{refusal}");
        let text = |key: &str| refusal[key].as_str().unwrap().to_owned();
        (text("error"), text("error_description"))
    };
    let mut late = usual();
    late["exp"] = json!(jiff::Timestamp::now().as_second() + 9000);
    let (error, why) = said(exchanged(&world, &signed(&file, late)).await);
    assert!(
        error == "invalid_grant" && why.contains("short-lived token (60 minutes)"),
        "{why}"
    );
    let elsewhere = json!({ "aud": "https://example.com/token", "scope": "x" });
    let (error, _) = said(exchanged(&world, &signed(&file, elsewhere)).await);
    assert_eq!(error, "invalid_grant");
    let (error, _) = said(exchanged(&world, &signed(&file, json!({ "aud": TOKEN_URI }))).await);
    assert_eq!(error, "invalid_scope");
    let mut other = file.clone();
    other["client_email"] = json!("builder@shared.iam.gserviceaccount.com");
    let (_, why) = said(exchanged(&world, &signed(&other, usual())).await);
    assert_eq!(why, "Invalid JWT Signature.");
    other["client_email"] = json!("nobody@demo.iam.gserviceaccount.com");
    let (_, why) = said(exchanged(&world, &signed(&other, usual())).await);
    assert_eq!(why, "Invalid grant: account not found");
    said(exchanged(&world, "no.jwt").await);
}

#[tokio::test]
async fn keys_take_the_permission_and_are_few() {
    let world = World::of("healthy");
    let token = world.token(&format!("serviceAccount:{BUILDER}"));
    let reply = world
        .call(Api::Iam, Some(&token), "POST", KEYS, json!({}))
        .await;
    assert!(reply.refused(403).contains("iam.serviceAccountKeys.create"));
    for _ in 0..10 {
        made(&world).await;
    }
    let token = world.token(DEVELOPER);
    let reply = world
        .call(Api::Iam, Some(&token), "POST", KEYS, json!({}))
        .await;
    assert_eq!(
        reply.refused(429),
        "Maximum number of keys on account reached."
    );
}
