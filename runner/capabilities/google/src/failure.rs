use std::time::Duration;

use google_cloud_auth::errors::CredentialsError;
use google_cloud_gax::error::Error;
use google_cloud_gax::error::rpc::StatusDetails;
use http::HeaderMap;
use http::header::RETRY_AFTER;
use serde_json::{Value, json};
use sidestep_contract::google::enable_apis;
use sidestep_events::{Class, Failure, Owner, codes};

use crate::commands;
use sidestep_transport::causes;

/// Returns the failure of an HTTP error answer of a Google API (AIP-193, "Errors"; Cloud Storage
/// sends `error.errors[]` in place of `details`). `what` completes "cannot …".
pub fn of_api_error(what: &str, http_status: u16, body: &[u8]) -> Failure {
    let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let error = &json["error"];
    let said = error["message"]
        .as_str()
        // STS answers as OAuth does (RFC 6749, 5.2).
        .or_else(|| json["error_description"].as_str())
        .map_or_else(|| format!("HTTP {http_status}"), str::to_owned);
    let info = error["details"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|detail| detail["reason"].is_string())
        .or_else(|| error["errors"].get(0))
        .unwrap_or(&Value::Null);
    let mut failure = failure(what, http_status, &said, info);
    // An OAuth error is a single word.
    if let Some(reason) = error.as_str() {
        failure = failure.with_detail("reason", reason);
    }
    if let Some(status) = error["status"].as_str() {
        failure = failure.with_detail("status", status);
    }
    failure
}

/// Returns the failure of an error of Google's client libraries.
pub fn of_client_error(what: &str, error: &Error) -> Failure {
    let source = std::error::Error::source(error);
    // There was no time for another attempt: the last attempt's error is the cause.
    if error.is_exhausted()
        && let Some(last) = source.and_then(|source| source.downcast_ref::<Error>())
    {
        return of_client_error(what, last);
    }
    let retry_after = error.http_headers().and_then(retry_after_ms);
    if let (Some(status), Some(body)) = (error.http_status_code(), error.http_payload()) {
        let mut failure = of_api_error(what, status, body);
        failure.retry_after_ms = retry_after;
        return failure;
    }
    if let Some(error) = source.and_then(|source| source.downcast_ref::<CredentialsError>()) {
        return no_token(error);
    }
    if let Some(status) = error.status() {
        let info = status
            .details
            .iter()
            .find_map(|detail| match detail {
                StatusDetails::ErrorInfo(info) => Some(json!({
                    "reason": info.reason,
                    "domain": info.domain,
                    "metadata": info.metadata,
                })),
                _ => None,
            })
            .unwrap_or(Value::Null);
        let http_status = error.http_status_code().unwrap_or(500);
        let mut failure = failure(what, http_status, &status.message, &info)
            .with_detail("status", status.code.name());
        failure.retry_after_ms = retry_after;
        return failure;
    }
    if error.is_deserialization() {
        return Failure::new(
            Class::Failed,
            codes::http::UNEXPECTED,
            Owner::Cloud,
            format!(
                "cannot {what}: the answer is not what the API documents: {}",
                causes::chain(error)
            ),
        )
        .with_help(
            "another server may have answered in place of the API, such as a proxy's sign-in page",
        );
    }
    Failure::new(
        Class::Unavailable,
        codes::google::UNREACHABLE,
        Owner::Cloud,
        format!("cannot {what}: {}", causes::chain(error)),
    )
    .with_help("try again; behind a proxy, check that HTTPS_PROXY is set for this process")
}

/// Returns the failure when no token is obtained in time.
pub(super) fn no_token_yet(patience: Duration) -> Failure {
    Failure::new(
        Class::Unavailable,
        codes::identity::NO_TOKEN,
        Owner::Operator,
        format!(
            "this process got no access token within {} s: what gives it does not answer",
            patience.as_secs()
        ),
    )
    .with_help("try again; behind a proxy, check that HTTPS_PROXY is set for this process")
}

/// Returns the failure when no token can be obtained.
pub(super) fn no_token(error: &CredentialsError) -> Failure {
    // The job's own exchange has a failure of its own.
    let source = std::error::Error::source(error);
    if let Some(NotExchanged(failure)) = source.and_then(|source| source.downcast_ref()) {
        return failure.clone();
    }
    let class = if error.is_transient() {
        Class::Unavailable
    } else {
        Class::Denied
    };
    no_token_since(class, causes::chain(error))
}

