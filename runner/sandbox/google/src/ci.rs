//! CI systems that give their jobs id tokens: an issuer with its keys, and the request for a token.
//!
//! GitHub: <https://docs.github.com/actions/reference/security/oidc>. GitLab:
//! <https://docs.gitlab.com/ci/secrets/id_token_authentication/>.

mod claims;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sidestep_sandbox_base::{Authorization, Query};

use crate::cloud::Cloud;
use crate::error::ApiError;
use crate::id_tokens::{kept, published, signed};
use crate::state::Ci;

/// The member that stands for a job: the holder of its subject token may request id tokens
/// ([`Identity::mint_subject`](sidestep_sandbox_identity::Identity::mint_subject)).
pub const JOB: &str = "job:ci";

/// The start of a query parameter that sets a claim, as in `claim.ref=refs/heads/x`.
pub const CLAIM: &str = "claim.";

/// A job's view of its CI system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// The issuer of the job's tokens.
    pub issuer: String,
    /// Whether the job can get an id token.
    pub id_token: bool,
    /// The identity provider in the job's settings.
    pub provider: String,
    /// The service account in the job's settings.
    pub service_account: Option<String>,
    /// The token of a CI system that gives it without a request.
    pub token: Option<String>,
}

/// Serves the CI systems, each below its name.
pub fn router(cloud: &Cloud) -> Router {
    Router::new()
        .route("/{ci}/.well-known/openid-configuration", get(configuration))
        .route("/{ci}/.well-known/jwks", get(jwks))
        .route("/{ci}/job", get(job))
        .route("/{ci}/id-token", get(id_token))
        .with_state(cloud.clone())
}

/// Returns the keys of an issuer as Google reads them; `None` if it cannot be reached.
pub(crate) fn keys_of(cloud: &Cloud, issuer: &str) -> Option<Value> {
    let known = |ci: &Ci| ci.issuer == issuer && ci.reachable;
    let is_known = cloud.read(|state| state.ci.values().any(known));
    is_known.then(|| published(key(cloud)))
}

fn key(cloud: &Cloud) -> Result<jsonwebtoken::EncodingKey, ApiError> {
    let known = cloud.read(|state| state.ci_key.clone());
    kept(cloud, known, |state| &mut state.ci_key)
}

type Cloudy = State<Cloud>;

/// Describes an issuer (OpenID Connect Discovery 1.0, section 3).
async fn configuration(State(cloud): Cloudy, Path(name): Path<String>) -> Response {
    let Some(ci) = find(&cloud, &name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    axum::Json(json!({
        "issuer": ci.issuer,
        "jwks_uri": format!("{}/.well-known/jwks", ci.issuer),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
    .into_response()
}

async fn jwks(State(cloud): Cloudy, Path(name): Path<String>) -> Response {
    match find(&cloud, &name) {
        Some(_) => axum::Json(published(key(&cloud))).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Starts a job: describes what the CI system puts into its environment.
async fn job(State(cloud): Cloudy, Path(name): Path<String>, request: Request) -> Response {
    let query = Query::parse(request.uri().query());
    let ci = match asked(&cloud, &name, &request) {
        Ok(ci) => ci,
        Err(refused) => return refused.into_response(),
    };
    let audience = ci
        .audience
        .clone()
        .unwrap_or_else(|| format!("https://iam.googleapis.com/{}", ci.provider));
    let comes_without_a_request = name == GITLAB && ci.id_token;
    let token = comes_without_a_request.then(|| issue(&cloud, &name, &ci, &audience, &query));
    match token.transpose() {
        Ok(token) => axum::Json(Job {
            issuer: ci.issuer,
            id_token: ci.id_token,
            provider: ci.provider,
            service_account: ci.service_account,
            token,
        })
        .into_response(),
        Err(error) => error.into_response(),
    }
}

/// Gives a job a token for an audience, in GitHub's form.
async fn id_token(State(cloud): Cloudy, Path(name): Path<String>, request: Request) -> Response {
    let query = Query::parse(request.uri().query());
    let ci = match asked(&cloud, &name, &request) {
        Ok(ci) if ci.id_token => ci,
        Ok(_) => return StatusCode::FORBIDDEN.into_response(),
        Err(refused) => return refused.into_response(),
    };
    let owner = ci.claims.get("repository_owner").and_then(Value::as_str);
    let usual = || format!("https://github.com/{}", owner.unwrap_or_default());
    let audience = query.get("audience").map_or_else(usual, str::to_owned);
    match issue(&cloud, &name, &ci, &audience, &query) {
        Ok(token) => axum::Json(json!({ "count": token.len(), "value": token })).into_response(),
        Err(error) => error.into_response(),
    }
}

/// Returns the CI system, if the request is that of a job.
fn asked(cloud: &Cloud, name: &str, request: &Request) -> Result<Ci, StatusCode> {
    let ci = find(cloud, name).ok_or(StatusCode::NOT_FOUND)?;
    let bearer = Authorization::of(request.headers())
        .bearer()
        .unwrap_or_default();
    match cloud.identity().subject(bearer) {
        Ok(member) if member == JOB => Ok(ci),
        _ => Err(StatusCode::UNAUTHORIZED),
    }
}

fn find(cloud: &Cloud, name: &str) -> Option<Ci> {
    cloud.read(|state| state.ci.get(name).cloned())
}

/// The name of the CI system whose tokens come without a request.
pub const GITLAB: &str = "gitlab";
/// The name of the CI system whose jobs request their tokens.
pub const GITHUB: &str = "github";

fn issue(
    cloud: &Cloud,
    name: &str,
    ci: &Ci,
    audience: &str,
    query: &Query,
) -> Result<String, ApiError> {
    let set: BTreeMap<String, Value> = query
        .pairs()
        .filter_map(|(key, value)| Some((key.strip_prefix(CLAIM)?.to_owned(), json!(value))))
        .collect();
    let mut claims = claims::of_the_job(name, ci, set);
    let now = cloud.identity().clock().now().as_second();
    claims["iss"] = json!(ci.issuer);
    claims["aud"] = json!(audience);
    claims["iat"] = json!(now);
    claims["nbf"] = json!(now);
    claims["exp"] = json!(now + ci.lifetime);
    claims["jti"] = json!(crate::cloud::random_hex());
    signed(&key(cloud)?, &claims)
}
