//! Buckets in the JSON API.

mod policy;

use crate::{
    App,
    bucket::{Bucket, Seed},
    call::{Call, resource},
    conditions::Conditions,
    error::ApiError,
    store::now,
};
use axum::{
    body::Body,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use serde_json::json;
use sidestep_sandbox_identity::Resource;
use std::sync::Arc;

pub(crate) use policy::{get_policy, set_policy, test_permissions};

type Shared = State<Arc<App>>;

pub(crate) async fn list(State(app): Shared, call: Call) -> Result<Response, ApiError> {
    let project = project(&call)?;
    app.require_project(&call.caller, "storage.buckets.list", project)?;
    let prefix = call.query.get("prefix").unwrap_or_default();
    let items: Vec<_> = app
        .store
        .buckets(project)
        .into_iter()
        .filter(|bucket| bucket.name.starts_with(prefix))
        .map(|bucket| bucket.json(&call.base))
        .collect();
    let mut answer = json!({ "kind": "storage#buckets" });
    if !items.is_empty() {
        answer["items"] = items.into();
    }
    Ok(call.answer(answer))
}

fn project(call: &Call) -> Result<&str, ApiError> {
    call.query
        .get("project")
        .ok_or_else(|| ApiError::required("Required parameter: project"))
}

pub(crate) async fn insert(
    State(app): Shared,
    call: Call,
    body: Body,
) -> Result<Response, ApiError> {
    let project = project(&call)?;
    app.require_project(&call.caller, "storage.buckets.create", project)?;
    let resource = resource(body).await?;
    let name = resource["name"]
        .as_str()
        .ok_or_else(|| ApiError::required("Required: name"))?;
    let seed = Seed {
        name: name.to_owned(),
        project: project.to_owned(),
        location: resource["location"].as_str().unwrap_or("US").to_owned(),
        uniform_access: false,
    };
    let mut bucket = Bucket::new(&seed, now())?;
    bucket.patch(&resource)?;
    let bucket = app.store.add_bucket(bucket)?;
    app.access.bucket_created(&bucket.name, project);
    let own = Resource::Bucket(bucket.name.clone());
    app.access
        .set_policy(&own, policy::first(&bucket))
        .map_err(|_| ApiError::precondition("If-Match"))?;
    Ok(call.answer(bucket.json(&call.base)))
}

pub(crate) async fn get(
    State(app): Shared,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, ApiError> {
    let bucket = app.bucket_with(&call.caller, "storage.buckets.get", &name)?;
    let conditions = Conditions::read(&call.query)?.metageneration_only();
    let numbers = Some((0, bucket.metageneration));
    conditions.check_numbers(numbers, crate::conditions::Purpose::Read)?;
    Ok(call.answer(bucket.json(&call.base)))
}

pub(crate) async fn patch(
    State(app): Shared,
    Path(name): Path<String>,
    call: Call,
    body: Body,
) -> Result<Response, ApiError> {
    app.bucket_with(&call.caller, "storage.buckets.update", &name)?;
    let conditions = Conditions::read(&call.query)?;
    let patch = resource(body).await?;
    let bucket = app.store.patch_bucket(&name, &patch, conditions)?;
    Ok(call.answer(bucket.json(&call.base)))
}

pub(crate) async fn delete(
    State(app): Shared,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, ApiError> {
    app.bucket_with(&call.caller, "storage.buckets.delete", &name)?;
    app.store.delete_bucket(&name)?;
    app.access.bucket_deleted(&name);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Handles `buckets.getStorageLayout`, which gcloud calls before it copies.
pub(crate) async fn layout(
    State(app): Shared,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, ApiError> {
    let bucket = app.bucket_with(&call.caller, "storage.objects.list", &name)?;
    Ok(call.answer(json!({
        "kind": "storage#storageLayout",
        "bucket": bucket.name,
        "location": bucket.location,
        "locationType": bucket.location_type(),
        "hierarchicalNamespace": { "enabled": false },
    })))
}

/// Handles `managedFolders.list`, which gcloud calls before it removes a bucket. There are no
/// managed folders here.
pub(crate) async fn managed_folders(
    State(app): Shared,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, ApiError> {
    app.bucket_with(&call.caller, "storage.managedFolders.list", &name)?;
    Ok(call.answer(json!({ "kind": "storage#managedFolders" })))
}
