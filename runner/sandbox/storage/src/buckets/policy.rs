//! Buckets' IAM policies in the JSON API.

use super::Shared;
use crate::{
    bucket::Bucket,
    call::{Call, resource},
    error::ApiError,
};
use axum::{
    body::Body,
    extract::{Path, State},
    response::Response,
};
use serde_json::{Value, json};
use sidestep_sandbox_identity::Resource;

/// Returns the policy of a new bucket
/// (<https://cloud.google.com/storage/docs/access-control/iam-roles#basic-roles-modifiable>).
pub(super) fn first(bucket: &Bucket) -> Value {
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
        // With uniform access, the policy grants what the objects' ACLs would grant otherwise.
        bindings.push(binding("legacyObjectOwner", &owners));
        bindings.push(binding("legacyObjectReader", &readers));
    }
    json!({ "bindings": bindings })
}

fn json_of(bucket: &Bucket, mut policy: Value) -> Value {
    policy["kind"] = "storage#policy".into();
    policy["resourceId"] = format!("projects/_/buckets/{}", bucket.name).into();
    policy
}

pub(crate) async fn get_policy(
    State(app): Shared,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, ApiError> {
    let bucket = app.bucket_with(&call.caller, "storage.buckets.getIamPolicy", &name)?;
    let policy = app.access.policy(&Resource::Bucket(name));
    Ok(call.answer(json_of(&bucket, policy)))
}

pub(crate) async fn set_policy(
    State(app): Shared,
    Path(name): Path<String>,
    call: Call,
    body: Body,
) -> Result<Response, ApiError> {
    let bucket = app.bucket_with(&call.caller, "storage.buckets.setIamPolicy", &name)?;
    let mut policy = resource(body).await?;
    let Value::Object(fields) = &mut policy else {
        return Err(ApiError::invalid("The policy is not a JSON object."));
    };
    fields.shift_remove("kind");
    fields.shift_remove("resourceId");
    let own = Resource::Bucket(name);
    app.access
        .check_policy(&own, &policy)
        .map_err(ApiError::invalid)?;
    let policy = app
        .access
        .set_policy(&own, policy)
        .map_err(|_| ApiError::precondition("If-Match"))?;
    Ok(call.answer(json_of(&bucket, policy)))
}

/// Returns the permissions, of those asked for, that the caller has. The call itself needs none.
pub(crate) async fn test_permissions(
    State(app): Shared,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, ApiError> {
    let bucket = app.store.bucket(&name)?;
    let held: Vec<_> = call
        .query
        .all("permissions")
        .filter(|permission| app.allows(&call.caller, permission, &bucket))
        .collect();
    let mut answer = json!({ "kind": "storage#testIamPermissionsResponse" });
    if !held.is_empty() {
        answer["permissions"] = held.into();
    }
    Ok(call.answer(answer))
}
