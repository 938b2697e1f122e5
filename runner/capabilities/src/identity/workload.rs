//! The links between a Kubernetes service account and a token of Google's.

use futures::{AsyncRead, AsyncReadExt as _};
use google_cloud_gax::options::RequestOptionsBuilder as _;
use google_cloud_wkt as wkt;
use http::Method;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::core::Request;
use kube::{Client, Resource as _};
use serde_json::{Value, json};
use sidestep_contract::google::{Member, is_number};
use sidestep_events::{Class, Failure, Owner};

use super::{Identity, failure};
use crate::bindings::sidestep::identity::prove as wit;
use crate::gcp::resource;
use crate::google::retry::retry;
use crate::google::{Credentials, Service, failed};
use crate::kubernetes::of_error;
use crate::{Masks, Secret};

/// How long the tokens live whose life can be chosen, in seconds: the least that TokenRequest
/// takes.
const LIFE: u32 = 600;
/// The largest answer of a TokenRequest that is read, in bytes; a token has some thousand.
const LARGEST: u64 = 64 * 1024;
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// One workload on its way to a token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Workload<'a> {
    pub(super) identity: &'a Identity,
    pub(super) subject: &'a wit::Subject,
    pub(super) masks: &'a Masks,
}

impl Workload<'_> {
    /// A token of the service account for its pool (Kubernetes, `TokenRequest`).
    pub(super) async fn token_request(&self, cluster: Client) -> Result<Secret, Failure> {
        let subject = self.subject;
        let what = format!("get a token of the service account {}", self.name());
        let url = ServiceAccount::url_path(&(), Some(&subject.namespace));
        let body = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"audiences": [subject.pool], "expirationSeconds": LIFE},
        })
        .to_string()
        .into_bytes();
        let patience = self.identity.patience;
        let answer = retry(patience, || async {
            let request = Request::new(&url)
                .create_subresource(
                    "token",
                    &subject.service_account,
                    &PostParams::default(),
                    body.clone(),
                )
                .map_err(|error| Failure::bug(format!("no request can be made: {error}")))?;
            let ask = async {
                let answer = cluster.request_stream(request).await;
                read(&what, answer.map_err(|error| of_error(&what, &error))?).await
            };
            match tokio::time::timeout(patience, ask).await {
                Ok(answer) => answer,
                Err(_) => Err(Failure::new(
                    Class::Unavailable,
                    "kubernetes.unreachable",
                    Owner::Cluster,
                    format!(
                        "cannot {what}: the API server did not answer within {} s",
                        patience.as_secs()
                    ),
                )),
            }
        })
        .await
        .map_err(|failed| failure::of_token_request(failed, subject))?;
        self.keep(&what, answer["status"]["token"].as_str())
    }

    /// Google's token for the cluster's: that of the federated principal. The endpoint is the one
    /// that GKE's own metadata server uses.
    pub(super) async fn exchange(&self, token: &Secret) -> Result<Secret, Failure> {
        let subject = self.subject;
        let what = format!("exchange the token of {} for one of Google's", self.name());
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

    /// A token of the Google service account, asked for with the federated one.
    pub(super) async fn impersonate(
        &self,
        token: &Secret,
        account: &str,
    ) -> Result<Secret, Failure> {
        let what = format!("act as {account}");
        let google = self.identity.google_as(Credentials::token(token));
        let answer = async {
            let call = google.iam_credentials().await?.generate_access_token();
            call.set_name(format!("projects/-/serviceAccounts/{account}"))
                .set_scope([CLOUD_PLATFORM])
                .set_lifetime(wkt::Duration::clamp(LIFE.into(), 0))
                .with_idempotency(true)
                .send()
                .await
                .map_err(failed(&what))
        };
        let answer = answer
            .await
            .map_err(|failed| failure::of_impersonation(failed, self.subject, account))?;
        self.keep(&what, Some(&answer.access_token))
    }

    /// The federated principal, as policies name it; none where the number of the cluster's project
    /// can't be read.
    pub(super) async fn principal(&self) -> Option<String> {
        let subject = self.subject;
        let (_, rest) = subject.provider.split_once("/projects/")?;
        let project = rest.split('/').next()?;
        let name = resource::project(project).ok()?;
        let call = self.identity.google.projects().await.ok()?.get_project();
        let found = call.set_name(name.as_str()).send().await.ok()?;
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

    /// Takes a token out of an answer and makes it known to the masks first of all.
    fn keep(&self, what: &str, token: Option<&str>) -> Result<Secret, Failure> {
        let token = token.filter(|token| self.masks.add(token).is_ok());
        token.map(Secret::new).ok_or_else(|| {
            Failure::new(
                Class::Failed,
                "identity.no-token-in-answer",
                Owner::Cloud,
                format!("cannot {what}: the answer holds no token"),
            )
        })
    }
}

/// Reads an answer of the API server's, up to [`LARGEST`]. What it says is in no error: it may be a
/// token.
async fn read(what: &str, answer: impl AsyncRead) -> Result<Value, Failure> {
    let wrong = |class, code: &'static str, why: String| {
        Failure::new(class, code, Owner::Cluster, format!("cannot {what}: {why}"))
    };
    let mut bytes = Vec::new();
    std::pin::pin!(answer)
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .await
        .map_err(|error| {
            let why = format!("the API server's answer broke off: {error}");
            wrong(Class::Unavailable, "kubernetes.unreachable", why)
        })?;
    if bytes.len() as u64 > LARGEST {
        let why = format!("the API server's answer has more than {LARGEST} bytes");
        return Err(wrong(Class::Failed, "kubernetes.failed", why));
    }
    serde_json::from_slice(&bytes).map_err(|_| {
        let why = "the API server's answer is no JSON".to_owned();
        wrong(Class::Failed, "kubernetes.failed", why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_without_an_end_is_not_read_to_its_end() {
        let endless = futures::io::repeat(b' ');
        let failure = read("get a token", endless).await.expect_err("too large");
        assert_eq!(
            failure.message,
            "cannot get a token: the API server's answer has more than 65536 bytes"
        );
        let failure = read("get a token", &b"{\"token\": \"secret\""[..]).await;
        let failure = failure.expect_err("broken off");
        assert!(failure.message.ends_with("is no JSON"), "{failure:?}");
        assert!(!format!("{failure:?}").contains("secret"), "{failure:?}");
        let answer = read("get a token", &b"{\"status\": {}}"[..]).await;
        assert_eq!(answer, Ok(json!({"status": {}})));
    }
}
