//! The credentials of a CI job: its id token, exchanged for Google's.
//!
//! A token of the exchange is not valid for longer than the id token
//! (<https://github.com/google-github-actions/auth>, "Direct Workload Identity Federation"): GitHub's
//! for five minutes. Each renewal therefore requests an id token anew, where the CI system gives
//! one on request; GitLab's comes once, with the job.

mod clock;
mod failure;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use google_cloud_auth::credentials::{CacheableResource, CredentialsProvider, EntityTag};
use google_cloud_auth::errors::CredentialsError;
use http::{Extensions, HeaderMap, HeaderValue, Method, header};
use serde_json::{Value, json};
use sidestep_events::{Class, Failure};
use sidestep_handles::Secret;
use sidestep_masks::Masks;
use tokio::sync::Mutex;

use crate::failure::{NotExchanged, no_token_yet};
use crate::{Credentials, Endpoints, IdToken, Origin, Rest, Service, Variables};

pub use clock::Clock;

/// The timeout of one answer of Google.
const PATIENCE: Duration = Duration::from_secs(20);
/// The timeout of a whole sign-in, which is shorter than that of its callers: what it learns is for
/// all who wait.
const SIGN_IN: Duration = Duration::from_secs(20);
/// The pause after a renewal that failed.
const PAUSE: Duration = Duration::from_secs(30);
/// The lifetime of a service account's token.
const HOUR: Duration = Duration::from_hours(1);
/// The longest time before a token's end at which it is renewed; a fifth of its lifetime if that is
/// shorter.
const EARLY: Duration = Duration::from_mins(5);
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The identity that a job has at Google.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobIdentity {
    /// The workload identity provider,
    /// `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`.
    pub provider: String,
    /// The service account to act as; `None` if the job has its own roles.
    pub service_account: Option<String>,
}

/// The exchange of a job's id token.
pub struct Federation {
    identity: JobIdentity,
    variables: Variables,
    google: Rest,
    masks: Arc<Masks>,
    clock: Clock,
    state: Mutex<State>,
    /// The number of exchanges that have ended.
    exchanges: AtomicU64,
}

/// The results of the exchanges so far.
#[derive(Default)]
struct State {
    held: Option<Held>,
    /// The failure of the last exchange.
    failed: Option<Failure>,
}

/// A token of Google, in use.
#[derive(Clone)]
struct Held {
    token: Secret,
    /// The time at which it is renewed, in seconds since 1970.
    renewed: u64,
    /// The time at which it expires.
    expires: u64,
}

impl fmt::Debug for Federation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Federation");
        shown
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

impl Federation {
    /// Creates the exchange for a job with these variables. Each of its tokens is added to the
    /// masks.
    pub fn new(
        identity: JobIdentity,
        variables: Variables,
        endpoints: Arc<Endpoints>,
        masks: Arc<Masks>,
        clock: Clock,
    ) -> Self {
        let anonymous = Arc::new(Credentials::anonymous());
        Self {
            identity,
            variables,
            google: Rest::new(endpoints, anonymous, PATIENCE),
            masks,
            clock,
            state: Mutex::default(),
            exchanges: AtomicU64::new(0),
        }
    }

