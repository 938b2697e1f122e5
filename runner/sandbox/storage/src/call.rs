//! A request: its parameters, its sender, and the sender's permissions.

use crate::{App, address, bucket::Bucket, error::ApiError};
use axum::{
    Json,
    body::{Body, to_bytes},
    extract::FromRequestParts,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, request::Parts};
use serde_json::Value;
use sidestep_sandbox_base::{Authorization, Mask, Query};
use sidestep_sandbox_identity::{Caller, Resource};
use std::sync::Arc;

/// Resources are small; this limits the memory that a hostile body can use.
const MAX_RESOURCE: usize = 2 * 1024 * 1024;

/// The parts of a request that every JSON handler needs.
pub(crate) struct Call {
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    /// `scheme://host` as the caller wrote it.
    pub(crate) base: String,
    pub(crate) caller: Caller,
    mask: Mask,
}

impl Call {
    pub(crate) fn read(parts: &Parts, app: &App) -> Result<Self, ApiError> {
        let query = Query::parse(parts.uri.query());
        let bearer = Authorization::of(&parts.headers)
            .bearer()
            .or_else(|| query.get("access_token"))
            .or_else(|| query.get("oauth_token"));
        let caller = app.access.caller(bearer);
        let caller = caller.map_err(|_| ApiError::invalid_credentials())?;
        let mask = match query.get("fields") {
            Some(fields) if !fields.is_empty() => Mask::parse(fields)?,
            _ => Mask::default(),
        };
        Ok(Self {
            base: address::base(parts, app),
            headers: parts.headers.clone(),
            query,
            caller,
            mask,
        })
    }

    /// Returns a JSON response, reduced to the `fields` that the caller asked for.
    pub(crate) fn answer(&self, value: Value) -> Response {
        Json(self.mask.apply(value)).into_response()
    }
}

impl FromRequestParts<Arc<App>> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        Self::read(parts, app)
    }
}

/// Reads a JSON body; an empty one is an empty object.
pub(crate) async fn resource(body: Body) -> Result<Value, ApiError> {
    let bytes = to_bytes(body, MAX_RESOURCE)
        .await
        .map_err(|_| ApiError::invalid("The request's body is cut short or over 2 MiB."))?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(serde_json::json!({}));
    }
    parse(&bytes)
}

pub(crate) fn parse(bytes: &[u8]) -> Result<Value, ApiError> {
    serde_json::from_slice(bytes)
        .map_err(|error| ApiError::invalid(format!("Parse Error: the JSON is not valid: {error}")))
}

impl App {
    /// Returns whether the caller has the permission on the bucket.
    pub(crate) fn allows(&self, caller: &Caller, permission: &str, bucket: &Bucket) -> bool {
        let own = Resource::Bucket(bucket.name.clone());
        self.allows_on(caller, permission, bucket, &own)
    }

    /// Returns whether the caller has the permission on the bucket or on an object in it.
    fn allows_on(
        &self,
        caller: &Caller,
        permission: &str,
        bucket: &Bucket,
        own: &Resource,
    ) -> bool {
        // Object ACLs cannot name federated identities, so Google gives these no access without
        // uniform bucket-level access.
        if let Caller::Member(member) = caller
            && member.starts_with("principal:")
            && !bucket.uniform
        {
            return false;
        }
        let project = Resource::Project(bucket.project.clone());
        self.access.allows(caller, permission, own)
            || self.access.allows(caller, permission, &project)
    }

    /// Returns the bucket, if the caller has the permission on it.
    pub(crate) fn bucket_with(
        &self,
        caller: &Caller,
        permission: &str,
        name: &str,
    ) -> Result<Bucket, ApiError> {
        let bucket = self.store.bucket(name)?;
        self.require(caller, permission, &bucket, "bucket")?;
        Ok(bucket)
    }

    /// Returns the bucket, if the caller has the permission on the objects in it.
    pub(crate) fn objects_with(
        &self,
        caller: &Caller,
        permission: &str,
        bucket: &str,
    ) -> Result<Bucket, ApiError> {
        let bucket = self.store.bucket(bucket)?;
        self.require(caller, permission, &bucket, "object")?;
        Ok(bucket)
    }

    /// Returns the bucket, if the caller has the permission on one object in it.
    pub(crate) fn object_with(
        &self,
        caller: &Caller,
        permission: &str,
        bucket: &str,
        name: &str,
    ) -> Result<Bucket, ApiError> {
        let bucket = self.store.bucket(bucket)?;
        let object = Resource::Object {
            bucket: bucket.name.clone(),
            name: name.to_owned(),
        };
        if self.allows_on(caller, permission, &bucket, &object) {
            return Ok(bucket);
        }
        Err(ApiError::denied(caller.name(), permission, "object"))
    }

    /// Returns an error if the caller does not have the permission. `thing` is the noun in Google's
    /// message: `object` or `bucket`.
    pub(crate) fn require(
        &self,
        caller: &Caller,
        permission: &str,
        bucket: &Bucket,
        thing: &str,
    ) -> Result<(), ApiError> {
        if self.allows(caller, permission, bucket) {
            return Ok(());
        }
        Err(ApiError::denied(caller.name(), permission, thing))
    }

    /// Returns an error if the caller does not have a permission on a project, such as creating and
    /// listing its buckets.
    pub(crate) fn require_project(
        &self,
        caller: &Caller,
        permission: &str,
        project: &str,
    ) -> Result<(), ApiError> {
        let resource = Resource::Project(project.to_owned());
        if self.access.allows(caller, permission, &resource) {
            return Ok(());
        }
        Err(ApiError::denied(caller.name(), permission, "project"))
    }

    /// Returns the error for a missing object: a 404 only for callers who may list the bucket.
    pub(crate) fn missing(&self, caller: &Caller, bucket: &Bucket, name: &str) -> ApiError {
        match self.require(caller, "storage.objects.list", bucket, "bucket") {
            Ok(()) => ApiError::no_object(&bucket.name, name),
            Err(denied) => denied,
        }
    }
}
