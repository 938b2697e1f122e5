//! Checks a permission of the caller (SelfSubjectAccessReview).

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};
use sidestep_bindings::sidestep::kubernetes::objects::{Access, AccessQuery};
use sidestep_events::Failure;

use super::failure::of_error;
use super::tries::tried;

/// Returns the resource of a query, as in grants: `pods`, `jobs.batch`.
pub(super) fn resource(query: &AccessQuery) -> String {
    if query.group.is_empty() {
        query.resource.clone()
    } else {
        format!("{}.{}", query.resource, query.group)
    }
}

/// Asks the API server; returns whether the caller has the permission, and the server's reason.
pub(super) async fn can_i(client: Client, query: &AccessQuery) -> Result<Access, Failure> {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes(query)),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let reviews = Api::<SelfSubjectAccessReview>::all(client);
    let parameters = PostParams::default();
    let answer = tried(|| reviews.create(&parameters, &review))
        .await
        .map_err(|error| of_error("check the caller's permissions", &error))?;
    let status = answer.status.unwrap_or_default();
    Ok(Access {
        allowed: status.allowed,
        reason: status.reason.filter(|reason| !reason.is_empty()),
    })
}

fn attributes(query: &AccessQuery) -> ResourceAttributes {
    let (resource, subresource) = match query.resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
        None => (query.resource.as_str(), None),
    };
    ResourceAttributes {
        namespace: query.namespace.clone(),
        verb: Some(query.verb.clone()),
        group: Some(query.group.clone()),
        resource: Some(resource.to_owned()),
        subresource,
        name: query.name.clone(),
        ..ResourceAttributes::default()
    }
}
