//! The failure of a missing permission, and the command that grants it.

use sidestep::gcp::iam::Policy;
use sidestep::google::{self, grant, show_policy};
use sidestep::{Class, Error, codes};

use super::objects::on_prefix_only;
use crate::google_account::deleted;
use crate::identity::Identity;
use crate::roles::{self, Grant};
use crate::targets::Target;
use crate::verdict::{and, cloud};

/// Returns the failure of a target on which permissions are lacking.
pub(super) fn lacks(
    identity: &Identity,
    target: &Target,
    lacking: &[&str],
    grants: &[Grant],
    policy: Option<&Policy>,
) -> Error {
    let place = target
        .object_uri()
        .unwrap_or_else(|| target.resource.shown());
    let mut message = format!("{} lacks {} on {place}.", identity.who(), and(lacking));
    let conditions = grants.iter().find_map(|grant| match grant {
        Grant::Conditioned(conditions) => Some(roles::shown(conditions)),
        _ => None,
    });
    let unread = grants.iter().any(|grant| matches!(grant, Grant::Unread));
    let old = policy
        .zip(identity.way.account())
        .and_then(|(policy, email)| deleted(policy, email));
    if grants.iter().all(|grant| matches!(grant, Grant::Given)) {
        message.push_str("\nThe policy grants it, but the grant is not in effect yet, or a deny policy overrides it.");
    } else if let Some(conditions) = &conditions {
        message.push_str(&format!(
            "\nThe policy grants it under a condition that does not hold: {conditions}"
        ));
    } else if unread {
        message.push_str("\nIts policy could not be read.");
    } else if let Some(uid) = old {
        message.push_str(&format!(
            "\nThe policy names a deleted account of the same address (uid {uid}): the new account does not inherit the grant."
        ));
    }
    let error = cloud(Class::Denied, codes::identity::TARGET_DENIED, message);
    let role = google::roles::with(&target.resource, lacking);
    if conditions.is_some() {
        return error.help(
            "an administrator can change the condition; a grant without one would allow more than it does",
        );
    }
    if unread {
        let needs = role.map_or_else(|| and(lacking), str::to_owned);
        let error = error.help(format!(
            "{} needs {needs} on {place}; the policy may already grant it under a condition, so an administrator has to check first:",
            identity.who()
        ));
        return error.helps(show_policy(&target.resource));
    }
    let Some(member) = identity.holder() else {
        return error.help(format!(
            "grant it to the workload itself; its principal contains the number of project {}, which could not be read",
            identity.workload.project
        ));
    };
    match role.and_then(|role| grant(&target.resource, &member, role)) {
        // What is asked of the bucket can't be granted on some of its objects.
        Some(command) if on_prefix_only(&target.resource, lacking) => error
            .help(format!(
                "an administrator of {} can grant it:",
                target.resource.carrier()
            ))
            .help(command),
        _ => error.help(format!(
            "grant {} a role that contains {} there",
            identity.who(),
            and(lacking)
        )),
    }
}
