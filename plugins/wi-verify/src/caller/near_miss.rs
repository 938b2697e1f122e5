//! Members of an account's policy that nearly name a job.

use sidestep::gcp::iam::Policy;
use sidestep::identity::Federation;

use super::condition::attribute;
use super::provider::Name;
use crate::roles::ACTS_AS;

const POOLS: &str = "://iam.googleapis.com/";

/// Returns whether a member of a policy is the job, or a set that it belongs to.
pub(super) fn is(name: &Name, found: &Federation, member: &str) -> bool {
    let Some((kind, rest)) = within(name, member) else {
        return false;
    };
    match (kind, rest.split_once('/')) {
        ("principalSet", None) => rest == "*",
        ("principal", Some(("subject", subject))) => {
            attribute(found, "google.subject") == Some(subject)
        }
        ("principalSet", Some((key, value))) => {
            key.starts_with("attribute.") && attribute(found, key) == Some(value)
        }
        _ => false,
    }
}

/// Splits a member of the provider's pool into its kind and the part after the pool's name.
fn within<'m>(name: &Name, member: &'m str) -> Option<(&'m str, &'m str)> {
    let (kind, path) = member.split_once(POOLS)?;
    let rest = path.strip_prefix(&name.pool_name())?.strip_prefix('/')?;
    Some((kind, rest))
}

/// Returns a sentence about a binding that exists in place of the right one.
pub(super) fn look(name: &Name, found: &Federation, policy: &Policy) -> Option<String> {
    let all = || {
        policy.bindings.iter().flat_map(|binding| {
            let members = binding.members.iter();
            members.map(move |member| (binding.role.as_str(), member.as_str()))
        })
    };
    if let Some((role, _)) =
        all().find(|(role, member)| !ACTS_AS.contains(role) && is(name, found, member))
    {
        return Some(format!(
            "The job has {role} there, which does not let it get a token."
        ));
    }
    let mut members = all()
        .filter(|(role, _)| ACTS_AS.contains(role))
        .map(|(_, member)| member);
    members.find_map(|member| explain(name, found, member))
}

/// Returns the mistake in a member that is nearly the job.
fn explain(name: &Name, found: &Federation, member: &str) -> Option<String> {
    let (kind, path) = member.split_once(POOLS)?;
    let Some((_, rest)) = within(name, member) else {
        return elsewhere(name, path, member);
    };
    let (key, value) = rest.split_once('/')?;
    if key == "subject" {
        let own = attribute(found, "google.subject")?;
        if kind == "principalSet" && value == own {
            return Some(format!(
                "{member} names one subject, so it has to begin with principal:."
            ));
        }
        return subject(own, value).map(|why| {
            format!("The binding is for the subject {value}, and the job's is {own}: {why}")
        });
    }
    let named = found.attributes.iter().find(|one| one.name == key);
    let Some(own) = named.and_then(|one| one.value.as_deref()) else {
        return Some(format!(
            "The binding is for {key}, which the provider does not map, so it never matches."
        ));
    };
    if kind == "principal" && own == value {
        return Some(format!(
            "{member} names a set, so it has to begin with principalSet:."
        ));
    }
    let other = found
        .attributes
        .iter()
        .find(|one| one.name != key && one.value.as_deref() == Some(value));
    Some(match other {
        Some(other) => format!(
            "The binding is for {key}/{value}, but `{value}` is the job's {}; its {key} is `{own}`.",
            other.name
        ),
        None if own.eq_ignore_ascii_case(value) => format!(
            "The binding is for {key}/{value}, and the job's is `{own}`: they differ in case, which Google compares."
        ),
        None => format!("The binding is for {key}/{value}, and the job's is `{own}`."),
    })
}

/// Returns the mistake in a member of another pool, or of a project's id.
fn elsewhere(name: &Name, path: &str, member: &str) -> Option<String> {
    let mut parts = path.split('/');
    let (Some("projects"), Some(project)) = (parts.next(), parts.next()) else {
        return None;
    };
    let pool = parts.nth(3)?;
    if pool == name.pool && project != name.project {
        return Some(format!(
            "{member} has {project} in place of the project's number {}.",
            name.project
        ));
    }
    (pool != name.pool).then(|| {
        format!(
            "The binding is for the pool {pool}, and the job's is {}.",
            name.pool
        )
    })
}

/// Returns how two subjects of GitHub differ.
fn subject(own: &str, other: &str) -> Option<String> {
    let (of_own, of_other) = (Subject::read(own)?, Subject::read(other)?);
    if of_own.repository() != of_other.repository() {
        return None;
    }
    if of_own.has_ids() != of_other.has_ids() && of_own.context == of_other.context {
        return Some(if of_own.has_ids() {
            "GitHub puts the ids of owner and repository into the subject of repositories that were made, renamed or transferred after the middle of 2026, or that opted in.".to_owned()
        } else {
            "this repository still has GitHub's earlier form, without the ids of owner and repository.".to_owned()
        });
    }
    let of_environment = |subject: &Subject<'_>| subject.context.starts_with("environment:");
    match (of_environment(&of_own), of_environment(&of_other)) {
        (true, false) => Some(
            "a job with an `environment` has the environment in its subject, in place of the ref."
                .to_owned(),
        ),
        (false, true) => {
            Some("the job has no `environment`, so its subject has the ref.".to_owned())
        }
        _ => Some("they are of another ref, event or environment.".to_owned()),
    }
}

