//! Google's official crate.

use crate::{
    access::OWNER,
    server::{Server, fresh},
};
use google_cloud_auth::credentials::{CacheableResource, CredentialsProvider, EntityTag};
use google_cloud_storage::client::Storage;

/// Sends the owner's token.
#[derive(Debug)]
struct Bearer(EntityTag);

impl CredentialsProvider for Bearer {
    async fn headers(
        &self,
        _: http::Extensions,
    ) -> Result<CacheableResource<http::HeaderMap>, google_cloud_auth::errors::CredentialsError>
    {
        let value = format!("Bearer {OWNER}").parse().unwrap();
        Ok(CacheableResource::New {
            entity_tag: self.0.clone(),
            data: http::HeaderMap::from_iter([(http::header::AUTHORIZATION, value)]),
        })
    }

    async fn universe_domain(&self) -> Option<String> {
        None
    }
}

async fn client(server: &Server) -> Storage {
    Storage::builder()
        .with_endpoint(&server.base)
        .with_credentials(Bearer(EntityTag::new()))
        .build()
        .await
        .unwrap()
}

const BUCKET: &str = "projects/_/buckets/ctx";

async fn read(client: &Storage, name: &str) -> Vec<u8> {
    let mut reader = client.read_object(BUCKET, name).send().await.unwrap();
    let mut whole = Vec::new();
    while let Some(chunk) = reader.next().await {
        whole.extend_from_slice(&chunk.unwrap());
    }
    whole
}

/// Returns bytes in which no two chunks are equal.
fn payload(size: usize) -> Vec<u8> {
    (0..size)
        .map(|at| ((at >> 8) ^ at ^ (at >> 16)) as u8)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_object_is_written_once_and_read_back() {
    let (server, _dir) = fresh().await;
    let client = client(&server).await;
    let write = || {
        client
            .write_object(BUCKET, "a b/ü?#.txt", "hello")
            .set_if_generation_match(0)
            .set_content_type("text/plain")
            .set_metadata([("tree", "sha256:abc")])
    };
    let object = write().send_unbuffered().await.unwrap();
    assert_eq!((object.size, object.metageneration), (5, 1));
    assert_eq!(object.metadata["tree"], "sha256:abc");
    assert_eq!(object.content_type, "text/plain");
    let checksums = object.checksums.unwrap();
    assert_eq!(checksums.crc32c, Some(crc32c::crc32c(b"hello")));
    assert_eq!(read(&client, "a b/ü?#.txt").await, b"hello");

    for error in [
        write().send_unbuffered().await.unwrap_err(),
        write().send_buffered().await.unwrap_err(),
    ] {
        assert_eq!(error.http_status_code(), Some(412), "{error:?}");
        assert!(format!("{error:?}").contains("pre-conditions you specified did not hold"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_objects_go_by_resumable_sessions() {
    let (server, _dir) = fresh().await;
    let client = client(&server).await;
    let bytes = bytes::Bytes::from(payload(17 * 1024 * 1024 + 123));
    let buffered = client
        .write_object(BUCKET, "buffered", bytes.clone())
        .set_if_generation_match(0)
        .send_buffered()
        .await
        .unwrap();
    let unbuffered = client
        .write_object(BUCKET, "unbuffered", bytes.clone())
        .set_if_generation_match(0)
        .with_resumable_upload_threshold(0_usize)
        .send_unbuffered()
        .await
        .unwrap();
    for object in [&buffered, &unbuffered] {
        assert_eq!(object.size, i64::try_from(bytes.len()).unwrap());
        let crc32c = object.checksums.as_ref().unwrap().crc32c;
        assert_eq!(crc32c, Some(crc32c::crc32c(&bytes)));
    }
    assert!(unbuffered.generation > buffered.generation);
    assert_eq!(read(&client, "buffered").await, bytes);
    assert_eq!(read(&client, "unbuffered").await, bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_checksum_is_refused_and_leaves_nothing() {
    let (server, _dir) = fresh().await;
    let client = client(&server).await;
    let error = client
        .write_object(BUCKET, "bad", "hello")
        .with_known_crc32c(1_u32)
        .set_if_generation_match(0)
        .send_unbuffered()
        .await
        .unwrap_err();
    assert_eq!(error.http_status_code(), Some(400), "{error:?}");
    assert_eq!(server.get("/storage/v1/b/ctx/o/bad").await.0, 404);
    let error = client.read_object(BUCKET, "bad").send().await.unwrap_err();
    assert_eq!(error.http_status_code(), Some(404), "{error:?}");
}
