//! The oci-client crate.

use crate::{
    access::{BUILD, OWNER},
    server::{Server, fresh},
};
use oci_client::{
    Client, Reference,
    client::{ClientConfig, ClientProtocol, Config, ImageLayer},
    manifest::IMAGE_LAYER_GZIP_MEDIA_TYPE,
    secrets::RegistryAuth,
};
use serde_json::json;
use std::io::Write as _;

pub(crate) fn client() -> Client {
    Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        ..ClientConfig::default()
    })
}

pub(crate) fn auth(token: &str) -> RegistryAuth {
    RegistryAuth::Basic("oauth2accesstoken".to_owned(), token.to_owned())
}

pub(crate) fn reference(server: &Server, image: &str) -> Reference {
    format!("{}/{image}", server.address).parse().unwrap()
}

/// Returns a layer with one file of random bytes, so that gzip does not shrink it.
fn layer(size: usize) -> (Vec<u8>, String) {
    let mut file = vec![0; size];
    getrandom::fill(&mut file).unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(size as u64);
    header.set_mode(0o644);
    archive
        .append_data(&mut header, "app/data.bin", file.as_slice())
        .unwrap();
    let tar = archive.into_inner().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).unwrap();
    (gzip.finish().unwrap(), crate::server::sha256(&tar))
}

/// Pushes a runnable image with one layer, and returns its bytes.
pub(crate) async fn push(server: &Server, image: &str, size: usize) -> Vec<u8> {
    let (bytes, diff) = layer(size);
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": { "type": "layers", "diff_ids": [diff] },
    });
    let config = Config::oci_v1(config.to_string().into_bytes(), None);
    let kind = IMAGE_LAYER_GZIP_MEDIA_TYPE.to_owned();
    let layers = [ImageLayer::new(bytes.clone(), kind, None)];
    let image = reference(server, image);
    client()
        .push(&image, &layers, config, &auth(OWNER), None)
        .await
        .unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_pushed_and_pulled_in_both_naming_schemes() {
    let (server, _dir) = fresh().await;
    for image in [
        "europe-docker.pkg.dev/demo/apps/team/web:v1",
        "gcr.io/demo/tool:v1",
    ] {
        // Over the client's chunk size of 4 MiB.
        let bytes = push(&server, image, 9_000_000).await;
        let image = reference(&server, image);
        let pulled = client()
            .pull(&image, &auth(OWNER), vec![IMAGE_LAYER_GZIP_MEDIA_TYPE])
            .await
            .unwrap();
        assert!(pulled.layers[0].data == bytes);
        let digest = client()
            .fetch_manifest_digest(&image, &auth(OWNER))
            .await
            .unwrap();
        assert_eq!(Some(digest), pulled.digest);
        let tags = client()
            .list_tags(&image, &auth(OWNER), None, None)
            .await
            .unwrap();
        assert_eq!(tags.tags, ["v1"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_reach_the_client_in_words() {
    let (server, _dir) = fresh().await;
    push(&server, "europe-docker.pkg.dev/demo/apps/web:v1", 10).await;
    let image = reference(&server, "europe-docker.pkg.dev/demo/apps/web:v1");
    let denied = client()
        .pull_manifest(&image, &auth(BUILD))
        .await
        .unwrap_err();
    let denied = format!("{denied:?}");
    assert!(
        denied.contains("artifactregistry.repositories.downloadArtifacts"),
        "{denied}"
    );
    let image = reference(&server, "europe-docker.pkg.dev/demo/apps/web:v2");
    let missing = client()
        .pull_manifest(&image, &auth(OWNER))
        .await
        .unwrap_err();
    let missing = format!("{missing:?}");
    assert!(missing.contains("v2"), "{missing}");
}
