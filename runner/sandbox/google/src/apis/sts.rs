//! The token exchange (RFC 8693): `sts.googleapis.com/v1/token` and GKE's own
//! `securetoken.googleapis.com/v1/identitybindingtoken`.
//!
//! Reference: <https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token>.

mod external;

use std::collections::BTreeSet;

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use sidestep_sandbox_identity::{Attributes, LIFETIME, Token, workload_principal};

use crate::api::Api;
use crate::call::Call;
use crate::cloud::Cloud;
use crate::clusters::PodSubject;
use crate::error::OAuthError;

/// The audience for exchanging the sandbox's own subject tokens. The developer's Application
/// Default Credentials file (`external_account`) names it.
pub const DEVELOPER_AUDIENCE: &str =
    "//iam.googleapis.com/locations/global/workforcePools/sandbox/providers/developer";

/// The type of the sandbox's own subject tokens.
pub const SUBJECT_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:jwt";

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const MISSING: &str = "The target service indicated by the \"audience\" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn't exist.";

/// Serves both endpoints. Errors have OAuth's shape, not that of the other APIs.
pub(crate) async fn serve(cloud: &Cloud, call: &Call) -> Response {
    let (method, path, _) = call.route();
    if call.api == Api::Sts && method == "POST" && path == ["token"] {
        return super::oauth::serve(cloud, call);
    }
    let known = match call.api {
        Api::Sts => path == ["v1", "token"],
        _ => path == ["v1", "identitybindingtoken"],
    };
    if method != "POST" || !known {
        return call.unserved().into_response();
    }
    match exchange(cloud, call).await {
        Ok(token) => {
            let now = cloud.identity().clock().now();
            axum::Json(json!({
                "access_token": token.secret,
                "issued_token_type": ACCESS_TOKEN,
                "token_type": "Bearer",
                "expires_in": token.expires.duration_since(now).as_secs(),
            }))
            .into_response()
        }
        Err(error) => error.into_response(),
    }
}

async fn exchange(cloud: &Cloud, call: &Call) -> Result<Token, OAuthError> {
    let grant = call.oauth("grant_type", "grantType");
    if grant != GRANT_TYPE {
        return Err(OAuthError::new(
            "unsupported_grant_type",
            format!("Invalid grant_type: {grant:?}"),
        ));
    }
    let requested = call.oauth("requested_token_type", "requestedTokenType");
    if !requested.is_empty() && requested != ACCESS_TOKEN {
        return Err(OAuthError::new(
            "invalid_request",
            "Invalid requested_token_type.",
        ));
    }
    let subject = call.oauth("subject_token", "subjectToken");
    if subject.is_empty() {
        return Err(OAuthError::new(
            "invalid_request",
            "Missing required field subject_token.",
        ));
    }
    let audience = call.oauth("audience", "audience");
    if call.oauth("scope", "scope").is_empty() {
        return Err(OAuthError::new(
            "invalid_scope",
            "OAuth 2.0 scope is required.",
        ));
    }
    if let Some(rest) = audience.strip_prefix("identitynamespace:") {
        let (pool, provider) = rest.split_once(':').ok_or_else(|| bad_audience(audience))?;
        let cluster = cluster_of(cloud, pool, provider)?;
        let pod = cloud
            .clusters()
            .verify_token(subject, pool)
            .await
            .map_err(|refused| OAuthError::new("invalid_grant", refused.to_string()))?;
        return Ok(federate(cloud, pool, &cluster, &pod));
    }
    if audience == DEVELOPER_AUDIENCE {
        let member = cloud.identity().subject(subject).map_err(|_| {
            OAuthError::new(
                "invalid_grant",
                "The subject token is not one of this sandbox, or has expired.",
            )
        })?;
        return Ok(cloud.identity().mint(&member));
    }
    if let Some(provider) = external::Provider::read(audience) {
        return external::exchange(cloud, &provider, subject);
    }
    Err(bad_audience(audience))
}

fn bad_audience(audience: &str) -> OAuthError {
    OAuthError::new(
        "invalid_request",
        format!(
            "Invalid value for \"audience\". This value should be the full resource name of the Identity Provider. Got: {audience:?}"
        ),
    )
}

/// Returns the cluster that a provider's URL names, if its workload pool is `pool`.
pub(crate) fn cluster_of(cloud: &Cloud, pool: &str, provider: &str) -> Result<String, OAuthError> {
    let name = provider
        .split_once("://container.googleapis.com/v1/")
        .map(|(_, name)| name)
        .filter(|name| name.starts_with("projects/"));
    let known = name.filter(|name| {
        cloud.identity().has_workload_pool(pool)
            && cloud.read(|state| {
                let cluster = state.clusters.get(*name);
                let configured =
                    cluster.and_then(|c| c.pointer("/workloadIdentityConfig/workloadPool"));
                configured.and_then(Value::as_str) == Some(pool)
            })
    });
    known
        .map(str::to_owned)
        .ok_or_else(|| OAuthError::new("invalid_target", MISSING))
}

/// Issues the federated token of an authenticated Kubernetes service account.
pub(crate) fn federate(cloud: &Cloud, pool: &str, cluster: &str, pod: &PodSubject) -> Token {
    let project = cluster.split('/').nth(1).unwrap_or_default();
    let (_, project) = cloud.project(project);
    let principal = workload_principal(&project.number, pool, &pod.namespace, &pod.service_account);
    let paths = BTreeSet::from([
        format!("namespace/{}", pod.namespace),
        format!("kubernetes.serviceaccount.uid/{}", pod.uid),
        format!("kubernetes.cluster/https://container.googleapis.com/v1/{cluster}"),
    ]);
    cloud
        .identity()
        .mint_federated(&principal, Attributes { paths }, LIFETIME)
}
