//! Calls of registries (OCI distribution specification 1.1).

use std::sync::Arc;

use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE};
use sha2::{Digest as _, Sha256};
use sidestep_contract::image::is_digest;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::NotCreated;
use sidestep_google::{Credentials, Endpoints};

use super::answer::{body, text, upload};
use super::call::{Call, Caller};
use super::docker::Docker;
use super::keyring::Keyring;
use super::reference::{Image, Repository};

/// The maximum size of a manifest or configuration, in bytes: the size that registries have to
/// accept by the specification.
const LARGEST: usize = 4 << 20;
/// The supported media types of manifests.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// Registries, each with the credentials that a call or this machine has for it.
#[derive(Debug)]
pub struct Registry(pub(super) Caller);

/// The target of a reference (OCI image specification, Descriptor).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// `sha256:` and 64 hex digits.
    pub digest: String,
    /// The media type.
    pub media_type: String,
    /// The size in bytes.
    pub size: u64,
}

impl Registry {
    /// Calls the registries, or the one that the operator set in place of them.
    pub fn new(endpoints: Arc<Endpoints>, credentials: Arc<Credentials>) -> Self {
        Self(Caller::new(endpoints, credentials))
    }

    /// Also uses the credentials of Docker's configuration on this machine.
    #[must_use]
    pub fn with_docker(mut self, docker: Option<Docker>) -> Self {
        self.0.docker = docker;
        self
    }

    /// Returns the current target of an image's reference.
    ///
    /// # Errors
    /// The failure that the registry answered with.
    pub async fn resolve(&self, keyring: &Keyring, image: &Image) -> Result<Descriptor, Failure> {
        let what = format!("resolve {image}");
        let path = format!("manifests/{}", image.reference);
        let call =
            Call::new(keyring, Method::HEAD, &image.repository, path).header(ACCEPT, MANIFESTS);
        let answer = self.0.read(&what, &call).await?;
        let headers = answer.headers();
        let digest = text(headers, "docker-content-digest")
            .or(image.digest())
            .filter(|digest| is_digest(digest));
        let size = text(headers, "content-length").and_then(|size| size.parse().ok());
        if let (Some(digest), Some(size)) = (digest, size)
            && image.digest().is_none_or(|asked| asked == digest)
        {
            return Ok(Descriptor {
                digest: digest.to_owned(),
                media_type: text(headers, "content-type").unwrap_or_default().to_owned(),
                size,
            });
        }
        // Not every registry sends all of it in the headers.
        self.manifest(keyring, image)
            .await
            .map(|(descriptor, _)| descriptor)
    }

    /// Returns an image's manifest or index, byte for byte.
    ///
    /// # Errors
    /// The failure that the registry answered with; `registry.digest` if the bytes do not match the
    /// digest.
    pub async fn manifest(
        &self,
        keyring: &Keyring,
        image: &Image,
    ) -> Result<(Descriptor, Vec<u8>), Failure> {
        let what = format!("read the manifest of {image}");
        let path = format!("manifests/{}", image.reference);
        let call =
            Call::new(keyring, Method::GET, &image.repository, path).header(ACCEPT, MANIFESTS);
        let answer = self.0.read(&what, &call).await?;
        let media_type = text(answer.headers(), "content-type")
            .unwrap_or_default()
            .to_owned();
        let bytes = body(&what, answer, LARGEST).await?;
        let digest = sha256(&bytes);
        if image.digest().is_some_and(|asked| asked != digest) {
            return Err(other_bytes(&what, &digest));
        }
        let descriptor = Descriptor {
            digest,
            media_type,
            size: bytes.len() as u64,
        };
        Ok((descriptor, bytes))
    }

    /// Returns a small blob: an image's configuration.
    ///
    /// # Errors
    /// As [`manifest`](Self::manifest).
    pub async fn blob(
        &self,
        keyring: &Keyring,
        repository: &Repository,
        digest: &str,
    ) -> Result<Vec<u8>, Failure> {
        let what = format!("read {repository}@{digest}");
        let call = Call::new(keyring, Method::GET, repository, format!("blobs/{digest}"));
        let answer = self.0.read(&what, &call).await?;
        let bytes = body(&what, answer, LARGEST).await?;
        let found = sha256(&bytes);
        if found != digest {
            return Err(other_bytes(&what, &found));
        }
        Ok(bytes)
    }

    /// Stores a manifest under an image's tag or digest.
    ///
    /// # Errors
    /// The failure that the registry answered with.
    pub async fn put_manifest(
        &self,
        keyring: &Keyring,
        image: &Image,
        media_type: &'static str,
        bytes: Vec<u8>,
    ) -> Result<Descriptor, NotCreated> {
        let what = format!("store {image}");
        let path = format!("manifests/{}", image.reference);
        let descriptor = Descriptor {
            digest: sha256(&bytes),
            media_type: media_type.to_owned(),
            size: bytes.len() as u64,
        };
        let call = Call::new(keyring, Method::PUT, &image.repository, path)
            .header(CONTENT_TYPE, media_type)
            .body(bytes);
        let sent = self.0.send(&what, &call).await;
        sent.map_err(|failure| call.sends.not_created(failure))?;
        Ok(descriptor)
    }

    /// Checks that this process may push, by starting and cancelling an upload.
    ///
    /// # Errors
    /// The failure that the registry answered with, if this process may not.
    pub async fn may_push(
        &self,
        keyring: &Keyring,
        repository: &Repository,
    ) -> Result<(), Failure> {
        let what = format!("push to {repository}");
        let path = "blobs/uploads/".to_owned();
        let call = Call::new(keyring, Method::POST, repository, path).body(Vec::new());
        let answer = self.0.send(&what, &call).await?;
        // The check succeeded, whatever the result of the cancel.
        if let Some(upload) = upload(&answer.response) {
            self.0.cancel(&call, upload, answer.authorization).await;
        }
        Ok(())
    }
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn other_bytes(what: &str, found: &str) -> Failure {
    Failure::new(
        Class::Failed,
        codes::registry::DIGEST,
        Owner::Cloud,
        format!("cannot {what}: the registry sent different content: {found}"),
    )
}
