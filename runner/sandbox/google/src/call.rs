//! One call of an API, read from HTTP: path, verb, query, body, caller.

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{Method, header};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use sidestep_sandbox_base::{Authorization, Query};
use sidestep_sandbox_identity::Caller;

use crate::api::Api;
use crate::error::ApiError;

/// An API call, parsed, with its caller.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) api: Api,
    pub(crate) method: Method,
    /// The path's decoded segments; the last one without its verb.
    pub(crate) path: Vec<String>,
    /// The part after the last segment's colon, such as `getIamPolicy`.
    pub(crate) verb: Option<String>,
    pub(crate) query: Query,
    pub(crate) body: Value,
    pub(crate) caller: Caller,
}

impl Call {
    /// Reads a request's head and body. The caller is already authenticated.
    pub(crate) fn read(
        api: Api,
        parts: &Parts,
        body: &Bytes,
        caller: Caller,
    ) -> Result<Self, ApiError> {
        let raw = parts.uri.path().trim_matches('/');
        let (raw, verb) = match raw.rsplit_once(':') {
            Some((path, verb)) if !verb.contains('/') && is_verb(verb) => {
                (path, Some(verb.to_owned()))
            }
            _ => (raw, None),
        };
        let path = raw
            .split('/')
            .map(|s| {
                percent_decode_str(s)
                    .decode_utf8()
                    .map(std::borrow::Cow::into_owned)
            })
            .collect::<Result<_, _>>()
            .map_err(|_| ApiError::invalid("The path is not UTF-8."))?;
        let body = read_body(parts, body)?;
        Ok(Self {
            api,
            method: parts.method.clone(),
            path,
            verb,
            query: Query::parse(parts.uri.query()),
            body,
            caller,
        })
    }

    /// Returns the method, the path's segments and the verb (empty if there is none), for matching.
    pub(crate) fn route(&self) -> (&str, Vec<&str>, &str) {
        let path = self.path.iter().map(String::as_str).collect();
        (
            self.method.as_str(),
            path,
            self.verb.as_deref().unwrap_or_default(),
        )
    }

    /// Returns a string in the body, by JSON pointer.
    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        self.body.pointer(pointer).and_then(Value::as_str)
    }

    /// Returns a parameter of a token request, in OAuth's spelling or that of the JSON API; empty if
    /// it is absent.
    pub(crate) fn oauth(&self, snake: &str, camel: &str) -> &str {
        let value = self.body.get(snake).or_else(|| self.body.get(camel));
        value.and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn unserved(&self) -> ApiError {
        let verb = self
            .verb
            .as_ref()
            .map(|v| format!(":{v}"))
            .unwrap_or_default();
        let path = format!("/{}{verb}", self.path.join("/"));
        ApiError::unserved(self.api, self.method.as_str(), &path)
    }
}

/// Returns whether a text looks like a verb. Verbs are camel-case words; an encoded member or an
/// address never ends in one.
fn is_verb(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_alphabetic())
}

/// Reads a JSON body, or a form if the content type says so. An empty body is null.
fn read_body(parts: &Parts, body: &Bytes) -> Result<Value, ApiError> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    let kind = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok());
    if kind.is_some_and(|k| k.starts_with("application/x-www-form-urlencoded")) {
        let form = url::form_urlencoded::parse(body);
        return Ok(form
            .map(|(k, v)| (k.into_owned(), Value::from(v.into_owned())))
            .collect());
    }
    serde_json::from_slice(body)
        .map_err(|error| ApiError::invalid(format!("Invalid JSON payload received. {error}")))
}

/// Returns the bearer token of a request, from its header or its query.
pub(crate) fn bearer(parts: &Parts) -> Option<String> {
    let sent = Authorization::of(&parts.headers).bearer();
    let query = Query::parse(parts.uri.query());
    sent.or_else(|| query.get("access_token"))
        .map(str::to_owned)
}
