//! The calls of a registry: their credentials and their addresses.

use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::{Response, Url};
use sidestep_contract::registry;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::Sends;
use sidestep_google::retry::retry;
use sidestep_google::{Credentials, Endpoints, Service};
use sidestep_transport as transport;

use super::answer::{LARGEST_TOKEN, body, elsewhere, refusal};
use super::challenge::Challenge;
use super::failure::unreachable;
use super::reference::Repository;

/// The timeout of one answer. A request is not retried after this time either.
const PATIENCE: Duration = Duration::from_mins(1);

/// A call about a repository.
pub(super) struct Call<'a> {
    repository: &'a Repository,
    method: Method,
    /// The path below the repository's own.
    path: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    /// Whether one of its requests may have been carried out.
    pub(super) sends: Sends,
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, repository: &'a Repository, path: String) -> Self {
        Self {
            repository,
            method,
            path,
            headers: HeaderMap::new(),
            body: None,
            sends: Sends::default(),
        }
    }

    pub(super) fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    pub(super) fn body(mut self, body: Vec<u8>) -> Self {
        self.body = Some(body);
        self
    }
}

/// The caller of registries: Google's with the credentials of this process, others without any.
#[derive(Debug)]
pub(super) struct Caller {
    http: transport::Lazy,
    endpoints: Arc<Endpoints>,
    credentials: Arc<Credentials>,
}

impl Caller {
    pub(super) fn new(endpoints: Arc<Endpoints>, credentials: Arc<Credentials>) -> Self {
        // Redirects of a registry are handled here.
        let http = transport::Lazy::new(|| transport::builder().timeout(PATIENCE));
        Self {
            http,
            endpoints,
            credentials,
        }
    }

    /// Gets the target of a redirect, without credentials.
    pub(super) async fn get_elsewhere(
        &self,
        url: Url,
    ) -> Result<reqwest::Result<Response>, Failure> {
        Ok(self.http.get()?.get(url).send().await)
    }

    /// Cancels a started upload.
    pub(super) async fn cancel(&self, repository: &Repository, upload: Url) {
        // An upload that cannot be cancelled expires.
        let ready = match self.authorization(repository).await {
            Ok(authorization) => self.http.get().map(|http| (http, authorization)),
            Err(failure) => Err(failure),
        };
        let (http, authorization) = match ready {
            Ok(ready) => ready,
            Err(failure) => {
                let why = failure.message.exact();
                tracing::debug!(why, %repository, "an upload was not cancelled");
                return;
            }
        };
        let request = http.delete(upload).headers(authorization);
        if let Err(error) = request.send().await {
            tracing::debug!(%error, %repository, "an upload was not cancelled");
        }
    }

    /// Sends a call, and retries it if the answer is lost; a caller without credentials gets a
    /// token first.
    pub(super) async fn send(&self, what: &str, call: &Call<'_>) -> Result<Response, Failure> {
        let repository = call.repository;
        let url = format!("{}/{}", self.base(repository), call.path);
        let http = self.http.get()?;
        let request = |authorization: HeaderMap| {
            let request = http
                .request(call.method.clone(), &url)
                .headers(call.headers.clone())
                .headers(authorization);
            match &call.body {
                Some(body) => request.body(body.clone()),
                None => request,
            }
        };
        let once = async || {
            let lost = |error| unreachable(what, &repository.host, &error);
            let authorization = self.authorization(repository).await?;
            let nobody = authorization.is_empty();
            let mut answer = request(authorization).send().await.map_err(lost)?;
            // A registry answers a request without credentials with the address of anonymous
            // tokens.
            if nobody
                && answer.status() == StatusCode::UNAUTHORIZED
                && let Some(challenge) = Challenge::of(answer.headers())
            {
                let authorization = self.anonymous(what, repository, &challenge).await?;
                answer = request(authorization).send().await.map_err(lost)?;
            }
            // Only blobs may be redirected.
            let moved = call.path.starts_with("blobs/sha256:") && elsewhere(&answer).is_some();
            if answer.status().is_success() || moved {
                return Ok(answer);
            }
            Err(refusal(what, answer).await)
        };
        retry(PATIENCE, async || {
            once()
                .await
                .inspect_err(|failure| call.sends.failed(failure))
        })
        .await
    }

    /// Returns the address of a repository. A registry that replaces all registries has their hosts
    /// in its paths.
    fn base(&self, repository: &Repository) -> String {
        match self.endpoints.url(Service::Registry) {
            Some(endpoint) => format!("{endpoint}/v2/{repository}"),
            None => {
                let host = registry::serving(&repository.host);
                format!("https://{host}/v2/{}", repository.path)
            }
        }
    }

    /// Returns the headers with this process's access token, for Google's registries only.
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
                codes::registry::DENIED,
                Owner::Cloud,
                format!(
                    "cannot {what}: {} requires credentials, but names no token service that uses \
                     HTTPS",
                    repository.host
                ),
            )
        })?;
        let answer = self
            .http
            .get()?
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
                codes::http::UNEXPECTED,
                Owner::Cloud,
                format!("cannot {what}: the registry's token service returned no token"),
            )
        })
    }
}
