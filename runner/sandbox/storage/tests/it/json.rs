//! The JSON API on the wire: pages, masks, preconditions, checksums, combining.

use crate::server::{Server, answer, fresh};
use reqwest::Method;
use serde_json::{Value, json};

async fn names(server: &Server, query: &str) -> (Vec<String>, Vec<String>, Option<String>) {
    let (status, page) = server.get(&format!("/storage/v1/b/ctx/o?{query}")).await;
    assert_eq!(status, 200, "{page}");
    let texts = |value: &Value, key: Option<&str>| {
        let list = value.as_array().cloned().unwrap_or_default();
        let list = list.iter().map(|item| key.map_or(item, |key| &item[key]));
        list.map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let token = page["nextPageToken"].as_str().map(str::to_owned);
    (
        texts(&page["items"], Some("name")),
        texts(&page["prefixes"], None),
        token,
    )
}

#[tokio::test]
async fn listings_group_and_page() {
    let (server, _dir) = fresh().await;
    for name in ["a", "d1/x", "d1/y/z", "d2/x", "e"] {
        assert_eq!(server.put(&name.replace('/', "%2F"), name).await.0, 200);
    }
    let (items, prefixes, token) = names(&server, "delimiter=/").await;
    assert_eq!(
        (items, prefixes, token),
        (
            vec!["a".into(), "e".into()],
            vec!["d1/".into(), "d2/".into()],
            None,
        )
    );
    let (items, prefixes, _) = names(&server, "delimiter=/&prefix=d1/").await;
    assert_eq!(
        (items, prefixes),
        (vec!["d1/x".into()], vec!["d1/y/".into()])
    );

    for query in [
        "maxResults=1",
        "maxResults=2",
        "maxResults=1&delimiter=/",
        "maxResults=3&delimiter=/",
    ] {
        let (mut all, mut page) = (Vec::new(), String::new());
        loop {
            let (items, prefixes, token) = names(&server, &format!("{query}{page}")).await;
            assert!(!items.is_empty() || !prefixes.is_empty());
            all.extend(items);
            all.extend(prefixes);
            let Some(token) = token else { break };
            page = format!("&pageToken={token}");
        }
        all.sort();
        let want: &[&str] = if query.contains("delimiter") {
            &["a", "d1/", "d2/", "e"]
        } else {
            &["a", "d1/x", "d1/y/z", "d2/x", "e"]
        };
        assert_eq!(all, want, "{query}");
    }
    let (items, _, _) = names(&server, "startOffset=d1/y&endOffset=e").await;
    assert_eq!(items, ["d1/y/z", "d2/x"]);
}

#[tokio::test]
async fn masks_cut_what_is_answered() {
    let (server, _dir) = fresh().await;
    server.put("a", "1").await;
    let (_, page) = server
        .get("/storage/v1/b/ctx/o?fields=items(name,size),nextPageToken")
        .await;
    assert_eq!(page, json!({ "items": [{ "name": "a", "size": "1" }] }));
    let path = "/storage/v1/b/ctx?fields=iamConfiguration/uniformBucketLevelAccess/enabled";
    let (_, facts) = server.get(path).await;
    let uniform = json!({ "uniformBucketLevelAccess": { "enabled": true } });
    assert_eq!(facts, json!({ "iamConfiguration": uniform }));
    assert_eq!(server.get("/storage/v1/b/ctx?fields=a(").await.0, 400);
}

#[tokio::test]
async fn preconditions_hold_or_answer_412_and_304() {
    let (server, _dir) = fresh().await;
    let (status, object) = server.put("a&ifGenerationMatch=0", "one").await;
    assert_eq!(status, 200);
    let generation = object["generation"].as_str().unwrap();
    let (status, refused) = server.put("a&ifGenerationMatch=0", "two").await;
    assert_eq!(status, 412);
    assert_eq!(
        refused,
        json!({ "error": {
            "code": 412,
            "message": "At least one of the pre-conditions you specified did not hold.",
            "errors": [{
                "message": "At least one of the pre-conditions you specified did not hold.",
                "domain": "global",
                "reason": "conditionNotMet",
                "locationType": "header",
                "location": "If-Match",
            }],
        }})
    );
    assert_eq!(server.put("a&ifGenerationMatch=1", "two").await.0, 412);
    assert_eq!(server.put("b&ifGenerationMatch=x", "two").await.0, 400);
    let at = |condition: &str| format!("/storage/v1/b/ctx/o/a?{condition}={generation}");
    assert_eq!(server.get(&at("ifGenerationMatch")).await.0, 200);
    assert_eq!(server.get(&at("ifGenerationNotMatch")).await.0, 304);
    let path = "/storage/v1/b/ctx/o/a?ifMetagenerationMatch=2";
    let patch = server
        .call(Method::PATCH, path)
        .json(&json!({ "metadata": { "k": "v" } }));
    assert_eq!(answer(patch.send().await.unwrap()).await.0, 412);
    let path = "/storage/v1/b/ctx/o/a?ifMetagenerationMatch=1";
    let patch = json!({ "metadata": { "k": "v" }, "customTime": "2026-01-01T00:00:00Z" });
    let patch = server.call(Method::PATCH, path).json(&patch);
    let (_, patched) = answer(patch.send().await.unwrap()).await;
    assert_eq!(patched["metageneration"], "2");
    assert_eq!(patched["generation"], generation);
    assert_eq!(patched["metadata"]["k"], "v");
    assert_eq!(patched["customTime"], "2026-01-01T00:00:00Z");
    let (_, replaced) = server
        .put(&format!("a&ifGenerationMatch={generation}"), "two")
        .await;
    let newer: i64 = replaced["generation"].as_str().unwrap().parse().unwrap();
    assert!(newer > generation.parse().unwrap());
    let gone = server.get(&at("generation")).await;
    assert_eq!(gone.0, 404, "the old generation is gone");
}

#[tokio::test]
async fn wrong_hashes_are_refused() {
    let (server, _dir) = fresh().await;
    let path = "/upload/storage/v1/b/ctx/o?uploadType=media&name=a";
    let post = |hash: &'static str| {
        server
            .call(Method::POST, path)
            .header("x-goog-hash", hash)
            .body("123456789")
    };
    // The check value of CRC-32C, and the MD5 of the same nine digits.
    let right = "crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw==";
    assert_eq!(post(right).send().await.unwrap().status(), 200);
    for wrong in ["crc32c=AAAAAA==", "md5=AAAAAAAAAAAAAAAAAAAAAA=="] {
        let (status, body) = answer(post(wrong).send().await.unwrap()).await;
        assert_eq!(status, 400);
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.contains("doesn't match calculated"), "{message}");
    }
    let multipart = |crc: &str| {
        let body = format!(
            "--b\r\nContent-Type: application/json\r\n\r\n{{\"name\":\"m\",\"crc32c\":\"{crc}\"}}\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\n123456789\r\n--b--"
        );
        server
            .call(
                Method::POST,
                "/upload/storage/v1/b/ctx/o?uploadType=multipart",
            )
            .header("content-type", "multipart/related; boundary=b")
            .body(body)
    };
    let (status, object) = answer(multipart("4waSgw==").send().await.unwrap()).await;
    assert_eq!(
        (status, &object["contentType"]),
        (200, &json!("text/plain"))
    );
    assert_eq!(multipart("AAAAAA==").send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn media_is_served_whole_and_in_ranges() {
    let (server, _dir) = fresh().await;
    server.put("a", "0123456789").await;
    for path in [
        "/storage/v1/b/ctx/o/a?alt=media",
        "/download/storage/v1/b/ctx/o/a?alt=media",
    ] {
        let whole = server.call(Method::GET, path).send().await.unwrap();
        assert_eq!(whole.headers()["x-goog-stored-content-length"], "10");
        assert_eq!(whole.text().await.unwrap(), "0123456789");
        let part = server.call(Method::GET, path).header("range", "bytes=2-4");
        let part = part.send().await.unwrap();
        assert_eq!(part.status(), 206);
        assert_eq!(part.headers()["content-range"], "bytes 2-4/10");
        assert_eq!(part.text().await.unwrap(), "234");
        let beyond = server.call(Method::GET, path).header("range", "bytes=10-");
        assert_eq!(beyond.send().await.unwrap().status(), 416);
    }
}

#[tokio::test]
async fn objects_are_composed_copied_and_rewritten() {
    let (server, _dir) = fresh().await;
    server.put("p1", "12345").await;
    server.put("p2", "6789").await;
    let compose = |sources: Value| {
        let path = "/storage/v1/b/ctx/o/dir%2Fwhole/compose?ifGenerationMatch=0";
        let body = json!({
            "sourceObjects": sources,
            "destination": { "contentType": "text/plain", "metadata": { "k": "v" } },
        });
        server.call(Method::POST, path).json(&body)
    };
    let both = json!([{ "name": "p1" }, { "name": "p2" }]);
    let (status, object) = answer(compose(both.clone()).send().await.unwrap()).await;
    assert_eq!(status, 200, "{object}");
    assert_eq!(object["crc32c"], "4waSgw==");
    assert_eq!(object["componentCount"], 2);
    assert_eq!(object.get("md5Hash"), None);
    assert_eq!(compose(both).send().await.unwrap().status(), 412);
    let many: Vec<_> = (0..33).map(|_| json!({ "name": "p1" })).collect();
    assert_eq!(compose(json!(many)).send().await.unwrap().status(), 400);
    assert_eq!(
        compose(json!([{ "name": "no" }]))
            .send()
            .await
            .unwrap()
            .status(),
        404
    );

    let path = "/storage/v1/b/ctx/o/dir%2Fwhole/rewriteTo/b/ctx/o/copy";
    let (_, rewritten) = answer(server.call(Method::POST, path).send().await.unwrap()).await;
    assert_eq!(rewritten["done"], true);
    assert_eq!(rewritten["resource"]["metadata"]["k"], "v");
    let path = "/storage/v1/b/ctx/o/copy/copyTo/b/ctx/o/copy2";
    let (_, copied) = answer(server.call(Method::POST, path).send().await.unwrap()).await;
    assert_eq!(
        (&copied["size"], &copied["crc32c"]),
        (&json!("9"), &json!("4waSgw=="))
    );
    let path = "/storage/v1/b/ctx/o/p1";
    let deleted = server.call(Method::DELETE, path).send().await.unwrap();
    assert_eq!(deleted.status(), 204);
    assert_eq!(server.get(path).await.0, 404);
    let (_, whole) = server.get("/storage/v1/b/ctx/o/copy").await;
    assert_eq!(whole["size"], "9");
}

#[tokio::test]
async fn buckets_are_made_listed_changed_and_removed() {
    let (server, _dir) = fresh().await;
    let insert = |name: &str| {
        let body = json!({ "name": name, "location": "europe-west3", "labels": { "a": "1" } });
        server
            .call(Method::POST, "/storage/v1/b?project=demo")
            .json(&body)
    };
    let (status, bucket) = answer(insert("other").send().await.unwrap()).await;
    assert_eq!((status, &bucket["locationType"]), (200, &json!("region")));
    assert_eq!(insert("other").send().await.unwrap().status(), 409);
    assert_eq!(insert("../x").send().await.unwrap().status(), 400);
    let (_, listed) = server
        .get("/storage/v1/b?project=demo&fields=items/name")
        .await;
    assert_eq!(
        listed,
        json!({ "items": [{ "name": "ctx" }, { "name": "other" }] })
    );
    let patch = json!({
        "labels": { "a": null, "b": "2" },
        "iamConfiguration": { "uniformBucketLevelAccess": { "enabled": true } },
    });
    let patch = server
        .call(Method::PATCH, "/storage/v1/b/other")
        .json(&patch);
    let (_, patched) = answer(patch.send().await.unwrap()).await;
    assert_eq!(patched["labels"], json!({ "b": "2" }));
    assert_eq!(patched["metageneration"], "2");
    server.put("a", "1").await;
    let full = server
        .call(Method::DELETE, "/storage/v1/b/ctx")
        .send()
        .await
        .unwrap();
    assert_eq!(full.status(), 409);
    let empty = server
        .call(Method::DELETE, "/storage/v1/b/other")
        .send()
        .await
        .unwrap();
    assert_eq!(empty.status(), 204);
    assert_eq!(server.get("/storage/v1/b/other").await.0, 404);
}

#[tokio::test]
async fn a_bucket_is_made_with_its_policy_and_takes_it_along() {
    let (server, _dir) = fresh().await;
    let made = json!({ "name": "new-one", "iamConfiguration": {
        "uniformBucketLevelAccess": { "enabled": true } } });
    let request = server.call(Method::POST, "/storage/v1/b?project=demo");
    let (status, made) = answer(request.json(&made).send().await.unwrap()).await;
    assert_eq!(status, 200, "{made}");
    let (_, policy) = server.get("/storage/v1/b/new-one/iam").await;
    assert_eq!(
        policy["bindings"][0],
        json!({ "role": "roles/storage.legacyBucketOwner",
            "members": ["projectEditor:demo", "projectOwner:demo"] })
    );
    assert_eq!(policy["bindings"].as_array().unwrap().len(), 4);

    let bad = json!({ "bindings": [{ "role": "roles/storage.objectViewer",
        "members": ["serviceAccount:gone@demo.iam.gserviceaccount.com"] }] });
    let request = server.call(Method::PUT, "/storage/v1/b/new-one/iam");
    let (status, refused) = answer(request.json(&bad).send().await.unwrap()).await;
    assert_eq!(
        (status, refused["error"]["message"].as_str()),
        (
            400,
            Some("Service account gone@demo.iam.gserviceaccount.com does not exist.")
        )
    );

    let request = server.call(Method::DELETE, "/storage/v1/b/new-one");
    assert_eq!(request.send().await.unwrap().status(), 204);
    assert_eq!(
        server.policies.heard(),
        ["new-one made in demo", "new-one deleted"]
    );
}
