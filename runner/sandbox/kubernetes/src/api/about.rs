//! The API server's information about itself.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

use crate::auth::User;
use crate::shared::Shared;
use crate::status::ApiError;
use crate::{discovery, openapi};

/// Returns whether a path can be read without authentication.
///
/// This includes the keys: GKE publishes a cluster's issuer.
pub(crate) fn is_public(path: &str) -> bool {
    matches!(
        path,
        "/version"
            | "/version/"
            | "/healthz"
            | "/livez"
            | "/readyz"
            | "/openid/v1/jwks"
            | "/.well-known/openid-configuration"
    )
}

/// Serves discovery, version, health, keys and schemas.
pub(super) fn about(
    shared: &Shared,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    user: &User,
) -> Result<Response, ApiError> {
    if !is_public(path) && user.is_anonymous() {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "Forbidden",
            format!(
                "forbidden: User \"system:anonymous\" cannot {} path \"{}\"",
                method.as_str().to_lowercase(),
                if path.is_empty() { "/" } else { path }
            ),
        ));
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Err(ApiError::method_not_allowed());
    }
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let aggregated = accept.contains("as=APIGroupDiscoveryList") && accept.contains("v=v2;");
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let value: Value = match parts.as_slice() {
        [] => {
            json!({ "paths": ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"] })
        }
        ["version"] => version(&shared.config.version),
        ["healthz" | "livez" | "readyz"] => return Ok("ok".into_response()),
        ["openid", "v1", "jwks"] => {
            serde_json::to_value(shared.tokens.jwks()).map_err(ApiError::internal)?
        }
        [".well-known", "openid-configuration"] => json!({
            "issuer": shared.tokens.issuer(),
            "jwks_uri": format!("{}/jwks", shared.tokens.issuer()),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }),
        ["api" | "apis"] if aggregated => {
            let mut response = axum::Json(discovery::aggregated(path == "/api")).into_response();
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static(
                    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
                ),
            );
            return Ok(response);
        }
        ["api"] => discovery::versions(
            headers
                .get(header::HOST)
                .and_then(|h| h.to_str().ok())
                .unwrap_or_default(),
        ),
        ["api", version] => discovery::resources("", version).ok_or_else(ApiError::no_such_page)?,
        ["apis"] => discovery::group_list(),
        ["apis", group] => discovery::group(group).ok_or_else(ApiError::no_such_page)?,
        ["apis", group, version] => {
            discovery::resources(group, version).ok_or_else(ApiError::no_such_page)?
        }
        ["openapi", "v3"] => openapi::index(),
        ["openapi", "v3", rest @ ..] => openapi::find(&rest.join("/"))
            .ok_or_else(ApiError::no_such_page)?
            .clone(),
        _ => return Err(ApiError::no_such_page()),
    };
    Ok(axum::Json(value).into_response())
}

fn version(git: &str) -> Value {
    let mut numbers = git.trim_start_matches('v').split('.');
    json!({
        "major": numbers.next().unwrap_or_default(),
        "minor": numbers.next().unwrap_or_default(),
        "gitVersion": git,
        "gitCommit": "", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "", "compiler": "rustc", "platform": "linux/amd64",
    })
}
