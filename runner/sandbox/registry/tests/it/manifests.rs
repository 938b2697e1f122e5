//! Manifests, tags and referrers on the wire.

use crate::server::{MANIFEST, WEB, fresh, refusal, sha256};
use reqwest::Method;
use serde_json::{Value, json};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

#[tokio::test]
async fn manifests_are_read_by_tag_and_digest_as_they_were_written() {
    let (server, _dir) = fresh().await;
    let (manifest, digest) = server.push_image(WEB, "v1", "one").await;
    for reference in ["v1", &digest] {
        let path = format!("{WEB}/manifests/{reference}");
        let read = server.call(Method::GET, &path).send().await.unwrap();
        assert_eq!(read.headers()["content-type"], MANIFEST);
        assert_eq!(read.headers()["docker-content-digest"], digest.as_str());
        assert_eq!(read.text().await.unwrap(), manifest.to_string());
        let head = server.call(Method::HEAD, &path).send().await.unwrap();
        assert_eq!(
            head.headers()["content-length"],
            manifest.to_string().len().to_string().as_str()
        );
    }
    let (_, newer) = server.push_image(WEB, "v1", "two").await;
    assert_ne!(newer, digest);
    let head = server
        .call(Method::HEAD, &format!("{WEB}/manifests/v1"))
        .send()
        .await
        .unwrap();
    assert_eq!(head.headers()["docker-content-digest"], newer.as_str());
}

#[tokio::test]
async fn what_a_manifest_references_must_be_there() {
    let (server, _dir) = fresh().await;
    let (manifest, digest) = server.push_image(WEB, "v1", "one").await;
    let put = async |reference: &str, manifest: &Value| {
        let put = server
            .put_manifest(WEB, reference, manifest)
            .send()
            .await
            .unwrap();
        refusal(put).await
    };
    let mut missing = manifest.clone();
    missing["layers"][0]["digest"] = sha256(b"never pushed").into();
    let (status, code, message) = put("v2", &missing).await;
    assert_eq!((status, code.as_str()), (400, "MANIFEST_BLOB_UNKNOWN"));
    assert!(message.contains(&sha256(b"never pushed")), "{message}");
    let mut wrong = manifest.clone();
    wrong["layers"][0]["size"] = 1.into();
    assert_eq!(put("v2", &wrong).await.1, "MANIFEST_INVALID");
    assert_eq!(put(&sha256(b"x"), &manifest).await.1, "DIGEST_INVALID");
    assert_eq!(put("-v", &manifest).await.1, "TAG_INVALID");
    let old = json!({ "mediaType": "application/vnd.docker.distribution.manifest.v1+json" });
    assert_eq!(put("v2", &old).await.1, "MANIFEST_INVALID");
    let huge = json!({ "mediaType": MANIFEST, "x": "x".repeat(5 << 20) });
    assert_eq!(put("v2", &huge).await.0, 413);

    let index = |digest: &str| {
        json!({
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [{ "mediaType": MANIFEST, "digest": digest, "size": 1 }],
        })
    };
    assert_eq!(
        put("all", &index(&sha256(b"x"))).await.1,
        "MANIFEST_BLOB_UNKNOWN"
    );
    let whole = server
        .put_manifest(WEB, "all", &index(&digest))
        .send()
        .await
        .unwrap();
    assert_eq!(whole.status(), 201);
    let read = server
        .call(Method::GET, &format!("{WEB}/manifests/all"))
        .send()
        .await
        .unwrap();
    assert_eq!(read.headers()["content-type"], INDEX);
}

#[tokio::test]
async fn tags_are_listed_in_pages_and_removed_before_their_manifest() {
    let (server, _dir) = fresh().await;
    let unknown = server
        .call(Method::GET, &format!("{WEB}/tags/list"))
        .send()
        .await
        .unwrap();
    assert_eq!(refusal(unknown).await.1, "NAME_UNKNOWN");
    let (manifest, digest) = server.push_image(WEB, "a", "one").await;
    for tag in ["b", "c"] {
        server
            .put_manifest(WEB, tag, &manifest)
            .send()
            .await
            .unwrap();
    }
    let mut path = format!("{WEB}/tags/list?n=2");
    let page = server.call(Method::GET, &path).send().await.unwrap();
    let link = page.headers()["link"].to_str().unwrap();
    path = link.split(['<', '>']).nth(1).unwrap().to_owned();
    assert_eq!(
        page.json::<Value>().await.unwrap(),
        json!({ "name": WEB, "tags": ["a", "b"] })
    );
    let page = server.call(Method::GET, &path).send().await.unwrap();
    assert!(page.headers().get("link").is_none());
    assert_eq!(page.json::<Value>().await.unwrap()["tags"], json!(["c"]));

    let delete = async |reference: &str| {
        let path = format!("{WEB}/manifests/{reference}");
        server.call(Method::DELETE, &path).send().await.unwrap()
    };
    let (status, code, _) = refusal(delete(&digest).await).await;
    assert_eq!(
        (status, code.as_str()),
        (400, "GOOGLE_MANIFEST_DANGLING_TAG")
    );
    for tag in ["a", "b", "c"] {
        assert_eq!(delete(tag).await.status(), 202);
    }
    assert_eq!(refusal(delete("a").await).await.1, "MANIFEST_UNKNOWN");
    assert_eq!(delete(&digest).await.status(), 202);
    let path = format!("{WEB}/manifests/{digest}");
    assert_eq!(
        server
            .call(Method::GET, &path)
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
}

#[tokio::test]
async fn referrers_are_found_by_subject_and_type() {
    let (server, _dir) = fresh().await;
    let (manifest, digest) = server.push_image(WEB, "v1", "one").await;
    let attach = async |kind: &str| {
        let mut signature = manifest.clone();
        signature["artifactType"] = kind.into();
        signature["annotations"] = json!({ "k": kind });
        signature["subject"] = json!({ "mediaType": MANIFEST, "digest": digest, "size": 1 });
        let put = server.put_manifest(WEB, &kind.replace('/', "-"), &signature);
        let put = put.send().await.unwrap();
        assert_eq!(put.headers()["oci-subject"], digest.as_str());
    };
    attach("test/signature").await;
    attach("test/sbom").await;
    let list = async |query: &str| {
        let path = format!("{WEB}/referrers/{digest}{query}");
        let listed = server.call(Method::GET, &path).send().await.unwrap();
        assert_eq!(listed.headers()["content-type"], INDEX);
        listed.json::<Value>().await.unwrap()["manifests"].clone()
    };
    assert_eq!(list("").await.as_array().unwrap().len(), 2);
    let signatures = list("?artifactType=test/signature").await;
    assert_eq!(signatures.as_array().unwrap().len(), 1);
    assert_eq!(signatures[0]["annotations"]["k"], "test/signature");
}
