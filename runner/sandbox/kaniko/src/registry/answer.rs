//! Responses of registries, and their errors in the words of the library that kaniko uses.

use crate::cause;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header};
use serde_json::Value;
use std::fmt;

/// The maximum size of a manifest or configuration (the OCI distribution specification asks
/// registries to accept 4 MiB).
const MOST: usize = 4 * 1024 * 1024;

/// A registry's error, in the words of the library that kaniko uses.
#[derive(Debug)]
pub(crate) struct RegistryError {
    pub(crate) status: Option<StatusCode>,
    message: String,
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl RegistryError {
    /// Creates an error that did not come from a registry.
    pub(super) fn plain(message: String) -> Self {
        Self {
            status: None,
            message,
        }
    }
}

pub(super) type Result<T> = std::result::Result<T, RegistryError>;

pub(super) fn json(body: &[u8], shown: &str) -> Result<Value> {
    serde_json::from_slice(body)
        .map_err(|error| RegistryError::plain(format!("GET {shown}: {error}")))
}

pub(super) async fn bounded(mut got: Response, shown: &str) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = got
        .chunk()
        .await
        .map_err(|e| transport(&Method::GET, shown, e))?
    {
        body.extend_from_slice(&chunk);
        if body.len() > MOST {
            let message = format!("GET {shown}: the answer is larger than 4 MiB");
            return Err(RegistryError::plain(message));
        }
    }
    Ok(body)
}

pub(super) fn location(answer: &Response, shown: &str) -> Result<Url> {
    let location = answer
        .headers()
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok());
    location
        .and_then(|location| answer.url().join(location).ok())
        .ok_or_else(|| RegistryError::plain(format!("POST {shown}: the answer has no Location")))
}

pub(super) fn transport(method: &Method, shown: &str, error: reqwest::Error) -> RegistryError {
    let method = match *method {
        Method::GET => "Get",
        Method::POST => "Post",
        Method::PUT => "Put",
        Method::PATCH => "Patch",
        Method::DELETE => "Delete",
        _ => "Head",
    };
    RegistryError::plain(format!("{method} \"{shown}\": {}", cause::message(error)))
}

pub(super) async fn answer(
    request: RequestBuilder,
    method: &Method,
    shown: &str,
) -> Result<Response> {
    let got = request
        .send()
        .await
        .map_err(|error| transport(method, shown, error))?;
    let status = got.status();
    if status.is_success() {
        return Ok(got);
    }
    let body = bounded(got, shown).await?;
    let parsed: Value = serde_json::from_slice(&body).unwrap_or_default();
    let errors: Vec<String> = parsed["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(one)
        .collect();
    let what = match errors.as_slice() {
        [] => format!(
            "unexpected status code {status}: {}",
            String::from_utf8_lossy(&body)
        ),
        [one] => one.clone(),
        more => format!("multiple errors returned: {}", more.join("; ")),
    };
    Err(RegistryError {
        status: Some(status),
        message: format!("{method} {shown}: {what}"),
    })
}

fn one(error: &Value) -> String {
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    format!("{}: {}", text("code"), text("message"))
}
