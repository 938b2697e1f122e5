//! Failures from registries' error answers (OCI distribution specification, "Error codes").

use serde_json::Value;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_transport::{NotPublic, causes};

/// Returns the failure of an answer. `what` completes "cannot …".
pub(super) fn of_answer(what: &str, http_status: u16, body: &[u8]) -> Failure {
    let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let error = &json["errors"][0];
    let reason = error["code"].as_str();
    let said = error["message"]
        .as_str()
        .or_else(|| json["details"].as_str())
        .map_or_else(|| format!("HTTP {http_status}"), str::to_owned);
    let (class, code, owner) = match http_status {
        401 => (
            Class::Denied,
            codes::registry::UNAUTHENTICATED,
            Owner::Operator,
        ),
        403 if said.contains("has not been used in project") => {
            (Class::Denied, codes::google::API_DISABLED, Owner::Cloud)
        }
        403 => (Class::Denied, codes::registry::DENIED, Owner::Cloud),
        404 => (Class::NotFound, codes::registry::NOT_FOUND, Owner::Cloud),
        409 => (Class::Conflict, codes::registry::CONFLICT, Owner::Cloud),
        429 => (
            Class::Unavailable,
            codes::registry::RATE_LIMITED,
            Owner::Cloud,
        ),
        408 | 500..=599 => (
            Class::Unavailable,
            codes::registry::UNAVAILABLE,
            Owner::Cloud,
        ),
        400 => (Class::InvalidInput, codes::registry::INVALID, Owner::Author),
        _ => (Class::Failed, codes::registry::FAILED, Owner::Cloud),
    };
    let failure = Failure::new(class, code, owner, format!("cannot {what}: {said}"))
        .with_detail("httpStatus", http_status);
    match reason {
        Some(reason) => failure.with_detail("reason", reason),
        None => failure,
    }
}

/// Returns the failure of a request that is not sent, because a registry's answer named a host that
/// is not on the public internet.
pub(super) fn not_sent(what: &str, why: &NotPublic) -> Failure {
    Failure::new(
        Class::Refused,
        codes::http::ADDRESS,
        Owner::Author,
        format!("cannot {what}: the registry names another server, and {why}"),
    )
    .with_help("only a registry that itself has a private address may name other private addresses")
}

/// Returns the failure of a request without an answer.
pub(super) fn unreachable(what: &str, host: &str, error: &reqwest::Error) -> Failure {
    let why = causes::last(error);
    Failure::new(
        Class::Unavailable,
        codes::registry::UNREACHABLE,
        Owner::Cloud,
        format!("cannot {what}: {host} can't be reached{why}"),
    )
    .with_help("try again; behind a proxy, check that HTTPS_PROXY is set for this process")
}
