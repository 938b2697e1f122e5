//! The state that a new process finds.

use crate::server::{Server, WEB, fresh, sha256};
use reqwest::Method;

#[tokio::test]
async fn images_and_uploads_are_found_again() {
    let (server, dir) = fresh().await;
    let (manifest, digest) = server.push_image(WEB, "v1", "layer").await;
    let path = format!("{WEB}/blobs/uploads/");
    let started = server.call(Method::POST, &path).send().await.unwrap();
    let at = started.headers()["location"].to_str().unwrap().to_owned();
    server
        .call(Method::PATCH, &at)
        .body("half")
        .send()
        .await
        .unwrap();
    drop(server);
    // Files that a killed process may leave behind.
    std::fs::write(dir.path().join("incoming/half-written"), "{\"me").unwrap();

    let server = Server::open(dir.path()).await;
    assert!(!dir.path().join("incoming/half-written").exists());
    let read = server
        .call(Method::GET, &format!("{WEB}/manifests/v1"))
        .send()
        .await
        .unwrap();
    assert_eq!(read.headers()["docker-content-digest"], digest.as_str());
    assert_eq!(read.text().await.unwrap(), manifest.to_string());
    let whole = sha256(b"half and half");
    let end = server
        .call(Method::PUT, &format!("{at}?digest={whole}"))
        .body(" and half");
    assert_eq!(end.send().await.unwrap().status(), 201);
    let blob = server
        .call(Method::GET, &format!("{WEB}/blobs/{whole}"))
        .send()
        .await
        .unwrap();
    assert_eq!(blob.text().await.unwrap(), "half and half");
}
