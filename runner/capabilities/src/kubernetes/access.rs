//! Whether the caller may do something (SelfSubjectAccessReview).

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};
use sidestep_events::Failure;

use super::failure::of_error;

/// Asks the API server; answers whether it may, and what the server says about it.
pub(super) async fn can_i(
    client: Client,
    attributes: ResourceAttributes,
) -> Result<(bool, Option<String>), Failure> {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let answer = Api::<SelfSubjectAccessReview>::all(client)
        .create(&PostParams::default(), &review)
        .await
        .map_err(|error| of_error("ask what the caller may do", &error))?;
    let status = answer.status.unwrap_or_default();
    Ok((
        status.allowed,
        status.reason.filter(|reason| !reason.is_empty()),
    ))
}
