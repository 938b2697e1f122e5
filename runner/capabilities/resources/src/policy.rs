//! Policies, read and set at version 3, the only one that includes conditions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use google_cloud_iam_v1::model::{Binding, Policy};
use google_cloud_type::model::Expr;
use sidestep_bindings::sidestep::gcp::types::{self as wit, PolicyResource};
use sidestep_control_plane::{ControlPlane, Policed};
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_google::Name;
use sidestep_google::convert::filled;

use super::kind;

/// Reads a policy.
pub async fn get(
    google: &ControlPlane,
    resource: &PolicyResource,
    name: &Name,
) -> Result<wit::Policy, Failure> {
    let what = format!("read the policy of {name}");
    google.policy(&what, kind(resource), name).await.map(of)
}

/// Reads the policy of a folder or an organisation.
pub async fn of_ancestor(google: &ControlPlane, name: &Name) -> Result<wit::Policy, Failure> {
    let what = format!("read the policy of {name}");
    let policy = google.policy(&what, Policed::Ancestor, name).await;
    policy.map(of)
}

/// Sets a policy's bindings, if its etag still matches the current one. The APIs keep the other
/// parts of a policy unchanged.
pub async fn set(
    google: &ControlPlane,
    resource: &PolicyResource,
    name: &Name,
    policy: &wit::Policy,
) -> Result<wit::Policy, Failure> {
    let what = format!("set the policy of {name}");
    let policy = Policy::new()
        .set_etag(etag(&what, &policy.etag)?)
        .set_bindings(policy.bindings.iter().map(binding));
    let set = google.set_policy(&what, kind(resource), name, policy);
    set.await.map(of)
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
