//! Calls of registries (OCI distribution specification 1.1).

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::{Response, Url};
use sha2::{Digest as _, Sha256};
use sidestep_events::{Class, Failure, Owner};

use super::challenge::Challenge;
use super::failure::{of_answer, unreachable};
use super::reference::{Image, Repository, is_digest};
use crate::google::retry::retry;
use crate::google::{Credentials, Endpoints, Service};

/// The largest manifest or configuration that is read: what the specification has registries take.
const LARGEST: usize = 4 << 20;
/// The largest answer of a token service.
const LARGEST_TOKEN: usize = 64 << 10;
/// How long one answer may take, and after how long a request is not sent again.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often a blob may be said to lie elsewhere.
const MOST_REDIRECTS: usize = 3;
/// The manifests that are understood.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// Registries: Google's with the credentials of this process, others without any.
#[derive(Debug)]
pub struct Registry {
    http: reqwest::Client,
    endpoints: Arc<Endpoints>,
    credentials: Arc<Credentials>,
}

/// What a reference names (OCI image specification, Descriptor).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// `sha256:` and 64 hex digits.
    pub digest: String,
    /// The media type.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
}

impl Registry {
    /// Calls the registries, or the one in their place that the operator set.
    ///
    /// # Errors
    /// When no HTTP client can be made on this machine.
    pub fn new(endpoints: Arc<Endpoints>, credentials: Arc<Credentials>) -> Result<Self, Failure> {
        // Where a registry sends a client on to is looked at here.
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| {
                Failure::new(
                    Class::Failed,
                    "http.setup",
                    Owner::Operator,
                    format!("no HTTP client can be made on this machine: {error}"),
                )
            })?;
        Ok(Self {
            http,
            endpoints,
            credentials,
        })
    }

    /// What an image's reference names now.
    ///
    /// # Errors
    /// What the registry says.
    pub async fn resolve(&self, image: &Image) -> Result<Descriptor, Failure> {
        let what = format!("resolve {image}");
        let path = format!("manifests/{}", image.reference);
        let answer = self
            .send(
                &what,
                &image.repository,
                Method::HEAD,
                &path,
                &accept(),
                None,
            )
            .await?;
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
        // Not every registry says it all in the headers.
        self.manifest(image).await.map(|(descriptor, _)| descriptor)
    }

    /// An image's manifest or index, byte for byte.
    ///
    /// # Errors
    /// What the registry says; `registry.digest` for bytes that are not what the digest says.
    pub async fn manifest(&self, image: &Image) -> Result<(Descriptor, Vec<u8>), Failure> {
        let what = format!("read the manifest of {image}");
        let path = format!("manifests/{}", image.reference);
        let answer = self
            .send(
                &what,
                &image.repository,
                Method::GET,
                &path,
                &accept(),
                None,
            )
            .await?;
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

    /// A small blob: an image's configuration.
    ///
    /// # Errors
    /// As [`manifest`](Self::manifest).
    pub async fn blob(&self, repository: &Repository, digest: &str) -> Result<Vec<u8>, Failure> {
        let what = format!("read {repository}@{digest}");
        let path = format!("blobs/{digest}");
        let mut answer = self
            .send(
                &what,
                repository,
                Method::GET,
                &path,
                &HeaderMap::new(),
                None,
            )
            .await?;
        // Blobs often lie elsewhere, and what they are is known. No credentials go there.
        for _ in 0..MOST_REDIRECTS {
            let Some(next) = elsewhere(&answer) else {
                break;
            };
            answer = self
                .http
                .get(next)
                .send()
                .await
                .map_err(|error| unreachable(&what, &repository.host, &error))?;
        }
        if !answer.status().is_success() {
            return Err(refusal(&what, answer).await);
        }
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
    /// What the registry says.
    pub async fn put_manifest(
        &self,
        image: &Image,
        media_type: &'static str,
        bytes: Vec<u8>,
    ) -> Result<Descriptor, Failure> {
        let what = format!("store {image}");
        let path = format!("manifests/{}", image.reference);
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media_type))]);
        let descriptor = Descriptor {
            digest: sha256(&bytes),
            media_type: media_type.to_owned(),
            size: bytes.len() as u64,
        };
        self.send(
            &what,
            &image.repository,
            Method::PUT,
            &path,
            &headers,
            Some(bytes),
        )
        .await?;
        Ok(descriptor)
    }

    /// Whether this process may push: an upload is begun and cancelled.
    ///
    /// # Errors
    /// What the registry says to who may not.
    pub async fn may_push(&self, repository: &Repository) -> Result<(), Failure> {
        let what = format!("push to {repository}");
        let none = HeaderMap::new();
        let answer = self
            .send(
                &what,
                repository,
                Method::POST,
                "blobs/uploads/",
                &none,
                Some(Vec::new()),
            )
            .await?;
        // An upload that can't be cancelled ends by itself; the question is answered.
        if let Some(upload) = upload(&answer)
            && let Ok(authorization) = self.authorization(repository).await
        {
            let request = self.http.delete(upload).headers(authorization);
            if let Err(error) = request.send().await {
                tracing::debug!(%error, %repository, "an upload was not cancelled");
            }
        }
        Ok(())
    }

    async fn send(
        &self,
        what: &str,
        repository: &Repository,
        method: Method,
        path: &str,
        headers: &HeaderMap,
        body: Option<Vec<u8>>,
    ) -> Result<Response, Failure> {
        let url = format!("{}/{path}", self.base(repository));
        let request = |authorization: HeaderMap| {
            let request = self
                .http
                .request(method.clone(), &url)
                .headers(headers.clone())
                .headers(authorization);
            match &body {
                Some(body) => request.body(body.clone()),
                None => request,
            }
        };
        retry(PATIENCE, async || {
            let lost = |error| unreachable(what, &repository.host, &error);
            let authorization = self.authorization(repository).await?;
            let nobody = authorization.is_empty();
            let mut answer = request(authorization).send().await.map_err(lost)?;
            // Who sends nothing is told where to get a token for nobody.
            if nobody
                && answer.status() == StatusCode::UNAUTHORIZED
                && let Some(challenge) = Challenge::of(answer.headers())
            {
                let authorization = self.anonymous(what, repository, &challenge).await?;
                answer = request(authorization).send().await.map_err(lost)?;
            }
            // Blobs alone may lie elsewhere.
            let moved = path.starts_with("blobs/sha256:") && elsewhere(&answer).is_some();
            if answer.status().is_success() || moved {
                return Ok(answer);
            }
            Err(refusal(what, answer).await)
        })
        .await
    }

    /// The address of a repository. A registry in all registries' place has their hosts in paths.
    fn base(&self, repository: &Repository) -> String {
        match self.endpoints.url(Service::Registry) {
            Some(endpoint) => format!("{endpoint}/v2/{repository}"),
            None => {
                // Docker Hub's registry has another host than its images' names.
                let host = match repository.host.as_str() {
                    "docker.io" => "registry-1.docker.io",
                    host => host,
                };
                format!("https://{host}/v2/{}", repository.path)
            }
        }
    }

    /// What goes to Google's registries and to no other: this process's access token.
    async fn authorization(&self, repository: &Repository) -> Result<HeaderMap, Failure> {
        if !repository.is_googles() {
            return Ok(HeaderMap::new());
        }
        let headers = self.credentials.headers().await?;
        let token = headers.get(AUTHORIZATION).cloned();
        Ok(token
            .map(|token| (AUTHORIZATION, token))
            .into_iter()
            .collect())
    }

    async fn anonymous(
        &self,
        what: &str,
        repository: &Repository,
        challenge: &Challenge,
    ) -> Result<HeaderMap, Failure> {
        let insecure = self.endpoints.moved(Service::Registry).is_some();
        let url = challenge.url(&repository.path, insecure).ok_or_else(|| {
            Failure::new(
                Class::Denied,
                "registry.denied",
                Owner::Cloud,
                format!(
                    "cannot {what}: {} wants credentials, and sends to no token service over HTTPS",
                    repository.host
                ),
            )
        })?;
        let answer = self
            .http
            .get(url)
            .send()
            .await
            .map_err(|error| unreachable(what, &repository.host, &error))?;
        if !answer.status().is_success() {
            return Err(refusal(what, answer).await);
        }
        let answer = body(what, answer, LARGEST_TOKEN).await?;
        Challenge::authorization(&answer).ok_or_else(|| {
            Failure::new(
                Class::Failed,
                "http.unexpected",
                Owner::Cloud,
                format!("cannot {what}: the registry's token service gave no token"),
            )
        })
    }
}

