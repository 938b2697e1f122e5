//! The token endpoint of service-account keys: `oauth2.googleapis.com/token`, which the sandbox
//! serves at its STS's address as well.
//!
//! It exchanges a JWT that is signed with a service account's key for an access token of that
//! account, or for an id token if the JWT asks for one (RFC 7523, and
//! <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>).

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use sidestep_sandbox_identity::{Account, Assertion, AssertionError, LIFETIME};

use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::OAuthError;
use crate::id_tokens;

/// The grant type of a signed JWT.
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Google's addresses for this endpoint. Clients sign for one of these, even if they call another
/// address.
const AUDIENCES: [&str; 3] = [
    "https://oauth2.googleapis.com/token",
    "https://www.googleapis.com/oauth2/v4/token",
    "https://accounts.google.com/o/oauth2/token",
];

pub(super) fn serve(cloud: &Cloud, call: &Call) -> Response {
    match answer(cloud, call) {
        Ok(answer) => axum::Json(answer).into_response(),
        Err(error) => error.into_response(),
    }
}

fn answer(cloud: &Cloud, call: &Call) -> Result<Value, OAuthError> {
    if call.oauth("grant_type", "grantType") != GRANT_TYPE {
        return Err(OAuthError::new(
            "unsupported_grant_type",
            "Invalid grant_type: the sandbox's token endpoint takes a JWT that a service account's key signed.",
        ));
    }
    let Assertion { account, claims } = cloud
        .identity()
        .assertion(call.oauth("assertion", "assertion"))
        .map_err(|error| match error {
            AssertionError::Malformed => OAuthError::new("invalid_request", error.to_string()),
            _ => OAuthError::new("invalid_grant", error.to_string()),
        })?;
    let audience = claims["aud"].as_str().unwrap_or_default();
    if audience != cloud.token_uri() && !AUDIENCES.contains(&audience) {
        return Err(OAuthError::new(
            "invalid_grant",
            "Invalid JWT: Failed audience check.",
        ));
    }
    if let Some(target) = claims["target_audience"].as_str() {
        return id_token(cloud, &account, target);
    }
    if claims["scope"].as_str().is_none_or(str::is_empty) {
        return Err(OAuthError::new(
            "invalid_scope",
            "Invalid OAuth scope or ID token audience provided.",
        ));
    }
    let token = cloud
        .identity()
        .mint(&format!("serviceAccount:{}", account.email));
    Ok(json!({
        "access_token": token.secret,
        "expires_in": LIFETIME.as_secs() - 1,
        "token_type": "Bearer",
    }))
}

fn id_token(cloud: &Cloud, account: &Account, audience: &str) -> Result<Value, OAuthError> {
    let token = id_tokens::issue(cloud, account, audience, true)
        .map_err(|error| OAuthError::new("invalid_request", error.message))?;
    Ok(json!({ "id_token": token }))
}
