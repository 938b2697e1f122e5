//! The API server's errors: `Status` objects with code, reason and details.

mod cause;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use crate::kinds::Kind;

pub(crate) use cause::Cause;

/// An error, sent to the client as a `v1.Status`.
///
/// The messages are those of `k8s.io/apimachinery/pkg/api/errors`, since clients match on them.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError(Box<Value>);

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0["message"].as_str().unwrap_or_default())
    }
}

impl std::error::Error for ApiError {}

impl ApiError {
    /// Creates a status with a code and reason, without details.
    pub fn new(code: StatusCode, reason: &str, message: impl Into<String>) -> Self {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message.into(),
        });
        if !reason.is_empty() {
            status["reason"] = reason.into();
        }
        status["code"] = code.as_u16().into();
        Self(Box::new(status))
    }

    fn details(mut self, details: Value) -> Self {
        let code = self.0["code"].take();
        if let Some(map) = self.0.as_object_mut() {
            map.shift_remove("code");
            map.insert("details".into(), details);
            map.insert("code".into(), code);
        }
        self
    }

    /// Returns the `Status` object.
    pub fn status(&self) -> &Value {
        &self.0
    }

    /// Returns the HTTP code.
    pub fn code(&self) -> StatusCode {
        self.0["code"]
            .as_u64()
            .and_then(|c| u16::try_from(c).ok())
            .and_then(|c| StatusCode::from_u16(c).ok())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Returns the machine-readable reason, such as `NotFound`.
    pub fn reason(&self) -> &str {
        self.0["reason"].as_str().unwrap_or_default()
    }

    pub(crate) fn not_found(kind: &Kind, name: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NotFound",
            format!("{} \"{name}\" not found", kind.qualified()),
        )
        .details(named(kind, name, kind.plural))
    }

    pub(crate) fn no_such_page() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NotFound",
            "the server could not find the requested resource",
        )
        .details(json!({}))
    }

    pub(crate) fn already_exists(kind: &Kind, name: &str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "AlreadyExists",
            format!("{} \"{name}\" already exists", kind.qualified()),
        )
        .details(named(kind, name, kind.plural))
    }

    pub(crate) fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "Conflict",
            format!(
                "Operation cannot be fulfilled on {} \"{name}\": {why}",
                kind.qualified()
            ),
        )
        .details(named(kind, name, kind.plural))
    }

    pub(crate) fn stale(kind: &Kind, name: &str) -> Self {
        Self::conflict(
            kind,
            name,
            "the object has been modified; please apply your changes to the latest version and \
             try again",
        )
    }

    /// Creates the error of a server-side apply that would take fields from other managers.
    pub(crate) fn apply_conflict(conflicts: &[(String, String)]) -> Self {
        let causes: Vec<Value> = conflicts
            .iter()
            .map(|(manager, field)| {
                json!({
                    "reason": "FieldManagerConflict",
                    "message": format!("conflict with {manager}"),
                    "field": field,
                })
            })
            .collect();
        let plural = if conflicts.len() == 1 { "" } else { "s" };
        let text: Vec<String> = conflicts
            .iter()
            .map(|(m, f)| format!("conflict with {m}: {f}"))
            .collect();
        Self::new(
            StatusCode::CONFLICT,
            "Conflict",
            format!(
                "Apply failed with {} conflict{plural}: {}",
                conflicts.len(),
                text.join("\n- ")
            ),
        )
        .details(json!({ "causes": causes }))
    }

    pub(crate) fn invalid(kind: &Kind, name: &str, causes: &[Cause]) -> Self {
        let all: Vec<String> = causes
            .iter()
            .map(|c| format!("{}: {}", c.field, c.message))
            .collect();
        let text = if let [one] = all.as_slice() {
            one.clone()
        } else {
            format!("[{}]", all.join(", "))
        };
        let mut details = named(kind, name, kind.kind);
        details["causes"] = causes.iter().map(Cause::shown).collect();
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid",
            format!("{} \"{name}\" is invalid: {text}", kind.kind),
        )
        .details(details)
    }

    /// Returns the error of a kind that is not stored, such as `DeleteOptions`.
    pub(crate) fn invalid_request(group: &str, kind: &str, name: &str, cause: &Cause) -> Self {
        let qualified = if group.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}.{group}")
        };
        let mut details = json!({});
        for (field, text) in [("name", name), ("group", group), ("kind", kind)] {
            if !text.is_empty() {
                details[field] = text.into();
            }
        }
        details["causes"] = json!([cause.shown()]);
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid",
            format!(
                "{qualified} \"{name}\" is invalid: {}: {}",
                cause.field, cause.message
            ),
        )
        .details(details)
    }

    /// Returns the error of a request's options: `CreateOptions`, `ListOptions`, ….
    pub(crate) fn invalid_options(kind: &str, cause: &Cause) -> Self {
        Self::invalid_request("meta.k8s.io", kind, "", cause)
    }

    /// Returns the error of a JSON patch that cannot be applied. The server does not say why.
    pub(crate) fn inapplicable_patch() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid",
            "the server rejected our request due to an error in our request",
        )
        .details(json!({}))
    }

    /// Returns the error of a resource version that is not a number.
    pub(crate) fn invalid_version(text: &str) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "",
            format!(
                "resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: \
                 invalid syntax"
            ),
        )
    }

    /// Returns the error of a deletion whose precondition does not hold. It names the kind, not
    /// the resource: `BeforeDelete` of `k8s.io/apiserver/pkg/registry/rest/delete.go`.
    pub(crate) fn unmet_precondition(kind: &Kind, name: &str, why: &str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "Conflict",
            format!(
                "Operation cannot be fulfilled on {} \"{name}\": {why}",
                kind.kind
            ),
        )
        .details(named(kind, name, kind.kind))
    }

    /// Returns the `Forbidden` error of an object that admission rejects.
    pub(crate) fn forbidden(kind: &Kind, name: &str, why: &str) -> Self {
        let subject = if name.is_empty() {
            format!("{} is forbidden", kind.qualified())
        } else {
            format!("{} \"{name}\" is forbidden", kind.qualified())
        };
        Self::new(
            StatusCode::FORBIDDEN,
            "Forbidden",
            format!("{subject}: {why}"),
        )
        .details(named(kind, name, kind.plural))
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
    }

    pub(crate) fn bad_request(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", why)
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        )
        .details(json!({}))
    }

    pub(crate) fn unsupported_media(got: &str, accepted: &[&str]) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            format!(
                "the body of the request was in an unknown format ({got:?}) - accepted media \
                 types include: {}",
                accepted.join(", ")
            ),
        )
    }

    /// Returns the error of a patch whose content type is unknown.
    pub(crate) fn unsupported_patch() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            "415: Unsupported Media Type",
        )
        .details(json!({}))
    }

    /// Returns the error of a watch or list whose version is no longer stored.
    pub(crate) fn expired(why: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "Expired", why)
    }

    pub(crate) fn internal(why: impl std::fmt::Display) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            format!("Internal error occurred: {why}"),
        )
        .details(json!({ "causes": [{ "message": why.to_string() }] }))
    }
}

fn named(kind: &Kind, name: &str, shown: &str) -> Value {
    let mut details = json!({});
    if !name.is_empty() {
        details["name"] = name.into();
    }
    if !kind.group.is_empty() {
        details["group"] = kind.group.into();
    }
    details["kind"] = shown.into();
    details
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.code(), axum::Json(*self.0)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::by_plural;

    #[test]
    fn sentences_are_the_api_servers() {
        let pods = by_plural("", "pods").expect("pods are served");
        let error = ApiError::not_found(pods, "a");
        assert_eq!(error.to_string(), "pods \"a\" not found");
        assert_eq!(
            error.status()["details"],
            json!({ "name": "a", "kind": "pods" })
        );
        assert_eq!(error.code(), StatusCode::NOT_FOUND);
        let error = ApiError::invalid(
            pods,
            "a",
            &[
                Cause::required("spec.containers", ""),
                Cause::forbidden("spec", "no"),
            ],
        );
        assert_eq!(
            error.to_string(),
            "Pod \"a\" is invalid: [spec.containers: Required value, spec: Forbidden: no]"
        );
        assert_eq!(error.status()["details"]["kind"], "Pod");
    }
}
