//! Deletion requests: for one object, or for all that a selector matches.

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::delete::{self, Deleted, Options};
use super::read;
use super::request::Request;
use crate::key::Key;
use crate::shared::Shared;
use crate::status::{ApiError, Cause};

/// The policies for the dependents of a deleted object.
const POLICIES: [&str; 3] = ["Foreground", "Background", "Orphan"];

/// Returns the options of a deletion, from the body and the query.
pub(super) fn options(request: &Request, body: Option<Value>) -> Result<Options, ApiError> {
    let mut options: Options = match body {
        None | Some(Value::Null) => Options::default(),
        Some(mut body) => {
            if let Some(map) = body.as_object_mut() {
                map.retain(|_, value| !value.is_null());
            }
            serde_json::from_value(body)
                .map_err(|error| ApiError::bad_request(format!("DeleteOptions: {error}")))?
        }
    };
    if let Some(grace) = request.query.number("gracePeriodSeconds")? {
        options.grace_period_seconds = Some(grace);
    }
    if let Some(policy) = request.query.get("propagationPolicy") {
        options.propagation_policy = Some(policy.to_owned());
    }
    if let Some(policy) = &options.propagation_policy
        && !POLICIES.contains(&&**policy)
    {
        let known = [POLICIES.as_slice(), &["nil"]].concat();
        let cause = Cause::unsupported("propagationPolicy", &policy.as_str().into(), &known);
        return Err(ApiError::invalid_options("DeleteOptions", &cause));
    }
    Ok(options)
}

/// Deletes one object.
pub(super) fn remove(
    shared: &Shared,
    request: &Request,
    name: &str,
    options: &Options,
) -> Result<Deleted, ApiError> {
    let really = request.really()? && !options.dry_run.iter().any(|d| d == "All");
    let key = Key::new(request.kind.plural, &request.namespace, name);
    shared
        .store
        .write_if(really, |tx| delete::delete(tx, request.kind, &key, options))
}

/// Deletes every object that the request selects.
pub(super) fn remove_all(
    shared: &Shared,
    request: &Request,
    options: &Options,
) -> Result<Response, ApiError> {
    let selector = request.selector()?;
    let (rv, items) = shared.store.list(request.kind.plural, &request.namespace);
    let mut gone = Vec::new();
    for object in items.iter().filter(|o| selector.matches(o)) {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let mut here = request.clone();
        object["metadata"]["namespace"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut here.namespace);
        match remove(shared, &here, name, options) {
            Ok(Deleted::Gone(last) | Deleted::Going(last)) => gone.push(read::bare(&last)),
            Err(error) if error.reason() == "NotFound" => {}
            Err(error) => return Err(error),
        }
    }
    Ok(axum::Json(json!({
        "kind": format!("{}List", request.kind.kind),
        "apiVersion": request.kind.api_version(),
        "metadata": { "resourceVersion": rv.to_string() },
        "items": gone,
    }))
    .into_response())
}
