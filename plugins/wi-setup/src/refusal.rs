//! Google's refusals of a change: those that pass, and those that no role lifts.
//!
//! The sentences are those of IAM's API:
//! <https://cloud.google.com/iam/docs/troubleshooting-allow-policies>

use std::time::Duration;

use sidestep::{Class, Error, Owner, codes, google};

/// Returns whether another attempt can succeed: the policy changed meanwhile, or Google does not
/// know a new account yet.
pub(crate) fn passes(error: &Error) -> bool {
    error.class == Class::Conflict || is_unknown_member(error)
}

/// `Service account app-ci@demo.iam.gserviceaccount.com does not exist.`, or a 404 of its own policy.
fn is_unknown_member(error: &Error) -> bool {
    let unknown = error.class == Class::InvalidInput && error.message.contains("does not exist");
    unknown || error.is_not_found()
}

/// Returns the failure after the last attempt.
pub(crate) fn too_long(error: Error, wait: Duration) -> Error {
    let seconds = wait.as_secs();
    if error.class == Class::Conflict {
        return Error::new(
            Class::Conflict,
            codes::identity::CHANGED_MEANWHILE,
            Owner::Cloud,
            format!(
                "other clients changed the policy before each attempt, for {seconds} s.\n{}",
                error.message
            ),
        )
        .help("run the step again, or set a longer `wait`");
    }
    Error::new(
        Class::TimedOut,
        codes::identity::NOT_VISIBLE,
        Owner::Cloud,
        format!(
            "Google does not know the account as a member after {seconds} s.\n{}",
            error.message
        ),
    )
    .help("a new account can take a minute: run the step again, or set a longer `wait`")
}

/// Returns the refusal with a code that says why no role helps, if it is one of those.
pub(crate) fn named(error: Error) -> Error {
    let message = error.message.clone();
    let cloud = |code| Error::new(error.class, code, Owner::Cloud, message.clone());
    if google::is_perimeter(&message) {
        return cloud(codes::identity::PERIMETER_DENIED)
            .help("a service perimeter (VPC Service Controls) forbids the change: an administrator of the perimeter can find the denial by its unique identifier");
    }
    if is_full(&message) {
        return cloud(codes::identity::POLICY_FULL)
            .help("remove members that are not needed any more, or grant the role to a group that the member joins");
    }
    if is_constraint(&message) {
        return cloud(codes::identity::ORGANIZATION_POLICY)
            .help("an organization policy forbids the change: an administrator of the organization can change it or make an exception");
    }
    error
}

/// `The number of members in the policy (1,501) is larger than the maximum allowed size 1,500.`
fn is_full(message: &str) -> bool {
    message.contains("larger than the maximum allowed size")
}

/// Domain restricted sharing, and any other constraint, whose name the sentence has.
/// <https://cloud.google.com/resource-manager/docs/organization-policy/restricting-domains>
fn is_constraint(message: &str) -> bool {
    message.contains("do not belong to a permitted customer")
        || message.contains("constraints/iam.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(class: Class, message: &str) -> Error {
        Error::new(class, "google.x", Owner::Cloud, message)
    }

    #[test]
    fn only_what_passes_is_tried_again() {
        let unknown =
            "cannot set the policy: Service account a@p.iam.gserviceaccount.com does not exist.";
        assert!(passes(&refused(Class::InvalidInput, unknown)));
        assert!(passes(&refused(Class::Conflict, "changed")));
        assert!(passes(&refused(Class::NotFound, "Unknown service account")));
        assert!(!passes(&refused(Class::Denied, "no")));
        assert!(!passes(&refused(
            Class::InvalidInput,
            "Role roles/x is not supported for this resource."
        )));
    }

    #[test]
    fn refusals_that_no_role_lifts_have_their_own_codes() {
        for (message, code) in [
            (
                "The number of members in the policy (1,501) is larger than the maximum allowed size 1,500.",
                "identity.policy-full",
            ),
            (
                "One or more users named in the policy do not belong to a permitted customer.",
                "identity.organization-policy",
            ),
            (
                "Operation denied by org policy on resource: [\"constraints/iam.disableServiceAccountCreation\"]",
                "identity.organization-policy",
            ),
            (
                "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: x1Y-2z",
                "identity.perimeter-denied",
            ),
            ("Permission denied", "google.x"),
        ] {
            let error = named(refused(Class::Failed, message));
            assert_eq!(error.code, code, "{message}");
            assert!(error.message.contains(message));
        }
    }

    #[test]
    fn the_end_of_patience_says_what_it_waited_for() {
        let wait = Duration::from_mins(1);
        let error = too_long(refused(Class::Conflict, "changed"), wait);
        assert_eq!(error.code, "identity.changed-meanwhile");
        let error = too_long(refused(Class::InvalidInput, "does not exist"), wait);
        assert_eq!(error.code, "identity.not-visible");
        assert!(error.message.contains("60 s"), "{error}");
    }
}
