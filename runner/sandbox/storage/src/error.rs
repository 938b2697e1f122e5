//! Error responses: Google's body, in JSON or in XML.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use sidestep_sandbox_base::{GOOGLE_CHALLENGE, InvalidMask, InvalidNumber, disk};

/// A rejected request. Each constructor is one of Cloud Storage's documented errors
/// (<https://cloud.google.com/storage/docs/json_api/v1/status-codes>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    reason: &'static str,
    message: String,
    location: Option<(&'static str, &'static str)>,
    /// The XML API's error code.
    code: &'static str,
    /// The XML API's details.
    details: Option<String>,
}

impl ApiError {
    fn new(
        status: StatusCode,
        reason: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            reason,
            message: message.into(),
            location: None,
            code,
            details: None,
        }
    }

    fn at(mut self, kind: &'static str, name: &'static str) -> Self {
        self.location = Some((kind, name));
        self
    }

    pub(crate) fn no_bucket() -> Self {
        let message = "The specified bucket does not exist.";
        Self::new(StatusCode::NOT_FOUND, "notFound", "NoSuchBucket", message)
    }

    pub(crate) fn no_object(bucket: &str, name: &str) -> Self {
        let message = format!("No such object: {bucket}/{name}");
        let mut error = Self::new(StatusCode::NOT_FOUND, "notFound", "NoSuchKey", &*message);
        error.details = Some(message);
        error
    }

    pub(crate) fn no_session() -> Self {
        let message = "The upload session does not exist.";
        Self::new(StatusCode::NOT_FOUND, "notFound", "NoSuchUpload", message)
    }

    pub(crate) fn session_expired() -> Self {
        let message = "The requested upload session is no longer available.";
        Self::new(StatusCode::GONE, "uploadExpired", "NoSuchUpload", message)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "notFound", "NoSuchKey", "Not Found")
    }

    pub(crate) fn precondition(location: &'static str) -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "conditionNotMet",
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold.",
        )
        .at("header", location)
    }

    pub(crate) fn not_modified() -> Self {
        Self::new(StatusCode::NOT_MODIFIED, "notModified", "NotModified", "")
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        let code = "BucketAlreadyOwnedByYou";
        Self::new(StatusCode::CONFLICT, "conflict", code, message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        let code = "InvalidArgument";
        Self::new(StatusCode::BAD_REQUEST, "invalid", code, message)
    }

    pub(crate) fn required(message: impl Into<String>) -> Self {
        let code = "InvalidArgument";
        Self::new(StatusCode::BAD_REQUEST, "required", code, message)
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        let code = "EntityTooLarge";
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "uploadTooLarge",
            code,
            message,
        )
    }

    pub(crate) fn range(size: u64) -> Self {
        let message = format!("Request range not satisfiable: the object has {size} bytes.");
        Self::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "requestedRangeNotSatisfiable",
            "InvalidRange",
            message,
        )
        .at("header", "Range")
    }

    pub(crate) fn invalid_credentials() -> Self {
        let code = "AuthenticationRequired";
        Self::new(
            StatusCode::UNAUTHORIZED,
            "authError",
            code,
            "Invalid Credentials",
        )
        .at("header", "Authorization")
    }

    /// Returns the error of a caller `who` without `permission` on a `thing` (`object`, `bucket`,
    /// `project`).
    pub(crate) fn denied(who: Option<&str>, permission: &str, thing: &str) -> Self {
        let who_text = who.unwrap_or("Anonymous caller");
        let place = match thing {
            "project" => "Google Cloud project".to_owned(),
            thing => format!("Google Cloud Storage {thing}"),
        };
        let message = format!(
            "{who_text} does not have {permission} access to the {place}. Permission \
             '{permission}' denied on resource (or it may not exist)."
        );
        let mut error = if who.is_some() {
            Self::new(
                StatusCode::FORBIDDEN,
                "forbidden",
                "AccessDenied",
                &*message,
            )
        } else {
            Self::new(
                StatusCode::UNAUTHORIZED,
                "required",
                "AccessDenied",
                &*message,
            )
            .at("header", "Authorization")
        };
        error.details = Some(message);
        error
    }

    /// Returns the 500 of a disk error, and logs it.
    #[allow(clippy::needless_pass_by_value)] // so that `map_err(ApiError::disk)` reads well
    pub(crate) fn disk(error: std::io::Error) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "backendError",
            "InternalError",
            disk::unusable("storage", &error),
        )
    }

    pub(crate) fn text(&self) -> &str {
        &self.message
    }

    /// Returns the response of the JSON API.
    pub(crate) fn json(&self) -> Response {
        if self.status == StatusCode::NOT_MODIFIED {
            return self.status.into_response();
        }
        let mut item = json!({
            "message": self.message, "domain": "global", "reason": self.reason,
        });
        if let Some((kind, name)) = self.location {
            item["locationType"] = kind.into();
            item["location"] = name.into();
        }
        let body = json!({ "error": {
            "code": self.status.as_u16(), "message": self.message, "errors": [item],
        }});
        let mut response = (self.status, axum::Json(body)).into_response();
        challenge(&mut response);
        response
    }

    /// Returns the response of the XML API, which rejects an anonymous caller with 403.
    pub(crate) fn xml(&self) -> Response {
        let (status, message) = match self.code {
            "AccessDenied" => (StatusCode::FORBIDDEN, "Access denied."),
            "AuthenticationRequired" => (StatusCode::UNAUTHORIZED, "Authentication required."),
            "NoSuchKey" => (StatusCode::NOT_FOUND, "The specified key does not exist."),
            _ => (self.status, self.message.as_str()),
        };
        if status == StatusCode::NOT_MODIFIED {
            return status.into_response();
        }
        let details = match &self.details {
            Some(text) => format!("<Details>{}</Details>", escape(text)),
            None => String::new(),
        };
        let body = format!(
            "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{}</Code><Message>{}</Message>{details}</Error>",
            self.code,
            escape(message),
        );
        let kind = [(header::CONTENT_TYPE, "application/xml; charset=UTF-8")];
        let mut response = (status, kind, body).into_response();
        challenge(&mut response);
        response
    }
}

fn challenge(response: &mut Response) {
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(GOOGLE_CHALLENGE),
        );
    }
}

impl From<InvalidNumber> for ApiError {
    fn from(error: InvalidNumber) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<InvalidMask> for ApiError {
    fn from(error: InvalidMask) -> Self {
        Self::invalid(error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.json()
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
