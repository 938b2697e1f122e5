//! Errors between the plugin and the host.

use std::time::Duration;

use serde_json::{Map, Value};
use sidestep_contract::codes;

use super::{Class, Error, Owner, Result};
use crate::bindings::sidestep::host::types::Failure;

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let details = match serde_json::from_str(&failure.details) {
            Ok(Value::Object(details)) => details,
            _ => Map::new(),
        };
        Self {
            class: Class::from_name(&failure.class),
            code: failure.code,
            // A host may know more owners.
            owner: Owner::from_name(&failure.owner).unwrap_or(Owner::Sidestep),
            message: failure.message,
            help: failure.help.into_iter().map(Into::into).collect(),
            retry_after: failure.retry_after.map(Duration::from_millis),
            details: Box::new(details),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            class: error.class.as_str().to_owned(),
            code: error.code,
            owner: error.owner.as_str().to_owned(),
            message: error.message,
            help: error.help.into_iter().map(Into::into).collect(),
            retry_after: error
                .retry_after
                .map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
            details: Value::Object(*error.details).to_string(),
        }
    }
}

/// Converts the answers of a list call, each with its own error.
pub(crate) fn each<T>(answers: Vec<Result<T, Failure>>) -> Vec<Result<T>> {
    answers
        .into_iter()
        .map(|answer| answer.map_err(Error::from))
        .collect()
}

/// Returns the answer of a list call with one query.
pub(crate) fn only<T>(answers: Vec<Result<T, Failure>>) -> Result<T> {
    let mut answers = answers.into_iter();
    match (answers.next(), answers.next()) {
        (Some(answer), None) => answer.map_err(Error::from),
        _ => Err(Error::new(
            Class::Failed,
            codes::sidestep::BUG,
            Owner::Sidestep,
            "the host did not return exactly one answer to one query",
        )),
    }
}
