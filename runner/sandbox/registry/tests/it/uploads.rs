//! Blobs on the wire.

use crate::access::{BUILD, OWNER};
use crate::server::{Server, WEB, fresh, refusal, sha256};
use reqwest::{Method, Response};

async fn start(server: &Server) -> String {
    let path = format!("{WEB}/blobs/uploads/");
    let started = server.call(Method::POST, &path).send().await.unwrap();
    assert_eq!(started.status(), 202);
    started.headers()["location"].to_str().unwrap().to_owned()
}

async fn chunk(server: &Server, at: &str, range: &str, bytes: &'static str) -> Response {
    let chunk = server
        .call(Method::PATCH, at)
        .header("content-range", range);
    chunk.body(bytes).send().await.unwrap()
}

#[tokio::test]
async fn chunks_follow_on_each_other() {
    let (server, _dir) = fresh().await;
    let at = start(&server).await;
    let first = chunk(&server, &at, "0-4", "01234").await;
    assert_eq!(
        (first.status().as_u16(), &first.headers()["range"]),
        (202, &"0-4".parse().unwrap())
    );
    assert_eq!(chunk(&server, &at, "9-10", "xx").await.status(), 416);
    let status = server.call(Method::GET, &at).send().await.unwrap();
    assert_eq!(
        (status.status().as_u16(), &status.headers()["range"]),
        (204, &"0-4".parse().unwrap())
    );
    assert_eq!(chunk(&server, &at, "5-7", "567").await.status(), 202);
    let digest = sha256(b"0123456789");
    let end = server
        .call(Method::PUT, &format!("{at}?digest={digest}"))
        .body("89");
    let end = end.send().await.unwrap();
    assert_eq!(end.status(), 201);
    let blob = end.headers()["location"].to_str().unwrap();
    let read = server.call(Method::GET, blob).send().await.unwrap();
    assert_eq!(read.headers()["docker-content-digest"], digest.as_str());
    assert_eq!(read.text().await.unwrap(), "0123456789");
    let head = server.call(Method::HEAD, blob).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], "10");
    let part = server
        .call(Method::GET, blob)
        .header("range", "bytes=2-4")
        .send()
        .await
        .unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], "bytes 2-4/10");
    assert_eq!(part.text().await.unwrap(), "234");
    let beyond = server
        .call(Method::GET, blob)
        .header("range", "bytes=10-")
        .send()
        .await
        .unwrap();
    assert_eq!(beyond.status(), 416);
    let gone = server.call(Method::DELETE, blob).send().await.unwrap();
    assert_eq!(gone.status(), 202);
    assert_eq!(
        refusal(server.call(Method::GET, blob).send().await.unwrap())
            .await
            .1,
        "BLOB_UNKNOWN"
    );
}

#[tokio::test]
async fn bytes_that_are_not_their_digest_are_refused_and_gone() {
    let (server, dir) = fresh().await;
    let digest = sha256(b"one");
    let at = start(&server).await;
    for (method, path) in [
        (Method::PUT, format!("{at}?digest={digest}")),
        (
            Method::POST,
            format!("{WEB}/blobs/uploads/?digest={digest}"),
        ),
        (
            Method::POST,
            format!("{WEB}/blobs/uploads/?digest=sha256:../../x"),
        ),
    ] {
        let put = server.call(method, &path).body("two").send().await.unwrap();
        let (status, code, _) = refusal(put).await;
        assert_eq!((status, code.as_str()), (400, "DIGEST_INVALID"));
    }
    assert_eq!(
        std::fs::read_dir(dir.path().join("uploads"))
            .unwrap()
            .count(),
        0
    );
    let head = server
        .call(Method::HEAD, &format!("{WEB}/blobs/{digest}"))
        .send()
        .await
        .unwrap();
    assert_eq!(head.status(), 404);
}

#[tokio::test]
async fn blobs_belong_to_a_repository_and_are_mounted_by_who_may_read_it() {
    let (server, _dir) = fresh().await;
    let digest = server.push_blob(WEB, b"layer").await;
    let other = "europe-docker.pkg.dev/demo/other/app";
    let blob = format!("{other}/blobs/{digest}");
    assert_eq!(
        server
            .call(Method::HEAD, &blob)
            .send()
            .await
            .unwrap()
            .status(),
        404
    );

    let mount = format!("{other}/blobs/uploads/?mount={digest}&from={WEB}");
    let resource = crate::server::repository("europe", "other");
    let upload = "artifactregistry.repositories.uploadArtifacts";
    server.grants.give(BUILD, upload, resource);
    let blind = server
        .call_as(Some(BUILD), Method::POST, &mount)
        .send()
        .await
        .unwrap();
    assert_eq!(
        blind.status(),
        202,
        "who may not read the source sends the bytes"
    );
    let mounted = server
        .call_as(Some(OWNER), Method::POST, &mount)
        .send()
        .await
        .unwrap();
    assert_eq!(mounted.status(), 201);
    assert_eq!(
        server
            .call(Method::HEAD, &blob)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}
