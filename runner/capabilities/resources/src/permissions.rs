//! The permissions of a caller on a resource, and whether the caller can read the resource at all.

use google_cloud_gax::options::RequestOptionsBuilder as _;
use google_cloud_iam_v1::model::TestIamPermissionsRequest;
use sidestep_bindings::sidestep::gcp::types::PolicyResource;
use sidestep_events::Failure;

use super::bucket;
use sidestep_control_plane::ControlPlane;
use sidestep_google::{Name, failed};

/// Returns the subset of the permissions that the caller has, in the order of the query. An empty
/// answer may also mean that the resource does not exist.
pub async fn test(
    google: &ControlPlane,
    resource: &PolicyResource,
    name: &Name,
    permissions: &[String],
) -> Result<Vec<String>, Failure> {
    let what = format!("test permissions on {}", name.as_str());
    let request = TestIamPermissionsRequest::new()
        .set_resource(name.as_str())
        .set_permissions(permissions);
    let held = match resource {
        PolicyResource::Project(_) => {
            let call = google.projects().await?.test_iam_permissions();
            call.with_request(request)
                .with_idempotency(true)
                .send()
                .await
        }
        PolicyResource::ServiceAccount(_) => {
            let call = google.iam().await?.test_iam_permissions();
            call.with_request(request)
                .with_idempotency(true)
                .send()
                .await
        }
        PolicyResource::Repository(_) => {
            let call = google.artifact_registry().await?.test_iam_permissions();
            call.with_request(request)
                .with_idempotency(true)
                .send()
                .await
        }
        PolicyResource::Secret(_) => {
            let call = google.secret_manager().await?.test_iam_permissions();
            call.with_request(request)
                .with_idempotency(true)
                .send()
                .await
        }
        PolicyResource::Bucket(_) => {
            Ok(bucket::test_permissions(google.rest(), &what, name, permissions).await?)
        }
    };
    let held = held.map_err(failed(&what))?.permissions;
    Ok(permissions
        .iter()
        .filter(|asked| held.contains(asked))
        .cloned()
        .collect())
}

/// Checks that the caller can read the resource itself.
pub async fn look(
    google: &ControlPlane,
    resource: &PolicyResource,
    name: &Name,
) -> Result<(), Failure> {
    let what = format!("get {}", name.as_str());
    let name_text = name.as_str();
    match resource {
        PolicyResource::Project(_) => {
            let call = google.projects().await?.get_project();
            call.set_name(name_text).send().await.map(drop)
        }
        PolicyResource::ServiceAccount(_) => {
            let call = google.iam().await?.get_service_account();
            call.set_name(name_text).send().await.map(drop)
        }
        PolicyResource::Repository(_) => {
            let call = google.artifact_registry().await?.get_repository();
            call.set_name(name_text).send().await.map(drop)
        }
        PolicyResource::Secret(_) => {
            let call = google.secret_manager().await?.get_secret();
            call.set_name(name_text).send().await.map(drop)
        }
        PolicyResource::Bucket(_) => return bucket::look(google.rest(), &what, name).await,
    }
    .map_err(failed(&what))
}
