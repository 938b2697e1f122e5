//! A bucket's policy (Cloud Storage, JSON API: `buckets.getIamPolicy` and related methods).

use google_cloud_iam_v1::model::{Policy, TestIamPermissionsResponse};
use http::Method;
use sidestep_events::Failure;
use sidestep_google::{Name, Rest, Service};
use url::form_urlencoded::Serializer;

use super::VERSION;
use crate::body;

/// Returns the path of a bucket, whose name is `buckets/B`.
pub(super) fn path(name: &Name) -> String {
    let bucket = name.as_str().trim_start_matches("buckets/");
    format!("/storage/v1/b/{bucket}")
}

/// Reads the bucket's policy.
pub(super) async fn policy(rest: &Rest, what: &str, name: &Name) -> Result<Policy, Failure> {
    let path = format!("{}/iam?optionsRequestedPolicyVersion={VERSION}", path(name));
    rest.get(what, Service::Storage, &path).await
}

/// Replaces the bucket's policy, if the etag still matches the current one.
pub(super) async fn set_policy(
    rest: &Rest,
    what: &str,
    name: &Name,
    policy: Policy,
) -> Result<Policy, Failure> {
    let path = format!("{}/iam", path(name));
    let body = body(&policy)?;
    rest.read(what, Method::PUT, Service::Storage, &path, Some(&body))
        .await
}

/// Returns the subset of the permissions that the caller has.
pub(super) async fn test_permissions(
    rest: &Rest,
    what: &str,
    name: &Name,
    permissions: &[String],
) -> Result<TestIamPermissionsResponse, Failure> {
    let query: String = Serializer::new(String::new())
        .extend_pairs(permissions.iter().map(|p| ("permissions", p)))
        .finish();
    let path = format!("{}/iam/testPermissions?{query}", path(name));
    rest.get(what, Service::Storage, &path).await
}
