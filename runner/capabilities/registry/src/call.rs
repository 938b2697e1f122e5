//! The calls of a registry: their addresses and their retries.
//!
//! The grant names a registry, so its host may have any address. What the registry's answer names,
//! the token service or the target of a redirect, must be the registry itself or a host of the
//! public internet: the answer would otherwise send the runner to any server of its network. A
//! registry that itself is in the runner's network may name others there. Only the token service
//! gets credentials, and only those for this registry.

use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::{Client, RequestBuilder, Response, Url};
use sidestep_contract::registry;
use sidestep_events::Failure;
use sidestep_gate::Sends;
use sidestep_google::retry::retry;
use sidestep_google::{Credentials, Endpoints, Service};
use sidestep_transport::{self as transport, NoClient};

use super::answer::{elsewhere, refusal};
use super::challenge::{Challenge, Insecure};
use super::docker::Docker;
use super::failure::{not_sent, unreachable};
use super::keyring::Keyring;
use super::reference::Repository;

/// The maximum number of redirects of a read.
const MOST_REDIRECTS: usize = 3;
/// The timeout of one answer. A request is not retried after this time either.
const PATIENCE: Duration = Duration::from_mins(1);

/// A call about a repository.
pub(super) struct Call<'a> {
    pub(super) repository: &'a Repository,
    pub(super) keyring: &'a Keyring,
    method: Method,
    /// The path below the repository's own.
    path: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    /// Whether one of its requests may have been carried out.
    pub(super) sends: Sends,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        keyring: &'a Keyring,
        method: Method,
        repository: &'a Repository,
        path: String,
    ) -> Self {
        Self {
            repository,
            keyring,
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

/// An answer, and the credentials that led to it.
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) authorization: HeaderMap,
}

/// The caller of registries.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) http: transport::Lazy,
    /// For addresses that an answer names.
    pub(super) public: transport::Public,
    /// For registries of this machine, which no proxy may see.
    local: transport::Lazy,
    endpoints: Arc<Endpoints>,
    credentials: Arc<Credentials>,
    pub(super) docker: Option<Docker>,
}

impl Caller {
    pub(super) fn new(endpoints: Arc<Endpoints>, credentials: Arc<Credentials>) -> Self {
        // Redirects of a registry are handled here.
        let builder = || transport::builder().timeout(PATIENCE);
        Self {
            http: transport::Lazy::new(builder),
            public: transport::Public::new(move |names| builder().dns_resolver(Arc::new(names))),
            local: transport::Lazy::new(move || builder().no_proxy()),
            endpoints,
            credentials,
            docker: None,
        }
    }

    /// Sends a read, and follows its redirects.
    pub(super) async fn read(&self, what: &str, call: &Call<'_>) -> Result<Response, Failure> {
        let mut answer = self.send(what, call).await?.response;
        for _ in 0..MOST_REDIRECTS {
            let Some(next) = elsewhere(&answer) else {
                break;
            };
            let headers = call.headers.clone();
            let follow = |http: &Client| {
                http.request(call.method.clone(), next.clone())
                    .headers(headers)
            };
            answer = self.elsewhere(what, call, &answer, &next, follow).await?;
        }
        if !answer.status().is_success() {
            return Err(refusal(what, answer).await);
        }
        Ok(answer)
    }

