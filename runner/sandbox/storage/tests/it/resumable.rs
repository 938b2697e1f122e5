//! The resumable protocol on the wire.

use crate::server::{Server, answer, fresh};
use reqwest::{Method, Response};
use serde_json::json;
use std::time::Duration;

const QUANTUM: usize = 256 * 1024;

async fn start(server: &Server, query: &str) -> String {
    let path = format!("/upload/storage/v1/b/ctx/o?uploadType=resumable&name=r{query}");
    let request = server
        .call(Method::POST, &path)
        .json(&json!({ "metadata": { "k": "v" } }));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.headers()["location"].to_str().unwrap().to_owned()
}

/// The session's address is sufficient: no token is sent.
async fn send(server: &Server, url: &str, range: &str, bytes: Vec<u8>) -> Response {
    let request = server.call_as(None, Method::PUT, url);
    request
        .header("content-range", range)
        .body(bytes)
        .send()
        .await
        .unwrap()
}

fn kept(response: &Response) -> Option<&str> {
    assert_eq!(response.status(), 308);
    response
        .headers()
        .get("range")
        .map(|range| range.to_str().unwrap())
}

#[tokio::test]
async fn chunks_are_kept_asked_for_and_finished() {
    let (server, _dir) = fresh().await;
    let url = start(&server, "&ifGenerationMatch=0").await;
    let whole: Vec<u8> = (0..QUANTUM * 2 + 100).map(|at| (at % 253) as u8).collect();
    let total = whole.len();
    assert_eq!(kept(&send(&server, &url, "bytes */*", vec![]).await), None);

    let small = send(&server, &url, "bytes 0-99/*", whole[..100].to_vec()).await;
    let (status, body) = answer(small).await;
    assert_eq!(status, 400);
    let message = body["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("equal or greater than 262144"),
        "{message}"
    );

    // Bytes beyond a multiple of 256 KiB are not stored.
    let range = format!("bytes 0-{}/*", QUANTUM + 9);
    let first = send(&server, &url, &range, whole[..QUANTUM + 10].to_vec()).await;
    assert_eq!(kept(&first), Some("bytes=0-262143"));
    let status = send(&server, &url, &format!("bytes */{total}"), vec![]).await;
    assert_eq!(kept(&status), Some("bytes=0-262143"));
    let hole = format!("bytes {}-{}/{total}", QUANTUM * 2, total - 1);
    let hole = send(&server, &url, &hole, whole[QUANTUM * 2..].to_vec()).await;
    assert_eq!(hole.status(), 400);
    assert_eq!(server.get("/storage/v1/b/ctx/o/r").await.0, 404);

    // Bytes that are already stored are skipped.
    let rest = format!("bytes 1000-{}/{total}", total - 1);
    let (status, object) = answer(send(&server, &url, &rest, whole[1000..].to_vec()).await).await;
    assert_eq!(status, 200, "{object}");
    assert_eq!(object["size"], total.to_string());
    assert_eq!(object["metadata"]["k"], "v");
    let again = answer(send(&server, &url, "bytes */*", vec![]).await).await;
    assert_eq!(again, (200, object), "a lost answer can be asked for again");
    let read = server.call(Method::GET, "/ctx/r").send().await.unwrap();
    assert!(read.bytes().await.unwrap() == whole);
}

#[tokio::test]
async fn sessions_end_by_cancel_conflict_and_age() {
    let (server, dir) = fresh().await;
    let url = start(&server, "").await;
    let cancel = server
        .call_as(None, Method::DELETE, &url)
        .send()
        .await
        .unwrap();
    assert_eq!(cancel.status(), 499);
    assert_eq!(send(&server, &url, "bytes */*", vec![]).await.status(), 404);

    let url = start(&server, "&ifGenerationMatch=0").await;
    server.put("r", "somebody was faster").await;
    let late = send(&server, &url, "bytes 0-1/2", b"hi".to_vec()).await;
    assert_eq!(late.status(), 412);
    assert_eq!(send(&server, &url, "bytes */*", vec![]).await.status(), 404);

    let url = start(&server, "2").await;
    let wrong = server
        .call_as(None, Method::PUT, &url)
        .header("x-goog-hash", "crc32c=AAAAAA==");
    assert_eq!(wrong.body("hello").send().await.unwrap().status(), 400);

    let url = start(&server, "3").await;
    drop(server);
    let server = Server::open(dir.path(), Duration::ZERO).await;
    let url = url.split_once("/upload").unwrap().1;
    let old = send(&server, &format!("/upload{url}"), "bytes */*", vec![]).await;
    assert_eq!(old.status(), 410);
}

#[tokio::test]
async fn an_empty_object_is_one_question() {
    let (server, _dir) = fresh().await;
    let url = start(&server, "").await;
    let (status, object) = answer(send(&server, &url, "bytes */0", vec![]).await).await;
    assert_eq!((status, &object["size"]), (200, &json!("0")));
    let read = server.call(Method::GET, "/ctx/r").send().await.unwrap();
    assert_eq!(read.headers()["content-length"], "0");
}
