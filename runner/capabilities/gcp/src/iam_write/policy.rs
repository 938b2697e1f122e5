//! Sets a policy: every binding that changes must be granted.

use std::collections::BTreeSet;

use sidestep_bindings::sidestep::gcp::types::{Binding, Policy, PolicyResource};
use sidestep_control_plane::ControlPlane;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::Gate;
use sidestep_gate::functions::iam_write as functions;
use sidestep_google::Named;
use sidestep_policy::Capability;
use sidestep_policy::iam_write::IamWriteCall;
use sidestep_resources::{self as resource, policy};

/// Replaces a policy's bindings, if the step may make each of the changes.
pub(super) async fn set(
    gate: &Gate,
    google: &ControlPlane,
    target: &PolicyResource,
    wanted: &Policy,
) -> Result<Policy, Failure> {
    let named = Named::new(resource::given(target), resource::name(target));
    let resource = named.as_str();
    let whole = IamWriteCall {
        resource,
        role: None,
        member: None,
    };
    gate.call_within(
        functions::SET_POLICY,
        Capability::IamWrite,
        format!("set the policy of {resource}"),
    )
    .unless(gate.permits(&whole).err())
    .run(async {
        let name = named.name()?;
        if wanted.etag.is_empty() {
            return Err(Failure::new(
                Class::InvalidInput,
                codes::iam::ETAG,
                Owner::Plugin,
                format!("the new policy of {resource} has no etag"),
            )
            .with_help("read the policy, change its bindings, and set it with its etag"));
        }
        let current = policy::get(google, target, name).await?;
        // The policy that is replaced must be the one that the changes were computed from. This comes
        // first: the difference to any other one contains changes of other clients.
        if current.etag != wanted.etag {
            return Err(Failure::new(
                Class::Conflict,
                codes::google::CONFLICT,
                Owner::Cloud,
                format!("the policy of {resource} changed since it was read"),
            )
            .with_help("read it again, and repeat the change"));
        }
        for (role, member) in changes(&current.bindings, &wanted.bindings) {
            gate.permits(&IamWriteCall {
                resource,
                role: Some(role),
                member: Some(member),
            })?;
        }
        policy::set(google, target, name, wanted).await
    })
    .await
}

/// Returns the role and member of each binding that only one of the lists has. Bindings with
/// different conditions are different.
fn changes<'a>(current: &'a [Binding], wanted: &'a [Binding]) -> BTreeSet<(&'a str, &'a str)> {
    let (current, wanted) = (flat(current), flat(wanted));
    current
        .symmetric_difference(&wanted)
        .map(|(role, member, _)| (*role, *member))
        .collect()
}

type Condition<'a> = (&'a str, Option<&'a str>, &'a str);

fn flat(bindings: &[Binding]) -> BTreeSet<(&str, &str, Option<Condition<'_>>)> {
    bindings
        .iter()
        .flat_map(|binding| {
            let condition = binding.condition.as_ref().map(|condition| {
                (
                    condition.title.as_str(),
                    condition.description.as_deref(),
                    condition.expression.as_str(),
                )
            });
            let members = binding.members.iter();
            members.map(move |member| (binding.role.as_str(), member.as_str(), condition))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sidestep_bindings::sidestep::gcp::types;

    #[test]
    fn every_change_is_seen() {
        let binding = |role: &str, members: &[&str], condition: Option<&str>| Binding {
            role: role.into(),
            members: members.iter().map(|member| (*member).into()).collect(),
            condition: condition.map(|expression| types::Condition {
                title: "t".into(),
                description: None,
                expression: expression.into(),
            }),
        };
        let before = [
            binding("roles/a", &["x", "y"], None),
            binding("roles/b", &["x"], Some("true")),
        ];
        assert!(changes(&before, &before).is_empty());
        // A different order, and members in two bindings of the same role.
        let same = [
            binding("roles/b", &["x"], Some("true")),
            binding("roles/a", &["y"], None),
            binding("roles/a", &["x"], None),
        ];
        assert!(changes(&before, &same).is_empty());
        // One removed, one added, one with a changed condition.
        let after = [
            binding("roles/a", &["x", "z"], None),
            binding("roles/b", &["x"], Some("false")),
        ];
        let seen: Vec<_> = changes(&before, &after).into_iter().collect();
        assert_eq!(seen, [("roles/a", "y"), ("roles/a", "z"), ("roles/b", "x")]);
    }
}
