//! Pulling.

use super::answer::{RegistryError, Result, bounded, json, transport};
use super::{Purpose, Registry};
use crate::name::Reference;
use reqwest::{Method, RequestBuilder, header};
use serde_json::Value;
use std::path::Path;
use tokio::io::AsyncWriteExt as _;

/// The supported media types of manifests.
const MANIFESTS: &str = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.index.v1+json";
impl Registry<'_> {
    /// Returns a manifest or an index.
    pub(crate) async fn manifest(&self, image: &Reference, reference: &str) -> Result<Value> {
        let (url, shown) = self.url(image, Purpose::Pull, &format!("manifests/{reference}"));
        let with = |request: RequestBuilder| request.header(header::ACCEPT, MANIFESTS);
        let got = self
            .call(image, Purpose::Pull, (&url, &shown), Method::GET, with)
            .await?;
        json(&bounded(got, &shown).await?, &shown)
    }

    /// Returns a JSON blob.
    pub(crate) async fn config(&self, image: &Reference, digest: &str) -> Result<Value> {
        let (url, shown) = self.url(image, Purpose::Pull, &format!("blobs/{digest}"));
        let got = self
            .call(image, Purpose::Pull, (&url, &shown), Method::GET, |r| r)
            .await?;
        json(&bounded(got, &shown).await?, &shown)
    }

    /// Downloads a blob to a file.
    pub(crate) async fn blob(&self, image: &Reference, digest: &str, file: &Path) -> Result<()> {
        let (url, shown) = self.url(image, Purpose::Pull, &format!("blobs/{digest}"));
        let mut got = self
            .call(image, Purpose::Pull, (&url, &shown), Method::GET, |r| r)
            .await?;
        let local = |error: std::io::Error| RegistryError::plain(error.to_string());
        let mut out = tokio::fs::File::create(file).await.map_err(local)?;
        while let Some(chunk) = got
            .chunk()
            .await
            .map_err(|e| transport(&Method::GET, &shown, e))?
        {
            out.write_all(&chunk).await.map_err(local)?;
        }
        out.flush().await.map_err(local)
    }
}