/// The failure of a job's token exchange, as the source of the library's error.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message.exact())]
pub(super) struct NotExchanged(pub(super) Failure);

/// Returns the failure when no token can be obtained; `said` is the library's message.
fn no_token_since(class: Class, said: String) -> Failure {
    let refusal = refusal(&said);
    let of_provider = refusal
        .as_ref()
        .is_some_and(|(error, _)| PROVIDER_REFUSES.contains(&error.as_str()));
    // The library's message is long, and the important part comes late.
    let message = match refusal {
        _ if said.contains("you have not configured local credentials") => {
            "this process has no Google credentials: no user is signed in, and no metadata server \
             answers"
                .to_owned()
        }
        Some((error, why)) => {
            format!("Google refuses the credentials of this process: {why} ({error})")
        }
        None => format!("cannot get an access token for this process: {said}"),
    };
    let failure = Failure::new(class, codes::identity::NO_TOKEN, Owner::Operator, message)
        .with_detail("cause", said);
    if of_provider {
        return failure.with_help(
            "the workload identity provider that the credentials file names as `audience` decides, \
             by its attribute condition, its attribute mapping and its allowed audiences: compare \
             them with the claims of this process's token",
        );
    }
    failure.with_help("sign in:").with_help(commands::sign_in())
}

/// The errors of the token exchange if the provider rejects the token (RFC 6749, 5.2, and RFC 8693,
/// 2.2.2).
const PROVIDER_REFUSES: [&str; 2] = ["unauthorized_client", "invalid_target"];

/// Returns the error and its description from an OAuth answer that the library quotes as
/// `body=<…>`.
fn refusal(said: &str) -> Option<(String, String)> {
    let (_, body) = said.split_once("body=<")?;
    let mut values = serde_json::Deserializer::from_str(body).into_iter::<Value>();
    let body = values.next()?.ok()?;
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    Some((text("error")?, text("error_description")?))
}

/// Returns how long to wait before the next attempt, in milliseconds; Google sends seconds (RFC
/// 9110, 10.2.3).
pub(super) fn retry_after_ms(headers: &HeaderMap) -> Option<u64> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    seconds.parse::<u32>().ok().map(|s| u64::from(s) * 1000)
}

/// Returns the failure of an answer. `info` is the machine-readable part: `reason`, `domain` and
/// `metadata` of an ErrorInfo (AIP-193), as far as they are present. They are kept in the failure's
/// details.
fn failure(what: &str, http_status: u16, said: &str, info: &Value) -> Failure {
    let reason = info["reason"].as_str();
    let disabled =
        reason == Some("SERVICE_DISABLED") || said.contains("has not been used in project");
    let (class, code, owner) = match http_status {
        401 => (
            Class::Denied,
            codes::google::UNAUTHENTICATED,
            Owner::Operator,
        ),
        403 if disabled => (Class::Denied, codes::google::API_DISABLED, Owner::Cloud),
        403 if reason == Some("RATE_LIMIT_EXCEEDED") => {
            (Class::Exhausted, codes::google::QUOTA, Owner::Cloud)
        }
        403 => (
            Class::Denied,
            codes::google::PERMISSION_DENIED,
            Owner::Cloud,
        ),
        404 => (Class::NotFound, codes::google::NOT_FOUND, Owner::Cloud),
        409 => (Class::Conflict, codes::google::CONFLICT, Owner::Cloud),
        412 => (Class::Conflict, codes::google::PRECONDITION, Owner::Cloud),
        429 => (
            Class::Unavailable,
            codes::google::RATE_LIMITED,
            Owner::Cloud,
        ),
        408 | 500..=599 => (Class::Unavailable, codes::google::UNAVAILABLE, Owner::Cloud),
        400 => (Class::InvalidInput, codes::google::INVALID, Owner::Author),
        _ => (Class::Failed, codes::google::FAILED, Owner::Cloud),
    };
    let mut failure = Failure::new(class, code, owner, format!("cannot {what}: {said}"))
        .with_detail("httpStatus", http_status);
    if let Some(reason) = reason {
        failure = failure.with_detail("reason", reason);
    }
    if let Some(domain) = info["domain"].as_str() {
        failure = failure.with_detail("domain", domain);
    }
    let metadata = &info["metadata"];
    if metadata.is_object() {
        failure = failure.with_detail("metadata", metadata.clone());
    }
    if disabled
        && let Some(service) = metadata["service"].as_str()
        && let Some(project) = metadata["consumer"]
            .as_str()
            .and_then(|consumer| consumer.strip_prefix("projects/"))
    {
        failure = failure.with_helps(enable_apis(&[service], project));
    }
    if http_status == 403 && !disabled {
        failure = failure.with_helps(missing_right(reason, metadata));
    }
    if http_status == 401 {
        failure = failure
            .with_help("the access token was refused: it is expired, revoked, or the clock of this machine is wrong; sign in again:")
            .with_help(commands::sign_in());
    }
    failure
}

