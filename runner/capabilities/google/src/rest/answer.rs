//! The answers of Google's APIs, read up to a limit.

use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;
use sidestep_events::{Class, Failure, Owner, codes};

use super::failed::Failed;
use super::request::unreachable_service;
use crate::failure::retry_after_ms;
use crate::{Service, of_api_error};

/// The maximum size of an answer, in bytes.
const LARGEST: usize = 8 * 1024 * 1024;
/// The help for an answer that no API of Google sends.
const ANOTHER_SERVER: &str =
    "another server may have answered in place of the API, such as a proxy's sign-in page";

/// Reads the JSON of an answer; null if it is empty.
pub(super) async fn read(
    what: &str,
    service: Service,
    mut answer: reqwest::Response,
) -> Result<Value, Failed> {
    let status = answer.status();
    let retry_after = retry_after_ms(answer.headers());
    let mut body = Vec::new();
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|error| Failed::lost(unreachable_service(what, &error)))?
    {
        if body.len() + chunk.len() > LARGEST {
            return Err(Failed::unusable(Failure::new(
                Class::Exhausted,
                codes::http::TOO_LARGE,
                Owner::Cloud,
                format!("cannot {what}: the answer is larger than {LARGEST} bytes"),
            )));
        }
        body.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        let mut failure = of_api_error(what, status.as_u16(), &body);
        failure.retry_after_ms = retry_after;
        return Err(Failed::answered(service, status, failure));
    }
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&body).map_err(|error| {
        let failure = Failure::new(
            Class::Failed,
            codes::http::NOT_JSON,
            Owner::Cloud,
            format!("cannot {what}: the answer is not JSON: {error}"),
        );
        Failed::unusable(failure.with_help(ANOTHER_SERVER))
    })
}

/// Parses an answer into the type that the API documents.
///
/// # Errors
/// `http.unexpected` for an answer of another form.
pub fn documented<T: DeserializeOwned>(what: &str, json: Value) -> Result<T, Failure> {
    if !json.is_object() {
        return Err(unexpected(
            what,
            &serde_json::Error::custom("expected a JSON object"),
        ));
    }
    T::deserialize(json).map_err(|error| unexpected(what, &error))
}

/// Returns the failure of a list with too many pages.
pub(super) fn too_many(what: &str, found: usize) -> Failure {
    Failure::new(
        Class::Exhausted,
        codes::google::TOO_MANY,
        Owner::Cloud,
        format!("cannot {what}: the list has more than {found} entries"),
    )
}

pub(super) fn unexpected(what: &str, error: &serde_json::Error) -> Failure {
    Failure::new(
        Class::Failed,
        codes::http::UNEXPECTED,
        Owner::Cloud,
        format!("cannot {what}: the answer is not what the API documents: {error}"),
    )
    .with_help(ANOTHER_SERVER)
}
