//! `objects.get`, `patch` and `delete`.

use crate::{
    App,
    call::{Call, resource},
    conditions::{Conditions, Purpose},
    download,
    error::ApiError,
};
use axum::{
    body::Body,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use std::sync::Arc;

type Shared = State<Arc<App>>;
type Name = Path<(String, String)>;

pub(crate) async fn get(
    State(app): Shared,
    Path((bucket, name)): Name,
    call: Call,
) -> Result<Response, ApiError> {
    if call.query.get("alt") == Some("media") {
        return media(State(app), Path((bucket, name)), call).await;
    }
    let facts = app.object_with(&call.caller, "storage.objects.get", &bucket, &name)?;
    let generation = call.query.number("generation")?;
    let object = app.store.find(&bucket, &name, generation)?;
    Conditions::read(&call.query)?.check(object.as_ref(), Purpose::Read)?;
    let object = object.ok_or_else(|| app.missing(&call.caller, &facts, &name))?;
    Ok(call.answer(object.json(&call.base, &bucket)))
}

/// Handles `alt=media`, and all of `/download/…`.
pub(crate) async fn media(
    State(app): Shared,
    Path((bucket, name)): Name,
    call: Call,
) -> Result<Response, ApiError> {
    let facts = app.object_with(&call.caller, "storage.objects.get", &bucket, &name)?;
    let generation = call.query.number("generation")?;
    let opened = app.store.open_object(&bucket, &name, generation)?;
    let there = opened.as_ref().map(|(object, _)| object);
    Conditions::read(&call.query)?.check(there, Purpose::Read)?;
    let (object, file) = opened.ok_or_else(|| app.missing(&call.caller, &facts, &name))?;
    download::serve(&object, file, &call.headers, &object.etag()).await
}

pub(crate) async fn patch(
    State(app): Shared,
    Path((bucket, name)): Name,
    call: Call,
    body: Body,
) -> Result<Response, ApiError> {
    app.object_with(&call.caller, "storage.objects.update", &bucket, &name)?;
    let generation = call.query.number("generation")?;
    let conditions = Conditions::read(&call.query)?;
    let patch = resource(body).await?;
    let object = app
        .store
        .patch_object(&bucket, &name, generation, conditions, &patch)?;
    Ok(call.answer(object.json(&call.base, &bucket)))
}

pub(crate) async fn delete(
    State(app): Shared,
    Path((bucket, name)): Name,
    call: Call,
) -> Result<Response, ApiError> {
    app.object_with(&call.caller, "storage.objects.delete", &bucket, &name)?;
    let generation = call.query.number("generation")?;
    let conditions = Conditions::read(&call.query)?;
    app.store
        .delete_object(&bucket, &name, generation, conditions)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
