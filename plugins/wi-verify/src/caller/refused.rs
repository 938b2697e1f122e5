//! The link that Google's refusal of a job is about.
//!
//! The sentences are Google's; those of the audience and the signature are not confirmed by a
//! public report.

use sidestep::google::{Account, Member, let_act_as};
use sidestep::{Error, codes};

use super::provider::Name;
use super::{broken, shown};
use crate::inputs::Job;
use crate::report::Link;

/// Parts of Google's sentences, each with the link and the code that it stands for.
const SENTENCES: [(&str, Link, &str); 9] = [
    (
        "The target service indicated by the \"audience\" parameters is invalid",
        Link::PROVIDER,
        codes::identity::PROVIDER_MISSING,
    ),
    (
        "Invalid value for \"audience\"",
        Link::PROVIDER,
        codes::identity::PROVIDER_NAME,
    ),
    (
        "The issuer in ID Token",
        Link::PROVIDER,
        codes::identity::ISSUER_MISMATCH,
    ),
    (
        "Error connecting to the given credential's issuer",
        Link::PROVIDER,
        codes::identity::ISSUER_UNREACHABLE,
    ),
    (
        "The audience in ID Token",
        Link::PROVIDER,
        codes::identity::AUDIENCE_MISMATCH,
    ),
    (
        "The size of mapped attribute",
        Link::CONDITION,
        codes::identity::MAPPING,
    ),
    (
        "The mapping of google.subject",
        Link::CONDITION,
        codes::identity::MAPPING,
    ),
    (
        "rejected by the attribute condition",
        Link::CONDITION,
        codes::identity::CALLER_CONDITION,
    ),
    (
        "getAccessToken",
        Link::JOB_BINDING,
        codes::identity::CALLER_BINDING,
    ),
];

/// Returns the link that a refusal is about, and its failure.
pub(super) fn judge(job: &Job, error: Error) -> (Link, Error) {
    if [
        codes::identity::NO_ID_TOKEN,
        codes::identity::ID_TOKEN_EXPIRED,
    ]
    .contains(&&*error.code)
    {
        return (Link::ID_TOKEN, error);
    }
    // A name that cannot be one explains what Google says about it.
    let name = match Name::read(&job.provider) {
        Ok(name) => name,
        Err(wrong) => {
            let message = format!("{}\n{}", wrong.message, error.message);
            let told = Error { message, ..wrong };
            return (Link::PROVIDER, told);
        }
    };
    let known = SENTENCES
        .iter()
        .find(|(sentence, _, _)| error.message.contains(sentence));
    let Some((_, link, code)) = known else {
        return (Link::CREDENTIAL, error);
    };
    let told = broken(code, error.message.clone());
    let told = match *code {
        codes::identity::ISSUER_UNREACHABLE => unreachable(&name, job, told),
        codes::identity::CALLER_BINDING => unbound(&name, job, told),
        codes::identity::CALLER_CONDITION => told.help(
            "the condition of the provider decides: compare it with the claims of the job's token",
        ),
        _ => told,
    };
    (*link, told)
}

/// Google reads an issuer's keys over the internet, unless the provider has them.
fn unreachable(name: &Name, job: &Job, told: Error) -> Error {
    let issuer = job.claims.get("iss").map(shown).unwrap_or_default();
    told.help(format!(
        "Google reads the keys of {issuer} over the internet; if it can't, give the provider the keys, and again after each change of them: save them as jwks.json (GitLab: {issuer}/oauth/discovery/keys), then:"
    ))
    .helps(super::commands::update(name, "--jwk-json-path", "jwks.json"))
}

/// The job may not act as the account. Without the mapping, its subject is taken for the claim.
fn unbound(name: &Name, job: &Job, told: Error) -> Error {
    let (Some(account), Some(subject)) = (&job.service_account, job.claims.get("sub")) else {
        return told;
    };
    let path = format!("{}/subject/{}", name.pool_name(), shown(subject));
    let member = Member::of_pool(&format!("principal://iam.googleapis.com/{path}"));
    let told = match Account::read(account) {
        Some(_) => told,
        None => return told,
    };
    match member.and_then(|member| let_act_as(account.as_str(), &member)) {
        Some(command) => told
            .help("an administrator of the account can let exactly this subject act as it (if the provider maps google.subject=assertion.sub):")
            .help(command),
        None => told,
    }
}
