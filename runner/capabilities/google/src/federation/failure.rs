//! The failures of a job's sign-in. All are the operator's, since the job's settings and the CI's
//! are.

use sidestep_events::{Class, Failure, Owner, codes};

use super::JobIdentity;
use crate::{IdToken, NotGiven, Variables};

fn denied(code: &'static str, message: String) -> Failure {
    Failure::new(Class::Denied, code, Owner::Operator, message)
}

/// Returns the failure when the CI offers an id token, but does not give it.
pub(super) fn no_id_token(why: &NotGiven) -> Failure {
    let mut failure = denied(
        codes::identity::NO_ID_TOKEN,
        format!("the CI offers this job an id token, but it can't be obtained: {why}"),
    );
    if why.is_transient() {
        failure.class = Class::Unavailable;
    }
    failure
}

/// Returns the failure when the CI offers no id token.
pub(super) fn not_offered(variables: &Variables, identity: &JobIdentity) -> Failure {
    let failure = denied(
        codes::identity::NO_ID_TOKEN,
        "the setting `identity.provider` is set, but the CI gives this job no id token".to_owned(),
    );
    let audience = format!("https://iam.googleapis.com/{}", identity.provider);
    if variables.get("GITHUB_ACTIONS").is_some() {
        return failure
            .with_help("let the job request one, in its workflow (GitHub gives none to pull requests from forks):")
            .with_help("permissions: { contents: read, id-token: write }");
    }
    if variables.get("GITLAB_CI").is_some() {
        return failure.with_help("add one to the job:").with_help(format!(
            "id_tokens: {{ GOOGLE_TOKEN: {{ aud: {audience} }} }}"
        ));
    }
    failure.with_help(
        "GitHub Actions, GitLab CI and Buildkite give id tokens; elsewhere, unset `identity.provider` \
         and use Application Default Credentials",
    )
}

/// Returns the failure when the only id token of the job has expired.
pub(super) fn expired(token: &IdToken) -> Failure {
    let issuer = token.claims.get("iss").and_then(|issuer| issuer.as_str());
    let issuer = issuer.unwrap_or("the CI");
    denied(
        codes::identity::ID_TOKEN_EXPIRED,
        format!(
            "the job's id token has expired, and {issuer} gives a job only one: Google's token can't \
             be renewed"
        ),
    )
    .with_help("GitLab's token lasts as long as the job may run: set a longer `timeout` of the job")
}

/// The errors by which the STS refuses a token or its audience (RFC 6749, 5.2, and RFC 8693, 2.2.2).
/// A disabled API, a quota or a proxy's page are no decision of the provider's.
const REFUSALS: [&str; 4] = [
    "invalid_grant",
    "invalid_request",
    "invalid_target",
    "unauthorized_client",
];

/// Returns the failure of an exchange, with Google's own words.
pub(super) fn of_exchange(failed: Failure, what: &str, identity: &JobIdentity) -> Failure {
    let reason = failed.details.get("reason");
    let reason = reason.and_then(|reason| reason.as_str());
    let Some(reason) = reason.filter(|reason| REFUSALS.contains(reason)) else {
        return failed;
    };
    if failed.class == Class::Unavailable {
        return failed;
    }
    let said = said(&failed, what);
    denied(
        codes::identity::NO_TOKEN,
        format!("Google refuses the id token of this job: {said} ({reason})"),
    )
    .with_detail("reason", reason)
    .with_detail("provider", identity.provider.as_str())
    .with_help(format!(
        "{} decides, by its attribute condition, its attribute mapping and its allowed audiences: \
         compare them with the claims of the job's token",
        identity.provider
    ))
}

/// The reason of a refusal by a perimeter of VPC Service Controls.
const PERIMETER: &str = "SECURITY_POLICY_VIOLATED";

/// Returns the failure of an impersonation, with Google's own words.
pub(super) fn of_impersonation(failed: Failure, account: &str) -> Failure {
    // A disabled API, a quota or a perimeter is no decision about the job.
    let refusals = [codes::google::PERMISSION_DENIED, codes::google::NOT_FOUND];
    let is_perimeter = failed.details.get("reason") == Some(&PERIMETER.into());
    if is_perimeter || !refusals.iter().any(|code| failed.code == *code) {
        return failed;
    }
    let what = format!("act as {account}");
    let said = said(&failed, &what);
    denied(
        codes::identity::NO_TOKEN,
        format!("Google does not let this job act as {account}: {said}"),
    )
    .with_detail("account", account)
}

/// Returns what Google said, after our own words.
fn said<'f>(failed: &'f Failure, what: &str) -> &'f str {
    let message = failed.message.exact();
    let ours = message
        .strip_prefix("cannot ")
        .and_then(|rest| rest.strip_prefix(what));
    ours.and_then(|rest| rest.strip_prefix(": "))
        .unwrap_or(message)
}

/// Returns the failure of an answer without a token.
pub(super) fn no_token(what: &str) -> Failure {
    Failure::new(
        Class::Failed,
        codes::identity::NO_TOKEN_IN_ANSWER,
        Owner::Cloud,
        format!("cannot {what}: the answer holds no token"),
    )
}