/// GitHub's default subject.
struct Subject<'t> {
    /// `OWNER/REPO` or `OWNER@ID/REPO@ID`.
    whose: &'t str,
    /// The part after the repository, such as `ref:refs/heads/main`.
    context: &'t str,
}

impl<'t> Subject<'t> {
    fn read(text: &'t str) -> Option<Self> {
        let (whose, context) = text.strip_prefix("repo:")?.split_once(':')?;
        Some(Self { whose, context })
    }

    fn has_ids(&self) -> bool {
        self.whose.contains('@')
    }

    /// Returns the repository without ids.
    fn repository(&self) -> String {
        let parts = self.whose.split('/');
        let names = parts.map(|part| part.split('@').next().unwrap_or(part));
        names.collect::<Vec<_>>().join("/")
    }
}

#[cfg(test)]
mod tests {
    use sidestep::identity::Attribute;

    use super::*;

    fn name() -> Name {
        let text = "projects/12/locations/global/workloadIdentityPools/jobs/providers/github";
        Name::read(text).expect("a name")
    }

    fn found(subject: &str) -> Federation {
        let pairs = [
            ("google.subject", subject),
            ("attribute.repository", "acme/app"),
            ("attribute.repository_id", "456"),
        ];
        let attributes = pairs.map(|(name, value)| Attribute {
            name: name.to_owned(),
            value: Some(value.to_owned()),
            why: None,
        });
        Federation {
            attributes: attributes.into(),
            condition: Vec::new(),
        }
    }

    const MAIN: &str = "repo:acme/app:ref:refs/heads/main";

    fn member(kind: &str, rest: &str) -> String {
        format!("{kind}://iam.googleapis.com/{}/{rest}", name().pool_name())
    }

    #[test]
    fn a_job_is_named_by_its_subject_its_attributes_and_its_pool() {
        for (kind, rest) in [
            ("principal", "subject/repo:acme/app:ref:refs/heads/main"),
            ("principalSet", "attribute.repository/acme/app"),
            ("principalSet", "*"),
        ] {
            assert!(is(&name(), &found(MAIN), &member(kind, rest)), "{rest}");
        }
        for (kind, rest) in [
            ("principalSet", "subject/repo:acme/app:ref:refs/heads/main"),
            ("principal", "attribute.repository/acme/app"),
            ("principal", "*"),
            ("principalSet", "attribute.repository/acme/app2"),
            ("principalSet", "google.subject/x"),
        ] {
            assert!(!is(&name(), &found(MAIN), &member(kind, rest)), "{rest}");
        }
    }

    #[test]
    fn what_is_nearly_the_job_is_explained() {
        let ids = "repo:acme@1/app@456:ref:refs/heads/main";
        let environment = "repo:acme/app:environment:production";
        let subject = |text: &str| member("principal", &format!("subject/{text}"));
        for (own, member, expected) in [
            (
                ids,
                subject(MAIN),
                "the ids of owner and repository into the subject",
            ),
            (MAIN, subject(ids), "still has GitHub's earlier form"),
            (
                environment,
                subject(MAIN),
                "has the environment in its subject",
            ),
            (MAIN, subject(environment), "so its subject has the ref"),
            (
                MAIN,
                subject("repo:acme/app:pull_request"),
                "another ref, event or environment",
            ),
            (
                MAIN,
                member("principalSet", &format!("subject/{MAIN}")),
                "has to begin with principal:",
            ),
            (
                MAIN,
                member("principal", "attribute.repository/acme/app"),
                "has to begin with principalSet:",
            ),
            (
                MAIN,
                member("principalSet", "attribute.repository/456"),
                "`456` is the job's attribute.repository_id",
            ),
            (
                MAIN,
                member("principalSet", "attribute.repository/Acme/app"),
                "they differ in case",
            ),
            (
                MAIN,
                member("principalSet", "attribute.actor/ada"),
                "which the provider does not map",
            ),
            (
                MAIN,
                member("principalSet", "*").replace("/12/", "/demo/"),
                "in place of the project's number 12",
            ),
            (
                MAIN,
                member("principalSet", "*").replace("/jobs/", "/others/"),
                "for the pool others",
            ),
        ] {
            let told = explain(&name(), &found(own), &member);
            assert!(
                told.as_ref().is_some_and(|told| told.contains(expected)),
                "{member}: {told:?}"
            );
        }
        for other in [
            "user:ada@example.com",
            &subject("repo:acme/other:ref:refs/heads/main"),
        ] {
            assert_eq!(explain(&name(), &found(MAIN), other), None, "{other}");
        }
    }
}
