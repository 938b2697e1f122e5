//! The check of service-account tokens.

use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
use kube::api::PostParams;
use kube::{Api, Client};

use crate::connect::causes;

/// The service account of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The account's namespace.
    pub namespace: String,
    /// The account's name.
    pub name: String,
    /// The account's uid.
    pub uid: String,
}

impl Subject {
    /// Reads the name of a user.
    pub(crate) fn read(user: &str, uid: &str) -> Option<Self> {
        let account = user.strip_prefix("system:serviceaccount:")?;
        let (namespace, name) = account.split_once(':')?;
        Some(Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: uid.to_owned(),
        })
    }
}

/// The reason why a token is rejected. It has no part of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Rejected(pub String);

/// Has the API server check a token, as a token for this audience. It knows whether the account and
/// the pod that the token is bound to still exist.
pub(crate) async fn review(
    client: &Client,
    token: &str,
    audience: &str,
) -> Result<Subject, Rejected> {
    let review = TokenReview {
        spec: TokenReviewSpec {
            token: token.to_owned(),
            audiences: Some(vec![audience.to_owned()]),
        },
        ..TokenReview::default()
    };
    let api: Api<TokenReview> = Api::all(client.clone());
    let review = api.create(&PostParams::default(), &review).await;
    let review = review.map_err(|error| {
        let why = match error {
            kube::Error::Api(status) => status.message.clone(),
            error => causes(&error),
        };
        Rejected(format!("the cluster could not review the token: {why}"))
    })?;
    let status = review.status.unwrap_or_default();
    if status.authenticated != Some(true) {
        let why = status.error.unwrap_or_default();
        return Err(Rejected(format!("the cluster rejects the token: {why}")));
    }
    // An authenticator that does not know audiences leaves them out.
    let audiences = status.audiences.unwrap_or_default();
    if !audiences.iter().any(|known| known == audience) {
        return Err(Rejected(format!(
            "the cluster does not confirm that the token is for audience {audience}"
        )));
    }
    let user = status.user.unwrap_or_default();
    Subject::read(
        &user.username.unwrap_or_default(),
        &user.uid.unwrap_or_default(),
    )
    .ok_or_else(|| Rejected("the token is not that of a Kubernetes service account".to_owned()))
}
