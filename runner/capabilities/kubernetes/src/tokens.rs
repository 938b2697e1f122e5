//! Tokens of a cluster's service accounts (Kubernetes, `TokenRequest`).

use std::time::Duration;

use async_trait::async_trait;
use futures::{AsyncRead, AsyncReadExt as _};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::core::Request;
use kube::{Client, Resource as _};
use serde_json::{Value, json};
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_google::retry::retry;
use sidestep_google::{IssuesTokens, TokenOf};

use super::failure::of_error;

/// The maximum size of a TokenRequest's answer, in bytes; a token has about a thousand.
const LARGEST: u64 = 64 * 1024;

/// Requests tokens from one cluster.
pub(super) struct Tokens(pub(super) Client);

#[async_trait]
impl IssuesTokens for Tokens {
    async fn issue(
        &self,
        what: &str,
        token: TokenOf<'_>,
        patience: Duration,
    ) -> Result<Value, Failure> {
        let url = ServiceAccount::url_path(&(), Some(token.namespace));
        let body = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"audiences": [token.audience], "expirationSeconds": token.life},
        })
        .to_string()
        .into_bytes();
        retry(patience, || async {
            let request = Request::new(&url)
                .create_subresource(
                    "token",
                    token.service_account,
                    &PostParams::default(),
                    body.clone(),
                )
                .map_err(|error| Failure::bug(format!("cannot build the request: {error}")))?;
            let ask = async {
                let answer = self.0.request_stream(request).await;
                read(what, answer.map_err(|error| of_error(what, &error))?).await
            };
            match tokio::time::timeout(patience, ask).await {
                Ok(answer) => answer,
                Err(_) => Err(Failure::new(
                    Class::Unavailable,
                    codes::kubernetes::UNREACHABLE,
                    Owner::Cluster,
                    format!(
                        "cannot {what}: the API server did not answer within {} s",
                        patience.as_secs()
                    ),
                )),
            }
        })
        .await
    }
}

/// Reads an answer of the API server, up to [`LARGEST`]. No error contains its text, which may be a
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
            wrong(Class::Unavailable, codes::kubernetes::UNREACHABLE, why)
        })?;
    if bytes.len() as u64 > LARGEST {
        let why = format!("the API server's answer has more than {LARGEST} bytes");
        return Err(wrong(Class::Failed, codes::kubernetes::FAILED, why));
    }
    serde_json::from_slice(&bytes).map_err(|_| {
        let why = "the API server's answer is not JSON".to_owned();
        wrong(Class::Failed, codes::kubernetes::FAILED, why)
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
        assert!(failure.message.ends_with("is not JSON"), "{failure:?}");
        assert!(!format!("{failure:?}").contains("secret"), "{failure:?}");
        let answer = read("get a token", &b"{\"status\": {}}"[..]).await;
        assert_eq!(answer, Ok(json!({"status": {}})));
    }
}
