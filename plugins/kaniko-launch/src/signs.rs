//! Lines of kaniko's log that tell why a build failed.
//!
//! The cause is not among the last lines: kaniko prints its whole usage text after an error. So the
//! host is asked for these lines as they come by.

use sidestep::kubernetes::Pattern;

/// What a line of the log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sign {
    /// Google does not take the service account's key.
    KeyRefused,
    /// The metadata server was not there (yet), so there was no identity at all.
    NoIdentity,
    /// The service account may not be used by this Kubernetes service account.
    BindingMissing,
    /// The service account does not exist.
    AccountGone,
    /// The identity may not read the context.
    ContextDenied,
    /// There is no such context.
    ContextMissing,
    /// The push came without any identity.
    PushAnonymous,
    /// The identity may not push.
    PushDenied,
    /// The tag exists and may not be moved.
    TagImmutable,
    /// The Dockerfile is not in the context.
    DockerfileMissing,
    /// A COPY or ADD takes what the context does not hold.
    SourceMissing,
    /// A COPY takes what a stage does not hold.
    StageLacks,
    /// What an instruction takes for an image's name is none.
    ImageName,
    /// A base image does not exist.
    BaseMissing,
    /// A RUN instruction failed.
    RunFailed,
    /// The finished image could not be pushed.
    PushFailed,
    /// Something else that kaniko calls an error.
    Error,
}

/// Each sign with its name for the host and its pattern, the more telling first.
const SIGNS: &[(Sign, &str, &str)] = &[
    (
        // RFC 6749, 5.2, as the answer itself or as Go's client words it; the group is the
        // description.
        Sign::KeyRefused,
        "key-refused",
        r#"invalid_grant\W+(?:error_description\W+)?([^"\\]*)"#,
    ),
    (
        Sign::NoIdentity,
        "no-identity",
        r"could not find default credentials",
    ),
    (
        Sign::BindingMissing,
        "binding-missing",
        r"Permission 'iam\.serviceAccounts\.getAccessToken' denied.*",
    ),
    (
        Sign::AccountGone,
        "account-gone",
        r#"GCE metadata "instance/service-accounts/default/token[^"]*" not defined"#,
    ),
    (
        Sign::ContextDenied,
        "context-denied",
        r"([^\s<>]+) does not have storage\.objects\.get access",
    ),
    (
        Sign::ContextMissing,
        "context-missing",
        r"storage: object doesn't exist",
    ),
    (
        Sign::PushAnonymous,
        "push-anonymous",
        r"Unauthenticated requests? do(?:es)? not have permission",
    ),
    (
        Sign::PushDenied,
        "push-denied",
        r#"Permission "artifactregistry\.repositories\.uploadArtifacts" denied on resource "([^"]*)""#,
    ),
    (
        Sign::TagImmutable,
        "tag-immutable",
        r"The repository has enabled tag immutability",
    ),
    (
        Sign::DockerfileMissing,
        "dockerfile-missing",
        r"please provide a valid path to a Dockerfile within the build context",
    ),
    (
        Sign::SourceMissing,
        "source-missing",
        r"failed to get fileinfo for /kaniko/buildcontext/(.*?): lstat",
    ),
    (
        Sign::StageLacks,
        "stage-lacks",
        r"failed to get fileinfo for /kaniko/deps/(.*?): lstat",
    ),
    (
        Sign::ImageName,
        "image-name",
        r"error building image: could not parse reference: (.*)",
    ),
    (
        Sign::BaseMissing,
        "base-missing",
        r"(\S+): MANIFEST_UNKNOWN",
    ),
    (
        Sign::RunFailed,
        "run-failed",
        // Other instructions fail so too: these are the words for a command.
        r"failed to execute command: ((?:starting command|waiting for process to exit): .*)",
    ),
    (
        Sign::PushFailed,
        "push-failed",
        r"error pushing image: (.*)",
    ),
    (Sign::Error, "error", r"^(?:Error: |error )(.*)"),
];

impl Sign {
    /// The sign of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        SIGNS
            .iter()
            .find(|(_, known, _)| *known == name)
            .map(|(sign, _, _)| *sign)
    }
}

/// What the host is asked to look for.
pub(crate) fn patterns() -> Vec<Pattern> {
    let pattern = |(_, id, regex): &(Sign, &str, &str)| Pattern {
        id: (*id).to_owned(),
        regex: (*regex).to_owned(),
    };
    SIGNS.iter().map(pattern).collect()
}

/// The most telling sign of a log, with its text. Signs come in the order of the log; a later
/// one of the same kind takes the place of an earlier one.
#[derive(Debug, Default)]
pub(crate) struct Signs(Vec<(Sign, String)>);

impl Signs {
    /// Takes a line that matched.
    pub(crate) fn add(&mut self, sign: Sign, text: String) {
        self.0.retain(|(known, _)| *known != sign);
        self.0.push((sign, text));
    }

    /// The most telling one.
    pub(crate) fn first(&self) -> Option<(Sign, &str)> {
        self.0
            .iter()
            .min_by_key(|(sign, _)| *sign)
            .map(|(sign, text)| (*sign, text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_goes_before_what_follows_from_it() {
        let mut signs = Signs::default();
        signs.add(Sign::Error, "checking push permissions".into());
        signs.add(
            Sign::PushDenied,
            "projects/demo/locations/europe/repositories/images".into(),
        );
        assert_eq!(signs.first().expect("a sign").0, Sign::PushDenied);
    }

    #[test]
    fn every_sign_is_found_by_its_name() {
        for pattern in patterns() {
            assert!(Sign::from_name(&pattern.id).is_some(), "{}", pattern.id);
        }
    }
}
