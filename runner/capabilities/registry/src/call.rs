//! How a call gets to a registry: as whom, and to which address.

use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::{Response, Url};
use sidestep_contract::registry;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_google::retry::retry;
use sidestep_google::{Credentials, Endpoints, Service};
use sidestep_transport as transport;

use super::answer::{LARGEST_TOKEN, body, elsewhere, refusal};
use super::challenge::Challenge;
use super::failure::unreachable;
use super::reference::Repository;

/// How long one answer may take, and after how long a request is not sent again.
const PATIENCE: Duration = Duration::from_mins(1);

/// A call about a repository.
pub(super) struct Call<'a> {
    repository: &'a Repository,
    method: Method,
    /// Below the repository's own.
    path: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, repository: &'a Repository, path: String) -> Self {
        Self {
            repository,
            method,
            path,
            headers: HeaderMap::new(),
            body: None,
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

/// Who calls registries: Google's with the credentials of this process, others without any.
#[derive(Debug)]
pub(super) struct Caller {
    http: transport::Lazy,
    endpoints: Arc<Endpoints>,
    credentials: Arc<Credentials>,
}

impl Caller {
    pub(super) fn new(endpoints: Arc<Endpoints>, credentials: Arc<Credentials>) -> Self {
        // Where a registry sends a client on to is looked at here.
        let http = transport::Lazy::new(|| transport::builder().timeout(PATIENCE));
        Self {
            http,
            endpoints,
            credentials,
        }
    }

    /// Gets what lies elsewhere. No credentials go there.
    pub(super) async fn get_elsewhere(
        &self,
        url: Url,
    ) -> Result<reqwest::Result<Response>, Failure> {
        Ok(self.http.get()?.get(url).send().await)
    }

    /// Takes an upload back that was begun.
    pub(super) async fn cancel(&self, repository: &Repository, upload: Url) {
        // An upload that can't be cancelled ends by itself.
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

    /// Sends a call, again if its answer is lost; whoever is a stranger there gets a token first.
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
            let moved = call.path.starts_with("blobs/sha256:") && elsewhere(&answer).is_some();
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
                let host = registry::serving(&repository.host);
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
                codes::registry::DENIED,
                Owner::Cloud,
                format!(
                    "cannot {what}: {} wants credentials, and sends to no token service over HTTPS",
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
                format!("cannot {what}: the registry's token service gave no token"),
            )
        })
    }
}
