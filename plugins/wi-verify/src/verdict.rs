//! The result of checking a link.

use sidestep::{Class, Error, Help, Owner, Result, codes, google};

/// The result of checking a link.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// It holds, with what was found.
    Holds(String),
    /// It holds, with a warning and what to do about it.
    Warns(String, Vec<Help>),
    /// It does not apply, for this reason.
    Skipped(String),
    /// It could not be checked, for this reason. Later links decide.
    Unknown(String),
    /// It is broken: the failure that ends the step.
    Broken(Error),
}

impl Verdict {
    pub(crate) fn is_broken(&self) -> bool {
        matches!(self, Self::Broken(_))
    }

    #[cfg(test)]
    pub(crate) fn broken(self) -> Error {
        match self {
            Self::Broken(error) => error,
            other => panic!("not broken: {other:?}"),
        }
    }
}

/// Returns the help of a warning.
pub(crate) fn helps(helps: impl IntoIterator<Item = impl Into<Help>>) -> Vec<Help> {
    helps.into_iter().map(Into::into).collect()
}

/// Returns the failure of a link that the cloud's administrator can fix.
pub(crate) fn cloud(class: Class, code: &str, message: impl Into<String>) -> Error {
    Error::new(class, code, Owner::Cloud, message)
}

/// Returns the failure of a link that the cluster's administrator can fix.
pub(crate) fn cluster(class: Class, code: &str, message: impl Into<String>) -> Error {
    Error::new(class, code, Owner::Cluster, message)
}

/// Returns whether a failure concerns the caller's own credentials, and so not the query.
pub(crate) fn is_callers(error: &Error) -> bool {
    error.class == Class::Denied && error.owner == Owner::Operator
}

/// Returns the denial of a service perimeter, if a failure is one: no role allows `what`
/// (<https://cloud.google.com/vpc-service-controls/docs/troubleshooting>).
pub(crate) fn perimeter(what: &str, error: &Error) -> Option<Error> {
    let is_one = error.class == Class::Denied && google::is_perimeter(&error.message);
    let broken = || {
        cloud(
            Class::Denied,
            codes::identity::PERIMETER_DENIED,
            format!("a service perimeter (VPC Service Controls) forbids {what}.\n{}", error.message),
        )
        .help("a role does not help: an administrator of the perimeter can find the denial by its unique identifier")
    };
    is_one.then(broken)
}

/// Judges a failed read. If `caller` may not make it, the link is unknown; any other failure does
/// not concern the link and ends the step unchanged.
pub(crate) fn unread(caller: &str, what: &str, error: Error) -> Result<Verdict> {
    match error.class {
        _ if is_callers(&error) => Err(error),
        _ if error.code.ends_with("api-disabled") => Ok(Verdict::Unknown(format!(
            "not checked: the API that is needed to read {what} is not enabled"
        ))),
        Class::Denied => Ok(Verdict::Unknown(format!(
            "not checked: {caller} lacks permission to read {what}{}",
            said(&error)
        ))),
        Class::Refused => Ok(Verdict::Unknown(format!(
            "not checked: this step has no grant to read {what}"
        ))),
        _ => Err(error),
    }
}

/// Google's sentence about a denial, after our own; the host's failure ends with it.
fn said(error: &Error) -> String {
    if error.message.is_empty() {
        String::new()
    } else {
        format!(" ({})", error.message)
    }
}

/// Names for a sentence: `a`, `a and b`, `a, b and c`.
pub(crate) fn and(names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_no_leaves_a_link_unknown() {
        let no = cloud(Class::Denied, "x", "no");
        assert_eq!(
            unread("dev@x", "the policy", no),
            Ok(Verdict::Unknown(
                "not checked: dev@x lacks permission to read the policy (no)".to_owned()
            ))
        );
        let away = cloud(Class::Unavailable, "x", "away");
        assert_eq!(unread("dev@x", "the policy", away.clone()), Err(away));
    }

    #[test]
    fn the_caller_s_own_credentials_are_not_the_target_s() {
        let said = "The given credential is rejected by the attribute condition.";
        let own = Error::new(Class::Denied, "identity.no-token", Owner::Operator, said);
        assert_eq!(unread("dev@x", "the policy", own.clone()), Err(own));
    }

    #[test]
    fn a_perimeter_is_told_from_a_missing_role() {
        let said = "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: x1Y-2z";
        let denied = cloud(Class::Denied, "x", said);
        let error = perimeter("reading gs://b", &denied).expect("one");
        assert_eq!(error.code, "identity.perimeter-denied");
        assert!(error.message.ends_with(said), "{error}");
        assert_eq!(
            perimeter("reading gs://b", &cloud(Class::Denied, "x", "no")),
            None
        );
    }

    #[test]
    fn names_are_joined_as_people_do() {
        assert_eq!(and(&["a", "b", "c"]), "a, b and c");
        assert_eq!(and(&["a"]), "a");
        assert_eq!(and(&[""; 0]), "nothing");
    }
}
