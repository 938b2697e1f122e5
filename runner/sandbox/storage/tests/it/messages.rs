//! The callers that are refused, and the messages that they get.

use crate::server::{answer, bucket, fresh};
use reqwest::Method;
use serde_json::json;

const BUILD: &str = "serviceAccount:build@demo.iam.gserviceaccount.com";
const DIRECT: &str = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/demo.svc.id.goog/subject/ns/ci/sa/build";

#[tokio::test]
async fn the_json_api_refuses_like_google() {
    let (server, _dir) = fresh().await;
    server.put("a", "1").await;
    let get = |who: Option<&'static str>, path: &str| server.call_as(who, Method::GET, path).send();
    let path = "/storage/v1/b/ctx/o/a";
    let (status, body) = answer(get(None, path).await.unwrap()).await;
    assert_eq!(status, 401);
    let message = "Anonymous caller does not have storage.objects.get access to the Google Cloud Storage object. Permission 'storage.objects.get' denied on resource (or it may not exist).";
    assert_eq!(body["error"]["message"], message);
    assert_eq!(body["error"]["errors"][0]["reason"], "required");
    let (status, body) = answer(get(Some(BUILD), path).await.unwrap()).await;
    assert_eq!(status, 403);
    let message = "build@demo.iam.gserviceaccount.com does not have storage.objects.get access to the Google Cloud Storage object. Permission 'storage.objects.get' denied on resource (or it may not exist).";
    assert_eq!(body["error"]["message"], message);
    assert_eq!(body["error"]["errors"][0]["reason"], "forbidden");
    let (status, body) = answer(get(Some("nonsense"), path).await.unwrap()).await;
    assert_eq!(
        (status, &body["error"]["message"]),
        (401, &json!("Invalid Credentials"))
    );
    let (status, body) = answer(get(Some(BUILD), "/storage/v1/b/none/o/a").await.unwrap()).await;
    assert_eq!(status, 404);
    assert_eq!(
        body["error"]["message"],
        "The specified bucket does not exist."
    );

    server.policies.bind("ctx", "reader-without-list", BUILD);
    assert_eq!(get(Some(BUILD), path).await.unwrap().status(), 200);
    let missing = "/storage/v1/b/ctx/o/missing";
    let (status, body) = answer(get(Some(BUILD), missing).await.unwrap()).await;
    assert_eq!(
        status, 403,
        "who may not list learns nothing of what is missing"
    );
    let message = body["error"]["message"].as_str().unwrap();
    assert!(message.contains("storage.objects.list access to the Google Cloud Storage bucket"));
    server
        .policies
        .bind("ctx", "roles/storage.objectViewer", BUILD);
    let (status, body) = answer(get(Some(BUILD), missing).await.unwrap()).await;
    assert_eq!(
        (status, &body["error"]["message"]),
        (404, &json!("No such object: ctx/missing"))
    );
}

#[tokio::test]
async fn a_creator_creates_and_does_not_replace() {
    let (server, _dir) = fresh().await;
    server
        .policies
        .bind("ctx", "roles/storage.objectCreator", BUILD);
    let post = |query: &str| {
        let path = format!("/upload/storage/v1/b/ctx/o?uploadType=media&name=a{query}");
        server
            .call_as(Some(BUILD), Method::POST, &path)
            .body("x")
            .send()
    };
    assert_eq!(post("").await.unwrap().status(), 200);
    let (status, body) = answer(post("").await.unwrap()).await;
    assert_eq!(status, 403);
    let message = body["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("storage.objects.delete access"),
        "{message}"
    );
    // An existing object is not a forbidden one: a content-addressed upload relies on this.
    assert_eq!(post("&ifGenerationMatch=0").await.unwrap().status(), 412);
}

#[tokio::test]
async fn direct_principals_need_uniform_access() {
    let (server, _dir) = fresh().await;
    let mut acls = bucket("acls");
    acls.uniform_access = false;
    assert!(server.storage.seed(&acls).unwrap());
    assert!(!server.storage.seed(&acls).unwrap());
    for (bucket, held) in [
        ("ctx", json!(["storage.objects.get"])),
        ("acls", json!(null)),
    ] {
        server
            .policies
            .bind(bucket, "roles/storage.objectViewer", DIRECT);
        let path = format!(
            "/storage/v1/b/{bucket}/iam/testPermissions?permissions=storage.objects.get&permissions=storage.objects.create"
        );
        let test = server
            .call_as(Some(DIRECT), Method::GET, &path)
            .send()
            .await
            .unwrap();
        let (status, answer) = answer(test).await;
        assert_eq!((status, &answer["permissions"]), (200, &held), "{bucket}");
    }
}

#[tokio::test]
async fn policies_are_read_and_replaced_by_etag() {
    let (server, _dir) = fresh().await;
    let path = "/storage/v1/b/ctx/iam?optionsRequestedPolicyVersion=3";
    let (_, mut policy) = server.get(path).await;
    assert_eq!(policy["kind"], "storage#policy");
    assert_eq!(policy["resourceId"], "projects/_/buckets/ctx");
    policy["bindings"] = json!([{ "role": "roles/storage.objectViewer", "members": [BUILD] }]);
    let put = || {
        server
            .call(Method::PUT, "/storage/v1/b/ctx/iam")
            .json(&policy)
            .send()
    };
    let (status, set) = answer(put().await.unwrap()).await;
    assert_eq!((status, &set["bindings"]), (200, &policy["bindings"]));
    let (status, stale) = answer(put().await.unwrap()).await;
    assert_eq!(status, 412);
    assert_eq!(stale["error"]["errors"][0]["reason"], "conditionNotMet");
    let denied = server
        .call_as(Some(BUILD), Method::GET, path)
        .send()
        .await
        .unwrap();
    assert_eq!(denied.status(), 403);
}
