//! Requests that change objects.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::body::{self, Strictness};
use super::create::{Creation, create};
use super::request::{Form, Request};
use super::update::{Patch, Update, Written};
use super::{delete, read, removal, review};
use crate::auth::User;
use crate::shared::Shared;
use crate::status::{ApiError, Cause};

/// The content type of a server-side apply.
const APPLY: &str = "application/apply-patch+yaml";
/// The content types of patches.
const PATCHES: [&str; 4] = [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    APPLY,
];

pub(super) fn write(
    shared: &Shared,
    user: &User,
    request: &Request,
    headers: &HeaderMap,
    bytes: &[u8],
) -> Result<Response, ApiError> {
    let kind = request.kind;
    match (request.verb, request.subresource.as_str()) {
        ("create", "") if !kind.stored() => {
            let object = body::read(headers, bytes)?;
            let answer = review::review(&shared.gate, user, kind, object)?;
            Ok((StatusCode::CREATED, axum::Json(answer)).into_response())
        }
        ("create", "token") => {
            let answer = review::token_request(
                &shared.gate,
                &shared.store,
                kind,
                &request.namespace,
                &request.name,
                body::read(headers, bytes)?,
            )?;
            Ok((StatusCode::CREATED, axum::Json(answer)).into_response())
        }
        ("create", "eviction") => {
            let eviction = body::read(headers, bytes)?;
            let options = removal::options(request, Some(eviction["deleteOptions"].clone()))?;
            removal::remove(shared, request, &request.name, &options)?;
            let answer = json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                "code": 201,
            });
            Ok((StatusCode::CREATED, axum::Json(answer)).into_response())
        }
        ("create", "") if request.name.is_empty() => create_object(shared, request, headers, bytes),
        ("update" | "patch", "" | "status") => change(shared, request, headers, bytes),
        ("delete", "") => {
            let options = removal::options(request, body::read_some(headers, bytes)?)?;
            let deleted = removal::remove(shared, request, &request.name, &options)?;
            Ok(axum::Json(delete::answer(kind, &deleted)).into_response())
        }
        ("deletecollection", "") => {
            let options = removal::options(request, body::read_some(headers, bytes)?)?;
            removal::remove_all(shared, request, &options)
        }
        _ => Err(ApiError::method_not_allowed()),
    }
}

fn create_object(
    shared: &Shared,
    request: &Request,
    headers: &HeaderMap,
    bytes: &[u8],
) -> Result<Response, ApiError> {
    let kind = request.kind;
    if kind.namespaced && request.namespace.is_empty() {
        return Err(ApiError::method_not_allowed());
    }
    let form = Form::accepted(headers, &request.query)?;
    let strictness = Strictness::parse(request.query.get("fieldValidation"))?;
    let mut object = body::read(headers, bytes)?;
    let warnings = body::check(kind, &mut object, strictness)?;
    if object["metadata"]["resourceVersion"]
        .as_str()
        .is_some_and(|v| !v.is_empty())
    {
        // The server's storage refuses it, so the code is not that of a bad request.
        return Err(ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "",
            "resourceVersion should not be set on objects to be created",
        ));
    }
    let manager = request.manager(headers);
    let ca = shared.authority.pem();
    let creation = Creation {
        kind,
        namespace: &request.namespace,
        manager: Some(&manager),
        ca,
    };
    let object = shared
        .store
        .write_if(request.really()?, |tx| create(tx, &creation, object))?;
    Ok(written(
        request,
        form,
        &Written {
            object,
            created: true,
            warnings,
        },
    ))
}

fn change(
    shared: &Shared,
    request: &Request,
    headers: &HeaderMap,
    bytes: &[u8],
) -> Result<Response, ApiError> {
    let form = Form::accepted(headers, &request.query)?;
    let manager = request.manager(headers);
    let update = Update {
        kind: request.kind,
        namespace: &request.namespace,
        name: &request.name,
        subresource: &request.subresource,
        manager: &manager,
        strictness: Strictness::parse(request.query.get("fieldValidation"))?,
        ca: shared.authority.pem(),
    };
    if request.verb == "patch" && !PATCHES.contains(&&*body::content_type(headers)) {
        return Err(ApiError::unsupported_patch());
    }
    let text = body::read(headers, bytes)?;
    let really = request.really()?;
    let result = if request.verb == "update" {
        shared
            .store
            .write_if(really, |tx| update.replace(tx, text))?
    } else {
        let patch = patch(request, headers, text)?;
        shared
            .store
            .write_if(really, |tx| update.patch(tx, patch))?
    };
    Ok(written(request, form, &result))
}

/// Parses a patch by its media type.
fn patch(request: &Request, headers: &HeaderMap, text: Value) -> Result<Patch, ApiError> {
    let media = body::content_type(headers);
    if media != APPLY && request.query.get("force").is_some() {
        let cause = Cause::forbidden("force", "may not be specified for non-apply patch");
        return Err(ApiError::invalid_options("PatchOptions", &cause));
    }
    match media.as_str() {
        "application/json-patch+json" => Ok(Patch::Json(text)),
        "application/merge-patch+json" => Ok(Patch::Merge(text)),
        "application/strategic-merge-patch+json" => Ok(Patch::Strategic(text)),
        APPLY => {
            if request.query.get("fieldManager").is_none_or(str::is_empty) {
                let cause = Cause::required("fieldManager", "is required for apply patch");
                return Err(ApiError::invalid_options("PatchOptions", &cause));
            }
            Ok(Patch::Apply {
                wish: text,
                force: request.query.flag("force"),
            })
        }
        _ => Err(ApiError::unsupported_patch()),
    }
}

fn written(request: &Request, form: Form, result: &Written) -> Response {
    let code = if result.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let shaped = read::shaped(request.kind.plural, &result.object, form);
    let mut response = (code, axum::Json(shaped)).into_response();
    for warning in &result.warnings {
        response
            .headers_mut()
            .append(header::WARNING, warning.clone());
    }
    response
}
