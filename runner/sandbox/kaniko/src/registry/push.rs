//! Pushing.

use super::answer::{RegistryError, Result, location};
use super::{Purpose, Registry};
use crate::name::Reference;
use reqwest::{Method, RequestBuilder, Url, header};
use std::path::Path;

impl Registry<'_> {
    /// Performs kaniko's permission check: starts an upload and cancels it.
    pub(crate) async fn check_push(&self, image: &Reference) -> Result<()> {
        let location = self.start_upload(image).await?;
        let shown = location.as_str();
        // kaniko ignores the response to the cancellation too.
        let _answer = self
            .call(image, Purpose::Push, (shown, shown), Method::DELETE, |r| r)
            .await;
        Ok(())
    }

    async fn start_upload(&self, image: &Reference) -> Result<Url> {
        let (url, shown) = self.url(image, Purpose::Push, "blobs/uploads/");
        let started = self
            .call(image, Purpose::Push, (&url, &shown), Method::POST, |r| r)
            .await?;
        location(&started, &shown)
    }

    /// Uploads a blob from a file, unless the repository already has it.
    pub(crate) async fn push_blob(
        &self,
        image: &Reference,
        digest: &str,
        file: &Path,
    ) -> Result<()> {
        let (url, shown) = self.url(image, Purpose::Push, &format!("blobs/{digest}"));
        if self
            .call(image, Purpose::Push, (&url, &shown), Method::HEAD, |r| r)
            .await
            .is_ok()
        {
            return Ok(());
        }
        let at = self.start_upload(image).await?;
        let local = |error: std::io::Error| {
            RegistryError::plain(format!("reading {}: {error}", file.display()))
        };
        let content = tokio::fs::File::open(file).await.map_err(local)?;
        let length = content.metadata().await.map_err(local)?.len();
        let with = |request: RequestBuilder| {
            request
                .header(header::CONTENT_TYPE, "application/octet-stream")
                .header(header::CONTENT_LENGTH, length)
                .body(content)
        };
        let sent = self
            .call(
                image,
                Purpose::Push,
                (at.as_str(), at.as_str()),
                Method::PATCH,
                with,
            )
            .await?;
        let mut end = location(&sent, at.as_str())?;
        end.query_pairs_mut().append_pair("digest", digest);
        self.call(
            image,
            Purpose::Push,
            (end.as_str(), end.as_str()),
            Method::PUT,
            |r| r.header(header::CONTENT_LENGTH, 0),
        )
        .await?;
        Ok(())
    }

    pub(crate) async fn push_manifest(
        &self,
        image: &Reference,
        kind: &str,
        manifest: &[u8],
    ) -> Result<()> {
        let (url, shown) = self.url(
            image,
            Purpose::Push,
            &format!("manifests/{}", image.version),
        );
        let body = manifest.to_vec();
        self.call(
            image,
            Purpose::Push,
            (&url, &shown),
            Method::PUT,
            |request| {
                request
                    .header(header::CONTENT_TYPE, kind.to_owned())
                    .body(body)
            },
        )
        .await?;
        Ok(())
    }
}