    /// Returns the origin of the credentials.
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            source: "ci-id-token".to_owned(),
            principal: self.identity.service_account.clone(),
            audience: Some(self.audience()),
            ..Origin::default()
        }
    }

    fn audience(&self) -> String {
        format!("//iam.googleapis.com/{}", self.identity.provider)
    }

    /// Returns a valid token: the held one, or a new one if it is about to expire. The held one also
    /// serves while a new one can't be had, as long as it lasts.
    async fn token(&self) -> Result<Secret, Failure> {
        // Concurrent callers wait for one exchange, and share its failure too.
        let before = self.exchanges.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        let now = self.clock.now();
        if let Some(held) = state.held.as_ref().filter(|held| now < held.renewed) {
            return Ok(held.token.clone());
        }
        if self.exchanges.load(Ordering::Acquire) != before
            && let Some(failure) = &state.failed
        {
            return Err(failure.clone());
        }
        let exchanged = tokio::time::timeout(SIGN_IN, self.exchange(now)).await;
        let exchanged = exchanged.unwrap_or_else(|_| Err(no_token_yet(SIGN_IN)));
        self.exchanges.fetch_add(1, Ordering::AcqRel);
        let failure = match exchanged {
            Ok(new) => {
                state.failed = None;
                return Ok(state.held.insert(new).token.clone());
            }
            Err(failure) => failure,
        };
        // The exchange took its time.
        let now = self.clock.now();
        if let Some(held) = state.held.as_mut().filter(|held| now < held.expires) {
            tracing::warn!(%failure, "the job's token can't be renewed yet");
            // Not at each request: an exchange without an answer holds them all up.
            held.renewed = held.expires.min(now + PAUSE.as_secs());
            return Ok(held.token.clone());
        }
        state.failed = Some(failure.clone());
        Err(failure)
    }

    async fn exchange(&self, now: u64) -> Result<Held, Failure> {
        let id_token = self.id_token(now).await?;
        let body = json!({
            "grantType": "urn:ietf:params:oauth:grant-type:token-exchange",
            "audience": self.audience(),
            "scope": CLOUD_PLATFORM,
            "requestedTokenType": "urn:ietf:params:oauth:token-type:access_token",
            "subjectToken": id_token.token.expose(),
            "subjectTokenType": "urn:ietf:params:oauth:token-type:jwt",
        });
        let what = "exchange the job's id token";
        let answer = self
            .google
            .call(what, Method::POST, Service::Sts, "/v1/token", Some(&body))
            .await
            .map_err(|failed| failure::of_exchange(failed, what, &self.identity))?;
        let token = self.keep(what, &answer["access_token"])?;
        let Some(account) = &self.identity.service_account else {
            let life = answer["expires_in"].as_u64();
            return Ok(held(token, now, life.map_or(HOUR, Duration::from_secs)));
        };
        let token = self.act_as(account, &token).await?;
        Ok(held(token, now, HOUR))
    }

    /// Returns the job's id token, which must not have expired.
    async fn id_token(&self, now: u64) -> Result<IdToken, Failure> {
        let found = IdToken::of_the_job(&self.variables, &self.origin(), &self.masks).await;
        let found = found.map_err(|why| failure::no_id_token(&why))?;
        let found = found.ok_or_else(|| failure::not_offered(&self.variables, &self.identity))?;
        if found.has_expired(now) {
            return Err(failure::expired(&found));
        }
        Ok(found)
    }

    /// Returns a token of the service account.
    async fn act_as(&self, account: &str, token: &Secret) -> Result<Secret, Failure> {
        let what = format!("act as {account}");
        let name = crate::account_of_any_project(account)?;
        let path = format!("/v1/{name}:generateAccessToken");
        let body = json!({ "scope": [CLOUD_PLATFORM], "lifetime": "3600s" });
        let as_job = Arc::new(Credentials::token(token));
        let answer = self
            .google
            .as_caller(as_job, PATIENCE)
            .call(
                &what,
                Method::POST,
                Service::IamCredentials,
                &path,
                Some(&body),
            )
            .await
            .map_err(|failed| failure::of_impersonation(failed, account))?;
        self.keep(&what, &answer["accessToken"])
    }

    fn keep(&self, what: &str, token: &Value) -> Result<Secret, Failure> {
        let token = token.as_str().ok_or_else(|| failure::no_token(what))?;
        self.masks.add(token).map_err(|_| failure::no_token(what))?;
        Ok(Secret::new(token))
    }
}

fn held(token: Secret, now: u64, life: Duration) -> Held {
    let early = EARLY.min(life / 5);
    Held {
        token,
        renewed: now + life.saturating_sub(early).as_secs(),
        expires: now + life.as_secs(),
    }
}

impl CredentialsProvider for Federation {
    async fn headers(
        &self,
        _: Extensions,
    ) -> Result<CacheableResource<HeaderMap>, CredentialsError> {
        let refused = |failure: Failure| {
            let transient = failure.class == Class::Unavailable;
            CredentialsError::from_source(transient, NotExchanged(failure))
        };
        let token = self.token().await.map_err(refused)?;
        let value = HeaderValue::try_from(format!("Bearer {}", token.expose()));
        let mut value =
            value.map_err(|_| refused(failure::no_token("send the job's access token")))?;
        value.set_sensitive(true);
        Ok(CacheableResource::New {
            entity_tag: EntityTag::new(),
            data: HeaderMap::from_iter([(header::AUTHORIZATION, value)]),
        })
    }

    async fn universe_domain(&self) -> Option<String> {
        None
    }
}
