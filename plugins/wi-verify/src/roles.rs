//! The grants of policies, and the roles that matter besides those of targets.

use sidestep::gcp::iam::{Condition, Policy};
use sidestep::google::{Resource, roles};

/// The roles that let a workload get tokens of a Google service account.
pub(crate) const ACTS_AS: [&str; 2] = [
    "roles/iam.workloadIdentityUser",
    "roles/iam.serviceAccountTokenCreator",
];

/// The roles on a project that let a push create a repository of Container Registry's hosts.
pub(crate) const CREATES_ON_PUSH: [&str; 2] = [
    "roles/artifactregistry.createOnPushWriter",
    "roles/artifactregistry.createOnPushRepoAdmin",
];

/// Whether a policy grants something to a member.
#[derive(Debug, Clone)]
pub(crate) enum Grant {
    /// It does.
    Given,
    /// It does under each of these conditions.
    Conditioned(Vec<Condition>),
    /// It does under a condition that cannot be decided: the expression, and why.
    Undecided(String),
    /// It does not.
    Absent,
    /// It could not be read, so this is unknown.
    Unread,
}

/// Conditions, each by title and expression, for a sentence.
pub(crate) fn shown(conditions: &[Condition]) -> String {
    let each = |condition: &Condition| format!("{}: {}", condition.title, condition.expression);
    conditions.iter().map(each).collect::<Vec<_>>().join("; ")
}

/// Returns whether a policy grants one of the roles to a member that `is` recognises. None is a
/// policy that could not be read.
pub(crate) fn grants(
    policy: Option<&Policy>,
    role: impl Fn(&str) -> bool,
    is: impl Fn(&str) -> bool,
) -> Grant {
    let Some(policy) = policy else {
        return Grant::Unread;
    };
    let mut conditions = Vec::new();
    for binding in &policy.bindings {
        if !role(&binding.role) || !binding.members.iter().any(|member| is(member)) {
            continue;
        }
        match &binding.condition {
            None => return Grant::Given,
            Some(condition) => conditions.push(condition.clone()),
        }
    }
    if conditions.is_empty() {
        Grant::Absent
    } else {
        Grant::Conditioned(conditions)
    }
}

/// Returns whether a policy of the place grants a permission, as far as the roles are known.
pub(crate) fn allows(
    resource: &Resource,
    policy: Option<&Policy>,
    permission: &str,
    is: impl Fn(&str) -> bool,
) -> Grant {
    grants(policy, |role| roles::has(resource, role, permission), is)
}

#[cfg(test)]
pub(crate) fn policy(bindings: &[(&str, &str)]) -> Policy {
    use sidestep::gcp::iam::Binding;
    let binding = |(role, member): &(&str, &str)| Binding {
        role: (*role).to_owned(),
        members: vec![(*member).to_owned()],
        condition: None,
    };
    Policy {
        etag: "e".to_owned(),
        version: 3,
        bindings: bindings.iter().map(binding).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket() -> Resource {
        Resource::Objects {
            bucket: "b".to_owned(),
            prefix: String::new(),
        }
    }

    #[test]
    fn conditions_are_told_from_grants() {
        let resource = bucket();
        let mut policy = policy(&[("roles/storage.objectViewer", "user:a")]);
        let asked = |policy: &Policy| {
            allows(&resource, Some(policy), "storage.objects.get", |member| {
                member == "user:a"
            })
        };
        assert!(matches!(asked(&policy), Grant::Given));
        let condition = Condition {
            title: "office hours".to_owned(),
            description: None,
            expression: "false".to_owned(),
        };
        assert_eq!(
            shown(std::slice::from_ref(&condition)),
            "office hours: false"
        );
        policy.bindings[0].condition = Some(condition);
        let again = policy.bindings[0].clone();
        policy.bindings.push(again);
        assert!(matches!(asked(&policy), Grant::Conditioned(each) if each.len() == 2));
        policy.bindings.clear();
        assert!(matches!(asked(&policy), Grant::Absent));
        let unread = allows(&resource, None, "storage.objects.get", |_| true);
        assert!(matches!(unread, Grant::Unread), "{unread:?}");
    }
}
