//! The calls of a registry: their credentials and their addresses.
//!
//! The grant names a registry, so its host may have any address. What the registry's answer names,
//! the token service or the target of a redirect, gets no credentials, and its host must be the
//! registry itself or one of the public internet: the answer would otherwise send the runner to any
//! server of its network. A registry that itself is in the runner's network may name others there.

use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::{Client, RequestBuilder, Response, Url};
use sidestep_contract::registry;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::Sends;
use sidestep_google::retry::retry;
use sidestep_google::{Credentials, Endpoints, Service};
use sidestep_transport::{self as transport, NoClient};

use super::answer::{LARGEST_TOKEN, body, elsewhere, refusal};
use super::challenge::Challenge;
use super::failure::{not_sent, unreachable};
use super::reference::Repository;

/// The maximum number of redirects of a read.
const MOST_REDIRECTS: usize = 3;
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

    /// Returns whether its answer may be a redirect (OCI distribution specification, "HTTP
    /// redirects"): of a read, and not of a write, whose body goes to the granted host only.
    fn may_move(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

/// The caller of registries: Google's with the credentials of this process, others without any.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) http: transport::Lazy,
    /// For addresses that an answer names.
    pub(super) public: transport::Public,
    endpoints: Arc<Endpoints>,
    credentials: Arc<Credentials>,
}

impl Caller {
    pub(super) fn new(endpoints: Arc<Endpoints>, credentials: Arc<Credentials>) -> Self {
        // Redirects of a registry are handled here.
        let builder = || transport::builder().timeout(PATIENCE);
        Self {
            http: transport::Lazy::new(builder),
            public: transport::Public::new(move |names| builder().dns_resolver(Arc::new(names))),
            endpoints,
            credentials,
        }
    }

    /// Sends a read, and follows its redirects.
    pub(super) async fn read(&self, what: &str, call: &Call<'_>) -> Result<Response, Failure> {
        let mut answer = self.send(what, call).await?;
        for _ in 0..MOST_REDIRECTS {
            let Some(next) = elsewhere(&answer) else {
                break;
            };
            let headers = call.headers.clone();
            let follow = |http: &Client| {
                http.request(call.method.clone(), next.clone())
                    .headers(headers)
            };
            answer = self.elsewhere(what, &answer, &next, follow).await?;
        }
        if !answer.status().is_success() {
            return Err(refusal(what, answer).await);
        }
        Ok(answer)
    }

    /// Sends a request, without credentials, to an address that an answer names.
    async fn elsewhere(
        &self,
        what: &str,
        named_by: &Response,
        url: &Url,
        request: impl FnOnce(&Client) -> RequestBuilder,
    ) -> Result<Response, Failure> {
        let host = url.host_str().unwrap_or_default();
        let trusted = self.endpoints.moved(Service::Registry).is_some()
            || url.origin() == named_by.url().origin()
            || transport::is_near(named_by);
        let http = if trusted {
            self.http.get()?
        } else {
            self.public.for_url(url).map_err(|none| match none {
                NoClient::NotPublic(why) => not_sent(what, &why),
                NoClient::Setup(failure) => failure,
            })?
        };
        let sent = request(http).send().await;
        sent.map_err(|error| match transport::not_public(&error) {
            Some(why) => not_sent(what, why),
            None => unreachable(what, host, &error),
        })
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
                let authorization = self.anonymous(what, call, &challenge, &answer).await?;
                answer = request(authorization).send().await.map_err(lost)?;
            }
            let moved = call.may_move() && elsewhere(&answer).is_some();
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
        call: &Call<'_>,
        challenge: &Challenge,
        answer: &Response,
    ) -> Result<HeaderMap, Failure> {
        let repository = call.repository;
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
        let get = |http: &Client| http.get(url.clone());
        let answer = self.elsewhere(what, answer, &url, get).await?;
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
