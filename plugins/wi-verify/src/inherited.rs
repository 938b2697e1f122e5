//! Grants that a project inherits from a folder or the organisation.

use sidestep::Result;
use sidestep::gcp::iam::Level;
use sidestep::google::Resource;

use crate::identity::Identity;
use crate::roles::{self, ACTS_AS, Grant, grants};

/// Returns the level whose policy lets the workload act as the accounts of a project.
pub(crate) fn binding<'l>(levels: &'l Result<Vec<Level>>, identity: &Identity) -> Option<&'l str> {
    let acts = |role: &str| ACTS_AS.contains(&role);
    first(levels, |level| {
        grants(level.policy.as_ref().ok(), acts, |member| {
            identity.is(member)
        })
    })
}

/// Returns the level whose policy grants the identity a permission on a resource below it.
pub(crate) fn allows<'l>(
    levels: &'l Result<Vec<Level>>,
    identity: &Identity,
    resource: &Resource,
    permission: &str,
) -> Option<&'l str> {
    first(levels, |level| {
        let policy = level.policy.as_ref().ok();
        roles::allows(resource, policy, permission, |member| {
            identity.holds(member)
        })
    })
}

fn first(levels: &Result<Vec<Level>>, grant: impl Fn(&Level) -> Grant) -> Option<&str> {
    let levels = levels.as_ref().ok()?;
    let mut given = levels
        .iter()
        .filter(|level| matches!(grant(level), Grant::Given));
    given.next().map(|level| level.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Way, example};
    use crate::roles::policy;

    #[test]
    fn a_grant_is_named_after_the_level_that_has_it() {
        let identity = example(Way::As("b@demo.iam.gserviceaccount.com".to_owned()));
        let level = |name: &str, role: &str, member: &str| Level {
            name: name.to_owned(),
            policy: Ok(policy(&[(role, member)])),
            deny_policies: Ok(Vec::new()),
        };
        let levels = Ok(vec![
            level("projects/demo", "roles/viewer", "user:a@example.com"),
            level(
                "folders/7",
                ACTS_AS[0],
                "serviceAccount:demo.svc.id.goog[builds/kaniko]",
            ),
            level(
                "organizations/9",
                "roles/storage.objectViewer",
                "serviceAccount:b@demo.iam.gserviceaccount.com",
            ),
        ]);
        assert_eq!(binding(&levels, &identity), Some("folders/7"));
        let objects = Resource::Objects {
            bucket: "b".to_owned(),
            prefix: String::new(),
        };
        let reads = allows(&levels, &identity, &objects, "storage.objects.get");
        assert_eq!(reads, Some("organizations/9"));
        let creates = allows(&levels, &identity, &objects, "storage.objects.create");
        assert_eq!(creates, None);
    }
}
