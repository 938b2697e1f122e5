//! A bucket's policy (Cloud Storage, JSON API: `buckets.getIamPolicy` and its like).

use google_cloud_iam_v1::model::{Policy, TestIamPermissionsResponse};
use http::Method;
use serde_json::json;
use sidestep_events::Failure;
use url::form_urlencoded::Serializer;

use super::VERSION;
use sidestep_google::{Name, Rest, Service};

/// The path of a bucket, whose name is `buckets/B`.
fn path(name: &Name) -> String {
    let bucket = name.as_str().trim_start_matches("buckets/");
    format!("/storage/v1/b/{bucket}")
}

/// Reads its policy.
pub(super) async fn policy(rest: &Rest, what: &str, name: &Name) -> Result<Policy, Failure> {
    let path = format!("{}/iam?optionsRequestedPolicyVersion={VERSION}", path(name));
    rest.get(what, Service::Storage, &path).await
}

/// Replaces its policy, if the etag is still the one that is there.
pub(super) async fn set_policy(
    rest: &Rest,
    what: &str,
    name: &Name,
    policy: &Policy,
) -> Result<Policy, Failure> {
    let path = format!("{}/iam", path(name));
    let body = json!(policy);
    rest.read(what, Method::PUT, Service::Storage, &path, Some(&body))
        .await
}

/// Asks which of the permissions the caller has.
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

/// Looks at it.
pub(super) async fn look(rest: &Rest, what: &str, name: &Name) -> Result<(), Failure> {
    rest.call(what, Method::GET, Service::Storage, &path(name), None)
        .await
        .map(drop)
}
