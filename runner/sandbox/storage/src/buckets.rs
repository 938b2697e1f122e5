//! Buckets and their IAM policies in the JSON API.

use crate::{
    App,
    bucket::{Bucket, Seed},
    call::{Call, resource},
    conditions::Conditions,
    failure::Failure,
    store::now,
};
use axum::{
    body::Body,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use serde_json::{Value, json};
use sidestep_sandbox_identity::Resource;
use std::sync::Arc;

type Shared = State<Arc<App>>;

pub(crate) async fn list(State(app): Shared, call: Call) -> Result<Response, Failure> {
    let project = call
        .params
        .get("project")
        .ok_or_else(|| Failure::required("Required parameter: project"))?;
    app.require_project(&call.caller, "storage.buckets.list", project)?;
    let prefix = call.params.get("prefix").unwrap_or_default();
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

pub(crate) async fn insert(
    State(app): Shared,
    call: Call,
    body: Body,
) -> Result<Response, Failure> {
    let project = call
        .params
        .get("project")
        .ok_or_else(|| Failure::required("Required parameter: project"))?;
    app.require_project(&call.caller, "storage.buckets.create", project)?;
    let resource = resource(body).await?;
    let name = resource["name"]
        .as_str()
        .ok_or_else(|| Failure::required("Required: name"))?;
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
        .set_policy(&own, first_policy(&bucket))
        .map_err(|_| Failure::precondition("If-Match"))?;
    Ok(call.answer(bucket.json(&call.base)))
}

/// The policy that a bucket is made with
/// (<https://cloud.google.com/storage/docs/access-control/iam-roles#basic-roles-modifiable>).
fn first_policy(bucket: &Bucket) -> Value {
    let of = |basic: &str| format!("{basic}:{}", bucket.project);
    let binding = |role: &str, members: &[&str]| {
        let members: Vec<_> = members.iter().map(|basic| of(basic)).collect();
        json!({ "role": format!("roles/storage.{role}"), "members": members })
    };
    let (owners, readers) = (["projectEditor", "projectOwner"], ["projectViewer"]);
    let mut bindings = vec![
        binding("legacyBucketOwner", &owners),
        binding("legacyBucketReader", &readers),
    ];
    if bucket.uniform {
        // What the objects' own lists would say otherwise.
        bindings.push(binding("legacyObjectOwner", &owners));
        bindings.push(binding("legacyObjectReader", &readers));
    }
    json!({ "bindings": bindings })
}

pub(crate) async fn get(
    State(app): Shared,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, Failure> {
    let bucket = app.store.bucket(&name)?;
    app.require(&call.caller, "storage.buckets.get", &bucket, "bucket")?;
    let conditions = Conditions::read(&call.params)?.metageneration_only();
    let numbers = Some((0, bucket.metageneration));
    conditions.check_numbers(numbers, crate::conditions::Purpose::Read)?;
    Ok(call.answer(bucket.json(&call.base)))
}

pub(crate) async fn patch(
    State(app): Shared,
    Path(name): Path<String>,
    call: Call,
    body: Body,
) -> Result<Response, Failure> {
    let bucket = app.store.bucket(&name)?;
    app.require(&call.caller, "storage.buckets.update", &bucket, "bucket")?;
    let conditions = Conditions::read(&call.params)?;
    let patch = resource(body).await?;
    let bucket = app.store.patch_bucket(&name, &patch, conditions)?;
    Ok(call.answer(bucket.json(&call.base)))
}

pub(crate) async fn delete(
    State(app): Shared,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, Failure> {
    let bucket = app.store.bucket(&name)?;
    app.require(&call.caller, "storage.buckets.delete", &bucket, "bucket")?;
    app.store.delete_bucket(&name)?;
    app.access.bucket_deleted(&name);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `buckets.getStorageLayout`, which gcloud asks before it copies.
pub(crate) async fn layout(
    State(app): Shared,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, Failure> {
    let bucket = app.store.bucket(&name)?;
    app.require(&call.caller, "storage.objects.list", &bucket, "bucket")?;
    Ok(call.answer(json!({
        "kind": "storage#storageLayout",
        "bucket": bucket.name,
        "location": bucket.location,
        "locationType": bucket.location_type(),
        "hierarchicalNamespace": { "enabled": false },
    })))
}

/// `managedFolders.list`, which gcloud asks before it removes a bucket: there are none here.
pub(crate) async fn managed_folders(
    State(app): Shared,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, Failure> {
    let bucket = app.store.bucket(&name)?;
    app.require(
        &call.caller,
        "storage.managedFolders.list",
        &bucket,
        "bucket",
    )?;
    Ok(call.answer(json!({ "kind": "storage#managedFolders" })))
}

fn policy_json(bucket: &Bucket, mut policy: Value) -> Value {
    policy["kind"] = "storage#policy".into();
    policy["resourceId"] = format!("projects/_/buckets/{}", bucket.name).into();
    policy
}

pub(crate) async fn get_policy(
    State(app): Shared,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, Failure> {
    let bucket = app.store.bucket(&name)?;
    app.require(
        &call.caller,
        "storage.buckets.getIamPolicy",
        &bucket,
        "bucket",
    )?;
    let policy = app.access.policy(&Resource::Bucket(name));
    Ok(call.answer(policy_json(&bucket, policy)))
}

pub(crate) async fn set_policy(
    State(app): Shared,
    Path(name): Path<String>,
    call: Call,
    body: Body,
) -> Result<Response, Failure> {
    let bucket = app.store.bucket(&name)?;
    app.require(
        &call.caller,
        "storage.buckets.setIamPolicy",
        &bucket,
        "bucket",
    )?;
    let mut policy = resource(body).await?;
    let Value::Object(fields) = &mut policy else {
        return Err(Failure::invalid("The policy is not a JSON object."));
    };
    fields.shift_remove("kind");
    fields.shift_remove("resourceId");
    let own = Resource::Bucket(name);
    app.access
        .check_policy(&own, &policy)
        .map_err(Failure::invalid)?;
    let policy = app
        .access
        .set_policy(&own, policy)
        .map_err(|_| Failure::precondition("If-Match"))?;
    Ok(call.answer(policy_json(&bucket, policy)))
}

/// Answers for the caller, whoever it is; it takes no permission of its own.
pub(crate) async fn test_permissions(
    State(app): Shared,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, Failure> {
    let bucket = app.store.bucket(&name)?;
    let held: Vec<_> = call
        .params
        .all("permissions")
        .filter(|permission| app.allows(&call.caller, permission, &bucket))
        .collect();
    let mut answer = json!({ "kind": "storage#testIamPermissionsResponse" });
    if !held.is_empty() {
        answer["permissions"] = held.into();
    }
    Ok(call.answer(answer))
}
