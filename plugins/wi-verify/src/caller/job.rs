//! The links C1 to C4 of a job, checked by someone else for it.

use sidestep::gcp::iam::PolicyResource;
use sidestep::gcp::project;
use sidestep::google::{Account, Member, is_number, let_act_as};
use sidestep::identity::Federation;
use sidestep::{Error, Result, codes};

use super::provider::{self, Name};
use super::{Claims, broken, condition, near_miss, text, told, written_wrong};
use crate::inputs::Job;
use crate::reads;
use crate::report::{Link, Report};
use crate::roles::{self, ACTS_AS, Grant, grants};
use crate::verdict::{Verdict, unread};

/// Checks the links of a job up to the first that is broken. `caller` asks.
pub(crate) fn check(job: &Job, caller: &str, report: &mut Report) -> Result<()> {
    let told_by = format!("of the job that `caller` describes, checked as {caller}");
    report.take(Link::CREDENTIAL, Verdict::Skipped(told_by))?;
    sidestep::info!("claims of the id token: {}", text(&job.claims));
    // Also shows the host that this step has seen the claims.
    reads::federation(&job.claims, &[], None)?;
    report.take(Link::ID_TOKEN, id_token(&job.claims))?;
    let name = match Name::read(&job.provider) {
        Ok(name) => name,
        Err(wrong) => return report.take(Link::PROVIDER, Verdict::Broken(numbered(job, wrong))),
    };
    let pool = provider::pool(&name, reads::pool(&name.pool_name()), caller)?;
    if !matches!(pool, Verdict::Holds(_)) {
        report.take(Link::PROVIDER, pool)?;
        let unread = "not checked: the provider was not read";
        report.take(Link::CONDITION, Verdict::Unknown(unread.to_owned()))?;
        return report.take(Link::JOB_BINDING, Verdict::Unknown(unread.to_owned()));
    }
    let read = reads::provider(&name.text());
    report.take(
        Link::PROVIDER,
        provider::provider(&name, &read, &job.claims, caller)?,
    )?;
    let Ok(found) = read else {
        let unread = "not checked: the provider was not read";
        report.take(Link::CONDITION, Verdict::Unknown(unread.to_owned()))?;
        return report.take(Link::JOB_BINDING, Verdict::Unknown(unread.to_owned()));
    };
    let federation = reads::federation(&job.claims, &found.mappings, found.condition.as_deref())?;
    report.take(
        Link::CONDITION,
        condition::judge(&name, &found, &federation, &job.claims),
    )?;
    report.take(Link::JOB_BINDING, binding(&name, job, &federation, caller)?)
}

/// Judges whether the claims are those of an id token.
fn id_token(claims: &Claims) -> Verdict {
    let missing: Vec<&str> = ["iss", "sub", "aud"]
        .into_iter()
        .filter(|name| !claims.contains_key(*name))
        .collect();
    if missing.is_empty() {
        Verdict::Holds(told(claims))
    } else {
        Verdict::Broken(written_wrong(
            codes::identity::NO_ID_TOKEN,
            format!(
                "the claims are not those of an id token: they lack {}",
                missing.join(", ")
            ),
        ))
    }
}

/// Adds the number of the project to the failure of a name with the project's id.
fn numbered(job: &Job, wrong: Error) -> Error {
    let mut parts = job.provider.split('/');
    let id = parts.nth(1).unwrap_or_default();
    if is_number(id) || id.is_empty() {
        return wrong;
    }
    match project::get(id) {
        Ok(found) => {
            let right = job.provider.replacen(
                &format!("projects/{id}/"),
                &format!("projects/{}/", found.number),
                1,
            );
            wrong.help(format!("so write: {right}"))
        }
        Err(_) => wrong,
    }
}

/// Judges the policy of the job's service account.
fn binding(name: &Name, job: &Job, found: &Federation, caller: &str) -> Result<Verdict> {
    let Some(email) = &job.service_account else {
        return Ok(Verdict::Skipped(
            "none: the job has its own roles".to_owned(),
        ));
    };
    let policy = match reads::policy(PolicyResource::ServiceAccount(email.clone())) {
        Ok(policy) => policy,
        Err(error) if error.is_not_found() => {
            return Ok(Verdict::Broken(broken(
                codes::identity::CALLER_BINDING,
                format!("the service account {email} does not exist."),
            )));
        }
        Err(error) => return unread(caller, &format!("the policy of {email}"), error),
    };
    let project = Account::read(email);
    let project = project.as_ref().and_then(Account::project_id);
    let inherited = project.map(|id| reads::policy(PolicyResource::Project(id.to_owned())));
    let acts = |role: &str| ACTS_AS.contains(&role);
    let is = |member: &str| near_miss::is(name, found, member);
    let mut conditions = Vec::new();
    let readable = inherited.as_ref().and_then(|read| read.as_ref().ok());
    for policy in [Some(&policy), readable] {
        match grants(policy, acts, is) {
            Grant::Given => return Ok(Verdict::Holds(format!("the job may act as {email}"))),
            Grant::Conditioned(more) => conditions.extend(more),
            Grant::Undecided(_) | Grant::Absent | Grant::Unread => {}
        }
    }
    if !conditions.is_empty() {
        return Ok(Verdict::Warns(
            format!(
                "the job may act as {email} under a condition: {}",
                roles::shown(&conditions)
            ),
            Vec::new(),
        ));
    }
    let near = near_miss::look(name, found, &policy);
    if let Some(Err(error)) = inherited {
        return Ok(Verdict::Unknown(format!(
            "not checked: the policy of {email} does not let the job act as it{}, and the policy of its project, which may, could not be read ({})",
            near.map_or_else(String::new, |near| format!(" ({near})")),
            error.message
        )));
    }
    let mut message = format!("no binding lets the job act as {email}.");
    if let Some(near) = near {
        message.push('\n');
        message.push_str(&near);
    }
    Ok(Verdict::Broken(
        broken(codes::identity::CALLER_BINDING, message)
            .help("an administrator of the account can let the job act as it:")
            .helps(let_act_as(email.as_str(), &member(name, found))),
    ))
}

/// Returns the member to grant the account to: the job's repository or project by its id, which
/// cannot be taken over; else the subject.
fn member(name: &Name, found: &Federation) -> Member {
    let of = |kind: &str, path: String| {
        let text = format!("{kind}://iam.googleapis.com/{}/{path}", name.pool_name());
        Member::of_pool(&text)
    };
    let by_id = ["attribute.repository_id", "attribute.project_id"]
        .into_iter()
        .find_map(|key| {
            let value = condition::attribute(found, key)?;
            of("principalSet", format!("{key}/{value}"))
        });
    by_id
        .or_else(|| {
            let subject = condition::attribute(found, "google.subject")?;
            of("principal", format!("subject/{subject}"))
        })
        .unwrap_or_else(|| Member::account(""))
}
