//! The XML API, as Go's client reads it.

use crate::server::fresh;
use reqwest::Method;

#[tokio::test]
async fn objects_are_read_with_googles_headers() {
    let (server, _dir) = fresh().await;
    let (_, object) = server.put("dir%2Fa%20b.tar.gz", "123456789").await;
    for path in ["/ctx/dir%2Fa%20b.tar.gz", "/ctx/dir/a%20b.tar.gz"] {
        let read = server.call(Method::GET, path).send().await.unwrap();
        assert_eq!(read.status(), 200);
        let headers = read.headers().clone();
        assert_eq!(
            headers["x-goog-generation"],
            object["generation"].as_str().unwrap()
        );
        assert_eq!(headers["x-goog-metageneration"], "1");
        assert_eq!(headers["x-goog-stored-content-length"], "9");
        assert_eq!(headers["etag"], "\"25f9e794323b453885f5181f1b624d0b\"");
        let hashes: Vec<_> = headers.get_all("x-goog-hash").iter().collect();
        assert_eq!(hashes, ["crc32c=4waSgw==", "md5=JfnnlDI7RTiF9RgfG2JNCw=="]);
        assert_eq!(read.text().await.unwrap(), "123456789");
        let head = server.call(Method::HEAD, path).send().await.unwrap();
        assert_eq!(head.headers()["content-length"], "9");
        let part = server.call(Method::GET, path).header("range", "bytes=-2");
        assert_eq!(part.send().await.unwrap().text().await.unwrap(), "89");
    }
}

#[tokio::test]
async fn refusals_are_googles_xml() {
    let (server, _dir) = fresh().await;
    server.put("a", "1").await;
    let read = async |who: Option<&str>, path: &str| {
        let response = server.call_as(who, Method::GET, path).send().await.unwrap();
        assert!(
            response.headers()["content-type"]
                .to_str()
                .unwrap()
                .contains("xml")
        );
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let error = |code: &str, message: &str, details: &str| {
        format!(
            "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message>{details}</Error>"
        )
    };
    let denied = |who: &str| {
        error(
            "AccessDenied",
            "Access denied.",
            &format!(
                "<Details>{who} does not have storage.objects.get access to the Google Cloud Storage object. Permission 'storage.objects.get' denied on resource (or it may not exist).</Details>"
            ),
        )
    };
    let build = Some("serviceAccount:build@demo.iam.gserviceaccount.com");
    assert_eq!(
        read(None, "/ctx/a").await,
        (403, denied("Anonymous caller"))
    );
    assert_eq!(
        read(build, "/ctx/a").await,
        (403, denied("build@demo.iam.gserviceaccount.com"))
    );
    let owner = Some(crate::access::OWNER);
    let no_key = error(
        "NoSuchKey",
        "The specified key does not exist.",
        "<Details>No such object: ctx/x&lt;y</Details>",
    );
    assert_eq!(read(owner, "/ctx/x%3Cy").await, (404, no_key));
    let no_bucket = error("NoSuchBucket", "The specified bucket does not exist.", "");
    assert_eq!(read(owner, "/none/a").await, (404, no_bucket));
    let (status, body) = read(Some("nonsense"), "/ctx/a").await;
    assert_eq!(status, 401);
    assert!(
        body.contains("<Code>AuthenticationRequired</Code>"),
        "{body}"
    );
}
