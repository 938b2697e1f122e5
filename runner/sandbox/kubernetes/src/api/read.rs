//! Getting and listing.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::request::{Form, Request, metadata_of};
use crate::key::Key;
use crate::status::{ApiError, Cause};
use crate::store::Store;
use crate::table::table;

/// The position in a list, as encoded in the opaque `continue` token.
#[derive(Serialize, Deserialize)]
struct Continue {
    rv: u64,
    /// The last returned namespace and name.
    after: (String, String),
}

pub(crate) fn get(store: &Store, request: &Request, form: Form) -> Result<Value, ApiError> {
    request.query.version()?;
    let key = Key::new(request.kind.plural, &request.namespace, &request.name);
    let object = store
        .get(&key)
        .ok_or_else(|| ApiError::not_found(request.kind, &request.name))?;
    Ok(shaped(request.kind.plural, &object, form))
}

/// Returns an object in the form that the client requested.
pub(crate) fn shaped(plural: &str, object: &Value, form: Form) -> Value {
    match form {
        Form::Plain => object.clone(),
        Form::Metadata => metadata_of(object),
        Form::Table(include) => {
            let meta = json!({ "resourceVersion": object["metadata"]["resourceVersion"] });
            table(plural, [object], &meta, include, true)
        }
    }
}

pub(crate) fn list(store: &Store, request: &Request, form: Form) -> Result<Value, ApiError> {
    let selector = request.selector()?;
    let plural = request.kind.plural;
    let (now, items) = store.list(plural, &request.namespace);
    let version = request
        .query
        .version()
        .map_err(|error| ApiError::bad_request(format!("invalid resource version: {error}")))?;
    if version.is_none()
        && request
            .query
            .get("resourceVersionMatch")
            .is_some_and(|kind| !kind.is_empty())
    {
        let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
        let cause = Cause::forbidden("resourceVersionMatch", why);
        return Err(ApiError::invalid_options("ListOptions", &cause));
    }
    if let Some(wanted) = version
        && wanted > now
    {
        return Err(ApiError::new(
            http::StatusCode::GATEWAY_TIMEOUT,
            "Timeout",
            format!("Too large resource version: {wanted}, current: {now}"),
        ));
    }
    let mut items: Vec<Arc<Value>> = items.into_iter().filter(|o| selector.matches(o)).collect();
    let mut rv = now;
    if let Some(token) = request.query.get("continue").filter(|t| !t.is_empty()) {
        let at: Continue = URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| ApiError::bad_request("continue key is not valid"))?;
        if !store.remembers(at.rv) {
            return Err(ApiError::expired(
                "The provided continue parameter is too old to display a consistent list result. \
                 You can start a new list without the continue parameter.",
            ));
        }
        rv = at.rv;
        items.retain(|o| place(o) > (at.after.0.as_str(), at.after.1.as_str()));
    }
    let mut meta = json!({ "resourceVersion": rv.to_string() });
    let limit = request.query.number::<usize>("limit")?.unwrap_or(0);
    if limit > 0 && items.len() > limit {
        let left = items.len() - limit;
        items.truncate(limit);
        if let Some(last) = items.last() {
            let (namespace, name) = place(last);
            let at = Continue {
                rv,
                after: (namespace.to_owned(), name.to_owned()),
            };
            let text = serde_json::to_vec(&at).map_err(ApiError::internal)?;
            meta["continue"] = URL_SAFE_NO_PAD.encode(text).into();
            // The server does not count what a selector leaves out.
            if selector.is_empty() {
                meta["remainingItemCount"] = left.into();
            }
        }
    }
    Ok(match form {
        Form::Table(include) => table(plural, items.iter().map(|o| &**o), &meta, include, true),
        Form::Metadata => json!({
            "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
            "items": items.iter().map(|o| metadata_of(o)).collect::<Vec<_>>(),
        }),
        Form::Plain => json!({
            "kind": format!("{}List", request.kind.kind),
            "apiVersion": request.kind.api_version(),
            "metadata": meta,
            "items": items.iter().map(|o| bare(o)).collect::<Vec<_>>(),
        }),
    })
}

fn place(object: &Value) -> (&str, &str) {
    let meta = &object["metadata"];
    (
        meta["namespace"].as_str().unwrap_or_default(),
        meta["name"].as_str().unwrap_or_default(),
    )
}

/// Removes the kind, which items of a list do not repeat.
pub(super) fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.shift_remove("kind");
        map.shift_remove("apiVersion");
    }
    object
}
