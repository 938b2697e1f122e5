//! The callers that are refused, and the messages that they get.

use crate::{
    access::BUILD,
    server::{Server, WEB, fresh, refusal, repository},
};
use reqwest::Method;
use serde_json::Value;
use sidestep_sandbox_identity::Resource;

const UPLOAD: &str = "artifactregistry.repositories.uploadArtifacts";
const DOWNLOAD: &str = "artifactregistry.repositories.downloadArtifacts";

async fn push(server: &Server, who: Option<&str>, image: &str) -> reqwest::Response {
    let path = format!("{image}/blobs/uploads/");
    server
        .call_as(who, Method::POST, &path)
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_client_is_asked_who_it_is_and_told_where_to_say() {
    let (server, _dir) = fresh().await;
    let ping = server.call_as(None, Method::GET, "").send().await.unwrap();
    assert_eq!(ping.status(), 401);
    let address = server.address;
    assert_eq!(
        ping.headers()["www-authenticate"],
        format!("Bearer realm=\"http://{address}/v2/token\",service=\"127.0.0.1\"").as_str()
    );
    assert_eq!(
        ping.headers()["docker-distribution-api-version"],
        "registry/2.0"
    );
    let start = push(&server, None, WEB).await;
    assert_eq!(start.status(), 401);
    let challenge = start.headers()["www-authenticate"].to_str().unwrap();
    let scope = format!(",scope=\"repository:{WEB}:pull,push\"");
    assert!(challenge.ends_with(&scope), "{challenge}");

    for user in ["_token", "oauth2accesstoken"] {
        let token = server.call_as(None, Method::GET, "token?service=127.0.0.1");
        let token = token.basic_auth(user, Some(BUILD)).send().await.unwrap();
        let token: Value = token.json().await.unwrap();
        let token = token["token"].as_str().unwrap();
        let ping = server
            .call_as(Some(token), Method::GET, "")
            .send()
            .await
            .unwrap();
        assert_eq!(ping.status(), 200);
    }
    for wrong in [("_token", "expired"), ("_json_key", BUILD)] {
        let token = server.call_as(None, Method::GET, "token");
        let token = token
            .basic_auth(wrong.0, Some(wrong.1))
            .send()
            .await
            .unwrap();
        assert_eq!(refusal(token).await.1, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn refusals_are_artifact_registrys() {
    let (server, _dir) = fresh().await;
    let denied = format!(
        "Permission \"{UPLOAD}\" denied on resource \"projects/demo/locations/europe/repositories/apps\" (or it may not exist)"
    );
    let refused = refusal(push(&server, Some(BUILD), WEB).await).await;
    assert_eq!(refused, (403, "DENIED".to_owned(), denied));

    let token = server
        .call_as(None, Method::GET, "token")
        .send()
        .await
        .unwrap();
    let token: Value = token.json().await.unwrap();
    let anonymous = push(&server, token["token"].as_str(), WEB).await;
    let message = format!(
        "Unauthenticated request. Unauthenticated requests do not have permission \"{UPLOAD}\" on resource \"projects/demo/locations/europe/repositories/apps\" (or it may not exist)"
    );
    assert_eq!(
        refusal(anonymous).await,
        (403, "DENIED".to_owned(), message)
    );

    server
        .grants
        .give(BUILD, UPLOAD, repository("europe", "apps"));
    let start = push(&server, Some(BUILD), WEB).await;
    assert_eq!(start.status(), 202);
    // kaniko's push check ends the upload that it started.
    let location = start.headers()["location"].to_str().unwrap();
    let end = server
        .call_as(Some(BUILD), Method::DELETE, location)
        .send()
        .await
        .unwrap();
    assert_eq!(end.status(), 204);
    let again = server
        .call_as(Some(BUILD), Method::DELETE, location)
        .send()
        .await
        .unwrap();
    assert_eq!(refusal(again).await.1, "BLOB_UPLOAD_UNKNOWN");

    let read = format!("{WEB}/manifests/v1");
    let refused = server
        .call_as(Some(BUILD), Method::GET, &read)
        .send()
        .await
        .unwrap();
    assert!(refusal(refused).await.2.contains(DOWNLOAD));
    let missing = server.call(Method::GET, &read).send().await.unwrap();
    let message = format!("Failed to fetch \"v1\" from request \"/v2/{read}\".");
    assert_eq!(
        refusal(missing).await,
        (404, "MANIFEST_UNKNOWN".to_owned(), message)
    );
    let nowhere = push(
        &server,
        Some(crate::access::OWNER),
        "europe-docker.pkg.dev/demo/none/x",
    )
    .await;
    let message = "Repository \"none\" not found".to_owned();
    assert_eq!(
        refusal(nowhere).await,
        (404, "NAME_UNKNOWN".to_owned(), message)
    );
    let invalid = push(
        &server,
        Some(crate::access::OWNER),
        "europe-docker.pkg.dev/demo/apps/A",
    )
    .await;
    assert_eq!(refusal(invalid).await.1, "NAME_INVALID");
}

#[tokio::test]
async fn gcr_hosts_are_repositories_and_made_on_push_by_who_may() {
    let (server, _dir) = fresh().await;
    let (_, digest) = server.push_image("gcr.io/demo/tool", "v1", "layer").await;
    let host = server
        .call(Method::GET, "demo/tool/manifests/v1")
        .header("host", "gcr.io");
    let read = host.send().await.unwrap();
    assert_eq!(read.headers()["docker-content-digest"], digest.as_str());

    server
        .grants
        .give(BUILD, UPLOAD, repository("europe", "eu.gcr.io"));
    let refused = refusal(push(&server, Some(BUILD), "eu.gcr.io/demo/tool").await).await;
    assert_eq!(refused.0, 403);
    assert!(
        refused
            .2
            .starts_with("gcr.io repo does not exist. Creating on push"),
        "{}",
        refused.2
    );
    let create = "artifactregistry.repositories.createOnPush";
    server
        .grants
        .give(BUILD, create, Resource::Project("demo".to_owned()));
    let refused = refusal(push(&server, Some(BUILD), "eu.gcr.io/demo/tool").await).await;
    assert_eq!(
        refused.1, "NAME_UNKNOWN",
        "this list of repositories makes none"
    );
}

#[tokio::test]
async fn what_all_users_may_read_needs_no_token() {
    let (server, _dir) = fresh().await;
    server.push_image(WEB, "v1", "layer").await;
    server
        .grants
        .give("allUsers", DOWNLOAD, repository("europe", "apps"));
    let path = format!("{WEB}/manifests/v1");
    let read = server
        .call_as(None, Method::GET, &path)
        .send()
        .await
        .unwrap();
    assert_eq!(read.status(), 200);
}
