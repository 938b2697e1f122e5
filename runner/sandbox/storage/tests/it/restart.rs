//! The state that a new process finds.

use crate::server::{Server, fresh};
use reqwest::Method;
use sidestep_sandbox_storage::{OpenError, SESSION_LIFE, Storage};
use std::sync::Arc;

#[tokio::test]
async fn objects_buckets_and_sessions_are_found_again() {
    let (server, dir) = fresh().await;
    server.put("kept", "bytes").await;
    let (_, before) = server
        .get("/storage/v1/b/ctx/o/kept?fields=generation,md5Hash,timeCreated")
        .await;
    let path = "/upload/storage/v1/b/ctx/o?uploadType=resumable&name=r";
    let started = server.call(Method::POST, path).send().await.unwrap();
    let session = started.headers()["location"].to_str().unwrap().to_owned();
    let session = session.strip_prefix(&server.base).unwrap().to_owned();
    let chunk = server
        .call(Method::PUT, &session)
        .header("content-range", "bytes 0-262143/262147");
    assert_eq!(
        chunk.body(vec![7; 262_144]).send().await.unwrap().status(),
        308
    );
    drop(server);
    // Files that a killed process may leave behind.
    std::fs::write(dir.path().join("content/orphan"), "half an upl").unwrap();
    std::fs::write(dir.path().join("buckets/ctx/objects/0.new"), "{\"na").unwrap();

    let server = Server::open(dir.path(), SESSION_LIFE).await;
    let (_, after) = server
        .get("/storage/v1/b/ctx/o/kept?fields=generation,md5Hash,timeCreated")
        .await;
    assert_eq!(before, after);
    assert!(!dir.path().join("content/orphan").exists());
    let rest = server
        .call(Method::PUT, &session)
        .header("content-range", "bytes 262144-262146/262147");
    assert_eq!(rest.body("end").send().await.unwrap().status(), 200);
    let read = server
        .call(Method::GET, "/ctx/r")
        .header("range", "bytes=262142-");
    assert_eq!(
        read.send().await.unwrap().bytes().await.unwrap(),
        "\u{7}\u{7}end"
    );
    let (_, new) = server.put("kept", "newer").await;
    assert!(new["generation"].as_str() > before["generation"].as_str());
    let files = std::fs::read_dir(dir.path().join("content"))
        .unwrap()
        .count();
    assert_eq!(files, 2, "replaced bytes go");
}

#[tokio::test]
async fn a_corrupt_file_is_named() {
    let (server, dir) = fresh().await;
    drop(server);
    let file = dir.path().join("buckets/ctx/bucket.json");
    std::fs::write(&file, "{").unwrap();
    let error = Storage::open(dir.path(), Arc::new(crate::access::Policies::default()));
    let Err(error @ OpenError::Corrupt { .. }) = error else {
        panic!("a corrupt bucket was taken");
    };
    assert!(error.to_string().contains("bucket.json"), "{error}");
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let (server, dir) = fresh().await;
    let frames = vec![
        Ok(bytes::Bytes::from_static(b"half")),
        Err(std::io::Error::other("cut")),
    ];
    let body = reqwest::Body::wrap_stream(futures::stream::iter(frames));
    let path = "/upload/storage/v1/b/ctx/o?uploadType=media&name=a";
    assert!(
        server
            .call(Method::POST, path)
            .body(body)
            .send()
            .await
            .is_err()
    );
    // The server notices the lost connection asynchronously. A complete later request passes after
    // that.
    server.put("b", "whole").await;
    let (_, page) = server.get("/storage/v1/b/ctx/o?fields=items/name").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    drop(server);
    let server = Server::open(dir.path(), SESSION_LIFE).await;
    assert_eq!(
        std::fs::read_dir(dir.path().join("content"))
            .unwrap()
            .count(),
        1
    );
    assert_eq!(server.get("/storage/v1/b/ctx/o/a").await.0, 404);
}
