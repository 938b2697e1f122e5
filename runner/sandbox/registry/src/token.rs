//! The token service (<https://distribution.github.io/distribution/spec/auth/token/>).
//!
//! It returns the caller's own access token. The permissions are checked on each use, against the
//! current policies.

use crate::{
    App,
    auth::{ANONYMOUS, Credential, challenge, credential, origin},
    error::ApiError,
};
use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use std::sync::Arc;

/// The stated lifetime of a token, in seconds: the specification's minimum, so that clients come
/// back before an access token can have expired unnoticed.
const LIFE: u32 = 60;

pub(crate) async fn issue(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let origin = origin(&parts, &app);
    app.caller(&parts.headers, &|| challenge(&origin, None))?;
    let token = match credential(&parts.headers) {
        Credential::Token(token) => token,
        _ => ANONYMOUS.to_owned(),
    };
    let issued = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
    let body = json!({
        "token": token,
        "access_token": token,
        "expires_in": LIFE,
        "issued_at": issued.to_string(),
    });
    Ok(([("cache-control", "no-store")], Json(body)).into_response())
}