fn accept() -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(MANIFESTS))])
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Where an answer says that what was asked for lies; never from HTTPS to HTTP.
fn elsewhere(answer: &Response) -> Option<Url> {
    target(answer).filter(|_| answer.status().is_redirection())
}

/// Where an upload was begun, if it is at the same registry.
fn upload(answer: &Response) -> Option<Url> {
    target(answer).filter(|url| url.origin() == answer.url().origin())
}

fn target(answer: &Response) -> Option<Url> {
    let location = answer.headers().get(LOCATION)?.to_str().ok()?;
    let url = answer.url().join(location).ok()?;
    (url.scheme() == "https" || answer.url().scheme() == "http").then_some(url)
}

async fn refusal(what: &str, answer: Response) -> Failure {
    let status = answer.status().as_u16();
    match body(what, answer, LARGEST_TOKEN).await {
        Ok(bytes) => of_answer(what, status, &bytes),
        Err(_) => of_answer(what, status, b""),
    }
}

async fn body(what: &str, mut answer: Response, most: usize) -> Result<Vec<u8>, Failure> {
    let host = answer.url().host_str().unwrap_or("the registry").to_owned();
    let mut bytes = Vec::new();
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|error| unreachable(what, &host, &error))?
    {
        if bytes.len() + chunk.len() > most {
            return Err(Failure::new(
                Class::Exhausted,
                "http.too-large",
                Owner::Cloud,
                format!("cannot {what}: the answer is larger than {most} bytes"),
            ));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn sha256(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{hex}")
}

fn other_bytes(what: &str, found: &str) -> Failure {
    Failure::new(
        Class::Failed,
        "registry.digest",
        Owner::Cloud,
        format!("cannot {what}: the registry sent other bytes, {found}"),
    )
}