    /// Sends a request to an address that an answer names.
    pub(super) async fn elsewhere(
        &self,
        what: &str,
        call: &Call<'_>,
        named_by: &Response,
        url: &Url,
        request: impl FnOnce(&Client) -> RequestBuilder,
    ) -> Result<Response, Failure> {
        let host = url.host_str().unwrap_or_default();
        let trusted = self.is_moved(call)
            || url.origin() == named_by.url().origin()
            || transport::is_near(named_by);
        let http = if trusted {
            self.client(host)?
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

    /// Cancels a started upload, with the credentials that started it.
    pub(super) async fn cancel(&self, call: &Call<'_>, upload: Url, authorization: HeaderMap) {
        let repository = call.repository;
        // An upload that cannot be cancelled expires.
        let sent = match self.client(&repository.host) {
            Ok(http) => http.delete(upload).headers(authorization).send().await,
            Err(failure) => {
                let why = failure.message.exact();
                tracing::debug!(why, %repository, "an upload was not cancelled");
                return;
            }
        };
        if let Err(error) = sent {
            tracing::debug!(%error, %repository, "an upload was not cancelled");
        }
    }

    /// Sends a call, and retries it if the answer is lost. If the registry wants credentials, it
    /// gets those of the call.
    pub(super) async fn send(&self, what: &str, call: &Call<'_>) -> Result<Answer, Failure> {
        let repository = call.repository;
        let url = format!("{}/{}", self.base(call), call.path);
        let http = self.client(&repository.host)?;
        let request = |authorization: &HeaderMap| {
            let request = http
                .request(call.method.clone(), &url)
                .headers(call.headers.clone())
                .headers(authorization.clone());
            match &call.body {
                Some(body) => request.body(body.clone()),
                None => request,
            }
        };
        let once = async || {
            let lost = |error| unreachable(what, &repository.host, &error);
            let mut authorization = self.googles(call).await?;
            let mut response = request(&authorization).send().await.map_err(lost)?;
            // A registry answers a request without credentials with what it wants.
            if authorization.is_empty()
                && response.status() == StatusCode::UNAUTHORIZED
                && let Some(challenge) = Challenge::of(response.headers())
            {
                let proof = self.proof(call).await?;
                authorization = self
                    .answer(what, call, &proof, &challenge, &response)
                    .await?;
                response = request(&authorization).send().await.map_err(lost)?;
                if matches!(
                    response.status(),
                    StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
                ) {
                    return Err(proof.refused(what, call, response).await);
                }
            }
            let moved = call.may_move() && elsewhere(&response).is_some();
            if response.status().is_success() || moved {
                return Ok(Answer {
                    response,
                    authorization,
                });
            }
            Err(refusal(what, response).await)
        };
        retry(PATIENCE, async || {
            once()
                .await
                .inspect_err(|failure| call.sends.failed(failure))
        })
        .await
    }

    /// Returns whether a call goes to the address that the operator set in place of all registries.
    pub(super) fn is_moved(&self, call: &Call<'_>) -> bool {
        self.endpoints.moved(Service::Registry).is_some()
            && !call.keyring.is_direct(call.repository)
    }

    /// Returns which token services may be called without TLS.
    pub(super) fn insecure(&self, call: &Call<'_>) -> Insecure {
        if self.is_moved(call) {
            Insecure::Always
        } else if registry::is_this_machine(&call.repository.host) {
            Insecure::OnThisMachine
        } else {
            Insecure::Never
        }
    }

    fn client(&self, host: &str) -> Result<&Client, Failure> {
        if registry::is_this_machine(host) {
            self.local.get()
        } else {
            self.http.get()
        }
    }

    /// Returns the address of a repository. A registry that replaces all registries has their hosts
    /// in its paths.
    fn base(&self, call: &Call<'_>) -> String {
        let repository = call.repository;
        match self.endpoints.url(Service::Registry) {
            Some(endpoint) if !call.keyring.is_direct(repository) => {
                format!("{endpoint}/v2/{repository}")
            }
            _ => {
                let host = registry::serving(&repository.host);
                let scheme = if registry::is_this_machine(host) {
                    "http"
                } else {
                    "https"
                };
                format!("{scheme}://{host}/v2/{}", repository.path)
            }
        }
    }

    /// Returns the headers with this process's access token, for Google's registries only. What the
    /// step gave comes first.
    async fn googles(&self, call: &Call<'_>) -> Result<HeaderMap, Failure> {
        let is_given = !self.is_moved(call) && call.keyring.given(call.repository).is_some();
        if !call.repository.is_googles() || is_given {
            return Ok(HeaderMap::new());
        }
        let headers = self.credentials.headers().await?;
        let token = headers.get(AUTHORIZATION).cloned();
        Ok(token
            .map(|token| (AUTHORIZATION, token))
            .into_iter()
            .collect())
    }
}
