//! A registry on its own port, and a plain HTTP client.

use crate::access::{Grants, OWNER};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sidestep_sandbox_identity::Resource;
use sidestep_sandbox_registry::Registry;
use sidestep_test_harness::Port;
use std::{net::SocketAddr, path::Path, sync::Arc};
use tempfile::TempDir;

/// An image in an existing repository, as the endpoint setting maps it.
pub(crate) const WEB: &str = "europe-docker.pkg.dev/demo/apps/web";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) grants: Arc<Grants>,
    server: sidestep_test_harness::Server,
}

pub(crate) fn repository(location: &str, name: &str) -> Resource {
    Resource::Repository {
        project: "demo".to_owned(),
        location: location.to_owned(),
        name: name.to_owned(),
    }
}

pub(crate) async fn fresh() -> (Server, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (Server::open(dir.path()).await, dir)
}

impl Server {
    pub(crate) async fn open(dir: &Path) -> Self {
        let grants = Arc::new(Grants::default());
        let there = |resource: &Resource| {
            [
                repository("europe", "apps"),
                repository("europe", "other"),
                repository("us", "gcr.io"),
            ]
            .contains(resource)
        };
        let registry = Registry::open(dir, Arc::clone(&grants) as _, Arc::new(there)).unwrap();
        let port = Port::free().await;
        registry.set_http_port(port.address.port());
        Self {
            address: port.address,
            grants,
            server: sidestep_test_harness::Server::at(port, registry.router()),
        }
    }

    /// Returns a request as the owner. `path` begins after `/v2/`, or is a `Location`.
    pub(crate) fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.call_as(Some(OWNER), method, path)
    }

    pub(crate) fn call_as(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
    ) -> RequestBuilder {
        let path = path.strip_prefix("/v2/").unwrap_or(path);
        self.server.request(token, method, &format!("/v2/{path}"))
    }

    pub(crate) async fn push_blob(&self, image: &str, bytes: &[u8]) -> String {
        let digest = sha256(bytes);
        let path = format!("{image}/blobs/uploads/?digest={digest}");
        let pushed = self.call(Method::POST, &path).body(bytes.to_vec());
        assert_eq!(pushed.send().await.unwrap().status(), 201);
        digest
    }

    pub(crate) fn put_manifest(
        &self,
        image: &str,
        reference: &str,
        manifest: &Value,
    ) -> RequestBuilder {
        let kind = manifest["mediaType"].as_str().unwrap().to_owned();
        self.call(Method::PUT, &format!("{image}/manifests/{reference}"))
            .header("content-type", kind)
            .body(manifest.to_string())
    }

    /// Pushes an image with one layer. Returns its manifest and the manifest's digest.
    pub(crate) async fn push_image(&self, image: &str, tag: &str, layer: &str) -> (Value, String) {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.descriptor(image, b"{}").await,
            "layers": [self.descriptor(image, layer.as_bytes()).await],
        });
        let pushed = self
            .put_manifest(image, tag, &manifest)
            .send()
            .await
            .unwrap();
        assert_eq!(pushed.status(), 201);
        let digest = pushed.headers()["docker-content-digest"].to_str().unwrap();
        assert_eq!(digest, sha256(manifest.to_string().as_bytes()));
        (manifest, digest.to_owned())
    }

    /// Pushes a blob and returns its descriptor.
    pub(crate) async fn descriptor(&self, image: &str, bytes: &[u8]) -> Value {
        let digest = self.push_blob(image, bytes).await;
        json!({ "mediaType": "application/octet-stream", "digest": digest, "size": bytes.len() })
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// Returns a refusal's status, code and message.
pub(crate) async fn refusal(response: Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    let error = &body["errors"][0];
    let text = |key: &str| error[key].as_str().unwrap().to_owned();
    (status, text("code"), text("message"))
}
