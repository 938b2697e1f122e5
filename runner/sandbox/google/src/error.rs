//! Errors in the shape and wording of Google's APIs.
//!
//! `{"error":{"code","message","status","details":[…]}}`, as defined in
//! <https://google.aip.dev/193>.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use sidestep_sandbox_base::GOOGLE_CHALLENGE;

use crate::api::{Api, title};

/// An error of an API.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) code: u16,
    pub(crate) status: &'static str,
    pub(crate) message: String,
    pub(crate) details: Vec<Value>,
}

pub(crate) type Answer = Result<Value, ApiError>;

impl ApiError {
    fn new(code: u16, status: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            status,
            message: message.into(),
            details: Vec::new(),
        }
    }

    fn info(mut self, reason: &str, domain: &str, metadata: &Value) -> Self {
        self.details.push(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason, "domain": domain, "metadata": metadata,
        }));
        self
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message)
    }

    pub(crate) fn precondition(message: impl Into<String>) -> Self {
        Self::new(400, "FAILED_PRECONDITION", message)
    }

    pub(crate) fn exhausted(message: impl Into<String>) -> Self {
        Self::new(429, "RESOURCE_EXHAUSTED", message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "INTERNAL", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "NOT_FOUND", message)
    }

    pub(crate) fn exists(message: impl Into<String>) -> Self {
        Self::new(409, "ALREADY_EXISTS", message)
    }

    /// Returns the error for a policy that changed since it was read.
    pub(crate) fn aborted() -> Self {
        Self::new(
            409,
            "ABORTED",
            "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
        )
    }

    /// Returns the error for a path that the sandbox does not serve. It says that this is a
    /// limitation of the sandbox.
    pub(crate) fn unserved(api: Api, method: &str, path: &str) -> Self {
        let host = api.host();
        Self::new(
            501,
            "UNIMPLEMENTED",
            format!("the sandbox's {host} does not serve {method} {path}"),
        )
    }

    pub(crate) fn no_credential(api: Api) -> Self {
        Self::new(
            401,
            "UNAUTHENTICATED",
            "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        )
        .info("CREDENTIALS_MISSING", "googleapis.com", &json!({"service": api.host()}))
    }

    pub(crate) fn bad_credential(api: Api) -> Self {
        Self::new(
            401,
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        )
        .info("ACCESS_TOKEN_EXPIRED", "googleapis.com", &json!({"service": api.host()}))
    }

    /// Returns the error for a missing permission, in the API's own words.
    pub(crate) fn denied(
        message: impl Into<String>,
        domain: &str,
        permission: &str,
        resource: &str,
    ) -> Self {
        let metadata = json!({"permission": permission, "resource": resource});
        Self::new(403, "PERMISSION_DENIED", message).info(
            "IAM_PERMISSION_DENIED",
            domain,
            &metadata,
        )
    }

    /// Returns Service Usage's error for a missing permission.
    pub(crate) fn usage_denied(message: impl Into<String>, reason: &str, metadata: &Value) -> Self {
        Self::new(403, "PERMISSION_DENIED", message).info(
            reason,
            "serviceusage.googleapis.com",
            metadata,
        )
    }

    pub(crate) fn service_disabled(service: &str, number: &str) -> Self {
        let title = title(service);
        let url = format!(
            "https://console.developers.google.com/apis/api/{service}/overview?project={number}"
        );
        let message = format!(
            "{title} has not been used in project {number} before or it is disabled. Enable it by visiting {url} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry."
        );
        let consumer = format!("projects/{number}");
        let metadata = json!({
            "service": service, "serviceTitle": title, "consumer": consumer,
            "containerInfo": number, "activationUrl": url,
        });
        let mut error = Self::new(403, "PERMISSION_DENIED", message.clone()).info(
            "SERVICE_DISABLED",
            "googleapis.com",
            &metadata,
        );
        error.details.push(json!({
            "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
            "locale": "en-US", "message": message,
        }));
        error.details.push(json!({
            "@type": "type.googleapis.com/google.rpc.Help",
            "links": [{"description": "Google developers console API activation", "url": url}],
        }));
        error
    }

    pub(crate) fn body(&self) -> Value {
        let mut error = json!({"code": self.code, "message": self.message, "status": self.status});
        if !self.details.is_empty() {
            error["details"] = Value::from(self.details.clone());
        }
        json!({ "error": error })
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(self.body())).into_response();
        if self.code == 401 {
            let realm = HeaderValue::from_static(GOOGLE_CHALLENGE);
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, realm);
        }
        response
    }
}

/// An error of a token endpoint (RFC 6749, section 5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OAuthError {
    error: &'static str,
    description: String,
}

impl OAuthError {
    pub(crate) fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self {
            error,
            description: description.into(),
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = json!({"error": self.error, "error_description": self.description});
        let status = match self.error {
            "unauthorized_client" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        (status, axum::Json(body)).into_response()
    }
}
