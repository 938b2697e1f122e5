//! Policies, read and set at version 3, the only one that includes conditions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use google_cloud_gax::options::RequestOptionsBuilder as _;
use google_cloud_iam_v1::model::{
    Binding, GetIamPolicyRequest, GetPolicyOptions, Policy, SetIamPolicyRequest,
};
use google_cloud_type::model::Expr;
use sidestep_bindings::sidestep::gcp::types::{self as wit, PolicyResource};
use sidestep_events::{Class, Failure, Owner, codes};

use super::{VERSION, bucket};
use sidestep_control_plane::ControlPlane;
use sidestep_google::convert::filled;
use sidestep_google::{Name, failed};

/// Reads a policy.
pub async fn get(
    google: &ControlPlane,
    resource: &PolicyResource,
    name: &Name,
) -> Result<wit::Policy, Failure> {
    let what = format!("read the policy of {}", name.as_str());
    let options = GetPolicyOptions::new().set_requested_policy_version(VERSION);
    let request = GetIamPolicyRequest::new()
        .set_resource(name.as_str())
        .set_options(options);
    let found = match resource {
        PolicyResource::Project(_) => {
            let call = google.projects().await?.get_iam_policy();
            call.with_request(request)
                .with_idempotency(true)
                .send()
                .await
        }
        PolicyResource::ServiceAccount(_) => {
            let call = google.iam().await?.get_iam_policy();
            call.with_request(request)
                .with_idempotency(true)
                .send()
                .await
        }
        PolicyResource::Repository(_) => {
            let call = google.artifact_registry().await?.get_iam_policy();
            call.with_request(request).send().await
        }
        PolicyResource::Secret(_) => {
            let call = google.secret_manager().await?.get_iam_policy();
            call.with_request(request).send().await
        }
        PolicyResource::Bucket(_) => Ok(bucket::policy(google.rest(), &what, name).await?),
    };
    Ok(of(found.map_err(failed(&what))?))
}

/// Sets a policy's bindings, if its etag still matches the current one. The APIs keep the other
/// parts of a policy unchanged.
pub async fn set(
    google: &ControlPlane,
    resource: &PolicyResource,
    name: &Name,
    policy: &wit::Policy,
) -> Result<wit::Policy, Failure> {
    let what = format!("set the policy of {}", name.as_str());
    // Without version 3 a binding's condition would be lost.
    let policy = Policy::new()
        .set_version(VERSION)
        .set_etag(etag(&what, &policy.etag)?)
        .set_bindings(policy.bindings.iter().map(binding));
    let request = || {
        SetIamPolicyRequest::new()
            .set_resource(name.as_str())
            .set_policy(policy.clone())
    };
    let found = match resource {
        PolicyResource::Project(_) => {
            let call = google.projects().await?.set_iam_policy();
            call.with_request(request())
                .with_idempotency(true)
                .send()
                .await
        }
        PolicyResource::ServiceAccount(_) => {
            let call = google.iam().await?.set_iam_policy();
            call.with_request(request())
                .with_idempotency(true)
                .send()
                .await
        }
        PolicyResource::Repository(_) => {
            let call = google.artifact_registry().await?.set_iam_policy();
            call.with_request(request())
                .with_idempotency(true)
                .send()
                .await
        }
        PolicyResource::Secret(_) => {
            let call = google.secret_manager().await?.set_iam_policy();
            call.with_request(request())
                .with_idempotency(true)
                .send()
                .await
        }
        PolicyResource::Bucket(_) => {
            Ok(bucket::set_policy(google.rest(), &what, name, &policy).await?)
        }
    };
    Ok(of(found.map_err(failed(&what))?))
}

/// Returns the bytes of an etag, which plugins have in the form of JSON: base64.
fn etag(what: &str, text: &str) -> Result<Vec<u8>, Failure> {
    STANDARD.decode(text).map_err(|_| {
        Failure::new(
            Class::InvalidInput,
            codes::iam::ETAG,
            Owner::Plugin,
            format!(
                "cannot {what}: `{}` is not a valid etag",
                text.escape_debug()
            ),
        )
        .with_help("read the policy, change its bindings, and set it with its etag")
    })
}

fn binding(binding: &wit::Binding) -> Binding {
    let condition = binding.condition.as_ref().map(|condition| {
        Expr::new()
            .set_title(&condition.title)
            .set_description(condition.description.as_deref().unwrap_or_default())
            .set_expression(&condition.expression)
    });
    Binding::new()
        .set_role(&binding.role)
        .set_members(&binding.members)
        .set_or_clear_condition(condition)
}

/// Returns a policy in the contract's form.
fn of(policy: Policy) -> wit::Policy {
    wit::Policy {
        etag: STANDARD.encode(&policy.etag),
        // A missing version is 1.
        version: u32::try_from(policy.version).unwrap_or_default().max(1),
        bindings: policy
            .bindings
            .into_iter()
            .map(|binding| wit::Binding {
                role: binding.role,
                members: binding.members,
                condition: binding.condition.map(|condition| wit::Condition {
                    title: condition.title,
                    description: filled(condition.description),
                    expression: condition.expression,
                }),
            })
            .collect(),
    }
}
