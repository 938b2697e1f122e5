//! The links between a Kubernetes service account and a Google token.

use http::Method;
use serde_json::json;
use sidestep_bindings::sidestep::identity::prove as wit;
use sidestep_contract::google::{Member, is_number};
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::{Masks, Secret, Unmaskable};
use sidestep_google::{Credentials, IssuesTokens, Service, TokenOf, account_of_any_project};
use sidestep_resources as resource;

use super::{Identity, failure};

/// The lifetime of tokens for which it can be set, in seconds: the minimum of TokenRequest.
const LIFE: u32 = 600;
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The state of one workload's proof.
#[derive(Debug, Clone, Copy)]
pub(super) struct Workload<'a> {
    pub(super) identity: &'a Identity,
    pub(super) subject: &'a wit::Subject,
    /// The masks of this proof's tokens.
    pub(super) masks: &'a Masks,
}

impl Workload<'_> {
    /// Requests a token of the service account for its pool (Kubernetes, `TokenRequest`).
    pub(super) async fn token_request(
        &self,
        cluster: Box<dyn IssuesTokens>,
    ) -> Result<Secret, Failure> {
        let subject = self.subject;
        let what = format!("get a token of the service account {}", self.name());
        let wanted = TokenOf {
            namespace: &subject.namespace,
            service_account: &subject.service_account,
            audience: &subject.pool,
            life: LIFE,
        };
        let answer = cluster
            .issue(&what, wanted, self.identity.patience)
            .await
            .map_err(|failed| failure::of_token_request(failed, subject))?;
        self.keep(&what, answer["status"]["token"].as_str())
    }

    /// Exchanges the cluster's token for Google's token of the federated principal. The endpoint is
    /// the one that GKE's own metadata server uses.
    pub(super) async fn exchange(&self, token: &Secret) -> Result<Secret, Failure> {
        let subject = self.subject;
        let what = format!("exchange the token of {} for a Google token", self.name());
        let body = json!({
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "subject_token": token.expose(),
            "audience": format!("identitynamespace:{}:{}", subject.pool, subject.provider),
            "scope": CLOUD_PLATFORM,
        });
        let answer = self
            .identity
            .google_as(Credentials::anonymous())
            .rest()
            .call(
                &what,
                Method::POST,
                Service::SecureToken,
                "/v1/identitybindingtoken",
                Some(&body),
            )
            .await
            .map_err(|failed| failure::of_exchange(failed, subject))?;
        self.keep(&what, answer["access_token"].as_str())
    }

    /// Requests a token of the Google service account with the federated token.
    pub(super) async fn impersonate(
        &self,
        token: &Secret,
        account: &str,
    ) -> Result<Secret, Failure> {
        let what = format!("impersonate {account}");
        let google = self.identity.google_as(Credentials::token(token));
        let answer = async {
            let name = account_of_any_project(account)?;
            google
                .access_token(&what, &name, CLOUD_PLATFORM, LIFE)
                .await
        };
        let answer = answer
            .await
            .map_err(|failed| failure::of_impersonation(failed, self.subject, account))?;
        self.keep(&what, Some(&answer.access_token))
    }

    /// Returns the federated principal, as in policies; `None` if the number of the cluster's
    /// project cannot be read.
    pub(super) async fn principal(&self) -> Option<String> {
        let subject = self.subject;
        let (_, rest) = subject.provider.split_once("/projects/")?;
        let project = rest.split('/').next()?;
        let name = resource::project(project).ok()?;
        let what = format!("get {name}");
        let found = self.identity.google.project(&what, &name).await.ok()?;
        let number = found.name.strip_prefix("projects/")?;
        if !is_number(number) {
            return None;
        }
        let (namespace, account) = (&subject.namespace, &subject.service_account);
        let member = Member::principal(number, &subject.pool, namespace, account);
        member.text().map(str::to_owned)
    }

    fn name(&self) -> String {
        format!(
            "{}/{}",
            self.subject.namespace, self.subject.service_account
        )
    }

    /// Takes a token from an answer, and adds it to the proof's masks before anything else.
    fn keep(&self, what: &str, token: Option<&str>) -> Result<Secret, Failure> {
        let none = || {
            Failure::new(
                Class::Failed,
                codes::identity::NO_TOKEN_IN_ANSWER,
                Owner::Cloud,
                format!("cannot {what}: the answer holds no token"),
            )
        };
        let token = token.ok_or_else(none)?;
        match self.masks.add(token) {
            Ok(()) => Ok(Secret::new(token)),
            Err(Unmaskable::TooShort) => Err(none()),
            Err(why) => Err(why.failure("the token in the answer", Owner::Cloud)),
        }
    }
}
