//! Bindings that are similar to the missing one, and their mistakes.

use sidestep::gcp::iam::Policy;

use crate::identity::Identity;
use crate::roles::ACTS_AS;

/// Returns a sentence about a binding that exists in place of the right one: in the account's own
/// policy, or in its project's.
pub(crate) fn look(identity: &Identity, own: &Policy, project: Option<&Policy>) -> Option<String> {
    let in_project = || {
        let told = misnamed(identity, project?)?;
        Some(format!("In the project's policy: {told}"))
    };
    other_role(identity, own)
        .or_else(|| misnamed(identity, own))
        .or_else(in_project)
        .or_else(|| others(own))
}

/// Returns the roles of a policy with their members.
fn grants(policy: &Policy) -> impl Iterator<Item = (&str, &str)> {
    policy.bindings.iter().flat_map(|binding| {
        let members = binding.members.iter();
        members.map(move |member| (binding.role.as_str(), member.as_str()))
    })
}

/// Returns the role that the workload has in place of the right one.
fn other_role(identity: &Identity, own: &Policy) -> Option<String> {
    let (role, _) =
        grants(own).find(|(role, member)| identity.is(member) && !ACTS_AS.contains(role))?;
    Some(if role == "roles/iam.serviceAccountUser" {
        format!(
            "It has {role}, which lets it attach the account to resources, but not impersonate it."
        )
    } else {
        format!("It has {role} there, which does not let it get a token.")
    })
}

/// Returns the mistake in a member that has the right role.
fn misnamed(identity: &Identity, policy: &Policy) -> Option<String> {
    let mut acting = grants(policy).filter(|(role, _)| ACTS_AS.contains(role));
    acting.find_map(|(_, member)| explain(identity, member))
}

/// Returns a sentence about the others that may act as the account.
fn others(own: &Policy) -> Option<String> {
    let acting = own
        .bindings
        .iter()
        .filter(|binding| ACTS_AS.contains(&binding.role.as_str()));
    let members: Vec<&String> = acting.flat_map(|binding| &binding.members).collect();
    match members.as_slice() {
        [] => None,
        [one] => Some(format!("Only {one} may impersonate it.")),
        [first, rest @ ..] => Some(format!(
            "Only {first} and {} more may impersonate it.",
            rest.len()
        )),
    }
}

/// Returns the mistake in a member that is nearly the workload.
fn explain(identity: &Identity, member: &str) -> Option<String> {
    let (namespace, account) = (&identity.workload.namespace, &identity.workload.account);
    if let Some(rest) = member.strip_prefix("deleted:") {
        let name = rest.split('?').next().unwrap_or(rest);
        return Some(format!(
            "The policy names {name} as deleted: a new account with the same name does not inherit the grant."
        ));
    }
    let Some((pool, subject)) = workload(member) else {
        return principal(identity, member);
    };
    if subject == format!("{namespace}/{account}") && pool != identity.pool {
        let project = pool.split('.').next().unwrap_or_default();
        return Some(
            if identity
                .number
                .is_some_and(|number| number.to_string() == project)
            {
                format!(
                    "The binding is for {member}: it has the project's number in place of its id."
                )
            } else {
                format!(
                    "The binding is for {member}: it names the pool of another project; the cluster's pool is {}.",
                    identity.pool
                )
            },
        );
    }
    if pool == identity.pool && namespace != account && subject == format!("{account}/{namespace}")
    {
        return Some(format!(
            "The binding is for {member}: namespace and service account are swapped."
        ));
    }
    None
}

/// Pool and `NAMESPACE/ACCOUNT` of `serviceAccount:POOL[NAMESPACE/ACCOUNT]`.
fn workload(member: &str) -> Option<(&str, &str)> {
    let (pool, rest) = member.strip_prefix("serviceAccount:")?.split_once('[')?;
    Some((pool, rest.strip_suffix(']')?))
}

/// Returns what is wrong with a `principal://` whose end is right.
fn principal(identity: &Identity, member: &str) -> Option<String> {
    let subject = format!(
        "/subject/ns/{}/sa/{}",
        identity.workload.namespace, identity.workload.account
    );
    let path = member
        .strip_prefix("principal://iam.googleapis.com/projects/")?
        .strip_suffix(&subject)?;
    let (project, rest) = path.split_once('/')?;
    if project == identity.workload.project {
        return Some(format!(
            "The binding is for {member}: it has the project's id in place of its number."
        ));
    }
    if !rest.ends_with(&format!("/{}", identity.pool)) {
        return Some(format!(
            "The binding is for {member}: it names another pool; the cluster's pool is {}.",
            identity.pool
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Way, example};
    use crate::roles::policy;

    const USER: &str = "roles/iam.workloadIdentityUser";

    fn near(role: &str, member: &str) -> String {
        let identity = example(Way::As("builder@demo.iam.gserviceaccount.com".to_owned()));
        look(&identity, &policy(&[(role, member)]), None).unwrap_or_default()
    }

    #[test]
    fn near_misses_are_named() {
        for (role, member, told) in [
            (
                USER,
                "serviceAccount:other.svc.id.goog[builds/kaniko]",
                "the pool of another project",
            ),
            (
                USER,
                "serviceAccount:123456789012.svc.id.goog[builds/kaniko]",
                "number in place of its id",
            ),
            (
                USER,
                "serviceAccount:demo.svc.id.goog[kaniko/builds]",
                "swapped",
            ),
            (
                USER,
                "deleted:serviceAccount:demo.svc.id.goog[builds/kaniko]?uid=1",
                "as deleted",
            ),
            (
                "roles/iam.serviceAccountUser",
                "serviceAccount:demo.svc.id.goog[builds/kaniko]",
                "not impersonate it",
            ),
            (
                "roles/viewer",
                "serviceAccount:demo.svc.id.goog[builds/kaniko]",
                "does not let it get a token",
            ),
            (
                USER,
                "serviceAccount:demo.svc.id.goog[builds/other]",
                "Only serviceAccount:demo.svc.id.goog[builds/other] may",
            ),
            (
                USER,
                "principal://iam.googleapis.com/projects/demo/locations/global/workloadIdentityPools/demo.svc.id.goog/subject/ns/builds/sa/kaniko",
                "id in place of its number",
            ),
            (
                USER,
                "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/x.svc.id.goog/subject/ns/builds/sa/kaniko",
                "another pool",
            ),
        ] {
            let found = near(role, member);
            assert!(found.contains(told), "{member}: {found}");
        }
        assert_eq!(near("roles/viewer", "user:a@x"), "");
    }

    #[test]
    fn a_near_miss_in_the_project_s_policy_is_named_as_such() {
        let identity = example(Way::As("builder@demo.iam.gserviceaccount.com".to_owned()));
        let swapped = policy(&[(USER, "serviceAccount:demo.svc.id.goog[kaniko/builds]")]);
        let found = look(&identity, &policy(&[]), Some(&swapped)).expect("a near miss");
        assert!(found.starts_with("In the project's policy: "), "{found}");
        assert!(found.contains("swapped"), "{found}");
    }
}