/// Says who corrects a refusal, and where. IAM's own refusals name the permission and the resource
/// (AIP-193, `IAM_PERMISSION_DENIED`).
fn missing_right(reason: Option<&str>, metadata: &Value) -> Option<String> {
    match reason {
        Some("RATE_LIMIT_EXCEEDED") => None,
        Some("SECURITY_POLICY_VIOLATED") => Some(
            "a perimeter of VPC Service Controls refuses the call, not a missing role: an \
             administrator of the perimeter finds it in the audit log by the identifier in the \
             message, and adds an ingress or an egress rule"
                .to_owned(),
        ),
        _ => Some(
            match (
                metadata["permission"].as_str(),
                metadata["resource"].as_str(),
            ) {
                (Some(permission), Some(resource)) => format!(
                    "an administrator of {resource} must grant the runner's account a role with \
                 {permission}"
                ),
                (Some(permission), None) => format!(
                    "an administrator must grant the runner's account a role with {permission}"
                ),
                _ => "an administrator must grant the runner's account a role with the missing \
                  permission; `sidestep plan --iam` prints what the pipeline needs"
                    .to_owned(),
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disabled_api_is_told_from_a_missing_permission() {
        let body = |reason: &str| {
            format!(
                r#"{{"error":{{"code":403,"message":"no","status":"PERMISSION_DENIED","details":[
                {{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"{reason}",
                "domain":"googleapis.com",
                "metadata":{{"service":"iam.googleapis.com","consumer":"projects/1"}}}}]}}}}"#
            )
        };
        let disabled = of_api_error("x", 403, body("SERVICE_DISABLED").as_bytes());
        assert_eq!(disabled.code, "google.api-disabled");
        assert_eq!(
            disabled.help,
            ["gcloud services enable iam.googleapis.com --project 1"]
        );
        let denied = of_api_error("x", 403, body("IAM_PERMISSION_DENIED").as_bytes());
        assert_eq!(
            (denied.class, denied.code.exact()),
            (Class::Denied, "google.permission-denied")
        );
        assert_eq!(denied.message, "cannot x: no");
        assert_eq!(
            denied.help,
            [
                "an administrator must grant the runner's account a role with the missing permission; \
              `sidestep plan --iam` prints what the pipeline needs"
            ]
        );
        let hostile = body("SERVICE_DISABLED").replace("iam.", "$(reboot)");
        let hostile = of_api_error("x", 403, hostile.as_bytes());
        assert_eq!(hostile.help, [""; 0]);
        let details = serde_json::Value::Object(denied.details);
        assert_eq!(
            details,
            json!({
                "httpStatus": 403,
                "status": "PERMISSION_DENIED",
                "reason": "IAM_PERMISSION_DENIED",
                "domain": "googleapis.com",
                "metadata": {"service": "iam.googleapis.com", "consumer": "projects/1"},
            })
        );
    }

    /// The details of AIP-193 come in any order, and only an `ErrorInfo` has a reason.
    #[test]
    fn the_reason_is_found_among_all_details() {
        let detail = |kind: &str, more: Value| {
            let mut detail = json!({"@type": format!("type.googleapis.com/google.rpc.{kind}")});
            let more = more.as_object().expect("an object").clone();
            detail.as_object_mut().expect("an object").extend(more);
            detail
        };
        let violations = |key: &str, more: Value| json!({key: [more]});
        let body = json!({"error": {
            "code": 403,
            "message": "Request is prohibited by organization's policy.",
            "status": "PERMISSION_DENIED",
            "details": [
                detail("RetryInfo", json!({"retryDelay": "30s"})),
                detail("PreconditionFailure", violations("violations", json!({
                    "type": "VPC_SERVICE_CONTROLS", "description": "x"}))),
                detail("QuotaFailure", violations("violations", json!({
                    "subject": "projects/1", "description": "x"}))),
                detail("BadRequest", violations("fieldViolations", json!({
                    "field": "name", "description": "x", "reason": "BAD"}))),
                detail("ErrorInfo", json!({
                    "reason": "SECURITY_POLICY_VIOLATED",
                    "domain": "googleapis.com",
                    "metadata": {"uid": "1"}})),
            ],
        }});
        let failure = of_api_error("x", 403, body.to_string().as_bytes());
        assert_eq!(failure.code, "google.permission-denied");
        let expected = json!({
            "httpStatus": 403,
            "status": "PERMISSION_DENIED",
            "reason": "SECURITY_POLICY_VIOLATED",
            "domain": "googleapis.com",
            "metadata": {"uid": "1"},
        });
        assert_eq!(Value::Object(failure.details), expected);
    }

    #[test]
    fn a_refusal_names_who_must_change_what() {
        let help = |info: Value| failure("x", 403, "no", &info).help;
        let named =
            json!({"permission": "storage.objects.get", "resource": "projects/_/buckets/b"});
        assert_eq!(
            help(json!({"reason": "IAM_PERMISSION_DENIED", "metadata": named})),
            [
                "an administrator of projects/_/buckets/b must grant the runner's account a role with \
              storage.objects.get"
            ]
        );
        let perimeter = help(json!({"reason": "SECURITY_POLICY_VIOLATED"}));
        assert!(format!("{perimeter:?}").contains("VPC Service Controls"));
        assert_eq!(help(json!({"reason": "RATE_LIMIT_EXCEEDED"})), [""; 0]);
    }

    #[test]
    fn an_error_of_oauth_is_named_by_its_code() {
        let body = br#"{"error":"invalid_target","error_description":"no such pool"}"#;
        let failure = of_api_error("exchange", 400, body);
        assert_eq!(failure.message, "cannot exchange: no such pool");
        assert_eq!(failure.details["reason"], "invalid_target");
    }

    #[test]
    fn an_answer_that_is_no_json_is_named_by_its_status() {
        let failure = of_api_error("read the bucket", 503, b"<html>upstream</html>");
        assert_eq!(failure.message, "cannot read the bucket: HTTP 503");
        assert_eq!(failure.class, Class::Unavailable);
    }

    #[tokio::test]
    async fn a_lost_connection_does_not_tell_the_session_of_an_upload() {
        let url = "http://127.0.0.1:1/upload/storage/v1/b/x/o?upload_id=hunter22";
        let request = reqwest::Client::builder().no_proxy().build();
        let lost = request.expect("a client").get(url).send().await;
        let error = Error::io(lost.expect_err("nobody listens there"));
        let failure = of_client_error("write gs://x/y", &Error::exhausted(error));
        assert_eq!(failure.code, "google.unreachable");
        assert!(failure.message.contains("127.0.0.1"), "{failure}");
        assert!(!failure.message.contains("hunter22"), "{failure}");
    }

    #[test]
    fn what_refuses_a_token_is_said_first() {
        let quoted = |body: &str| {
            format!("Request to fetch the token failed. cannot exchange, body=<{body}> and so on")
        };
        let of = |body: &str| no_token_since(Class::Denied, quoted(body));
        let condition = of(
            r#"{"error":"unauthorized_client","error_description":"The given credential is rejected by the attribute condition."}"#,
        );
        assert_eq!(
            condition.message.exact(),
            "Google refuses the credentials of this process: The given credential is rejected by the \
             attribute condition. (unauthorized_client)"
        );
        assert_eq!(
            condition.help.len(),
            1,
            "nobody signs in for it: {condition:?}"
        );
        let expired = of(
            r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#,
        );
        assert!(
            expired.message.exact().contains("expired or revoked"),
            "{expired:?}"
        );
        assert_eq!(expired.help.len(), 2, "signing in again helps: {expired:?}");
        let other = of("<html>");
        assert!(other.message.exact().contains("body=<<html>>"), "{other:?}");
    }

    #[test]
    fn what_the_last_try_came_to_is_told_when_there_is_no_time_for_another() {
        let body = br#"{"error":{"message":"too many"}}"#;
        let error = Error::http(429, HeaderMap::new(), body.as_slice().into());
        let failure = of_client_error("read x", &Error::exhausted(error));
        assert_eq!(failure.code, "google.rate-limited");
        assert_eq!(failure.message, "cannot read x: too many");
    }
}
