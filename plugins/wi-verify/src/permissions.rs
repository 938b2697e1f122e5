//! Link 10: the identity may do what is needed on each target.

mod absent;
mod lacks;
mod objects;
#[cfg(test)]
mod tests;

use sidestep::gcp::iam::Policy;
use sidestep::identity::TargetResult;
use sidestep::{Class, Error, Result, codes};

use absent::absent;
use lacks::lacks;
use objects::on_objects;

use crate::identity::{Identity, Way};
use crate::roles::{self, Grant};
use crate::settling::{Known, Settling};
use crate::targets::{Target, created_on_push};
use crate::verdict::{self, Verdict, and};

/// A verdict, and the change that may fix a broken one by itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) settling: Option<Settling>,
}

/// Returns whether the verdict on a target depends on a policy: its own, or that of the project in
/// which a push would create it.
pub(crate) fn hangs_on_policy(target: &Target, result: &TargetResult) -> bool {
    match &result.failure {
        Some(failure) => {
            failure.class == Class::NotFound.as_str() && created_on_push(&target.resource).is_some()
        }
        None => !lacking(target, result).is_empty(),
    }
}

fn lacking<'t>(target: &'t Target, result: &TargetResult) -> Vec<&'t str> {
    let wanted = target.permissions.iter().map(String::as_str);
    wanted
        .filter(|permission| !result.granted.iter().any(|had| had == permission))
        .collect()
}

/// Judges a target by the proof. `policy` is the policy that it depends on; none if it could not be
/// read.
pub(crate) fn judge(
    identity: &Identity,
    target: &Target,
    result: &TargetResult,
    policy: Option<&Policy>,
    known: Known,
) -> Result<Judged> {
    let settled = |verdict| Judged {
        verdict,
        settling: None,
    };
    let place = target.resource.shown();
    if let Some(failure) = &result.failure {
        let error = Error::from(failure.clone());
        if let Some(error) = verdict::perimeter(&format!("reaching {place}"), &error) {
            return Ok(settled(Verdict::Broken(error)));
        }
        return match error.class {
            Class::NotFound => Ok(settled(absent(identity, target, policy))),
            _ if error.code.ends_with("api-disabled") => Ok(Judged {
                verdict: Verdict::Broken(Error {
                    code: codes::identity::API_DISABLED.to_owned(),
                    ..error
                }),
                settling: known.apis.then_some(Settling::Api),
            }),
            Class::Denied if verdict::is_callers(&error) => Err(error),
            Class::Denied | Class::Refused => Ok(settled(Verdict::Unknown(format!(
                "not checked: {} is not allowed to test its permissions on {place} ({})",
                identity.who(),
                error.message
            )))),
            _ => Err(error),
        };
    }
    let lacking = lacking(target, result);
    if lacking.is_empty() {
        let verbs: Vec<&str> = target.permissions.iter().map(|p| short(p)).collect();
        return Ok(settled(Verdict::Holds(format!("{place}: {}", and(&verbs)))));
    }
    let grants: Vec<Grant> = lacking
        .iter()
        .map(|permission| {
            roles::allows(&target.resource, policy, permission, |m| identity.holds(m))
        })
        .collect();
    if let Some(verdict) = on_objects(identity, target, &lacking, &grants) {
        return Ok(settled(verdict));
    }
    let given = grants.iter().all(|grant| matches!(grant, Grant::Given));
    Ok(Judged {
        verdict: Verdict::Broken(lacks(identity, target, &lacking, &grants, policy)),
        settling: given.then_some(Settling::Grant),
    })
}

/// Shortens a permission for messages: `objects.get`, `uploadArtifacts`.
fn short(permission: &str) -> &str {
    let rest = permission
        .split_once('.')
        .map_or(permission, |(_, rest)| rest);
    rest.strip_prefix("repositories.").unwrap_or(rest)
}

/// Everything that is lacking as one failure: the first one's, with the help of all.
pub(crate) fn together(verdicts: Vec<Verdict>) -> Option<Error> {
    let errors = verdicts.into_iter().filter_map(|verdict| match verdict {
        Verdict::Broken(error) => Some(error),
        _ => None,
    });
    let all = errors.reduce(|mut all, one| {
        all.message = format!("{}\n{}", all.message, one.message);
        all.help.extend(one.help);
        all
    })?;
    Some(if all.code == codes::identity::TARGET_DENIED {
        all.help("a new grant can take some minutes to take effect")
    } else {
        all
    })
}

/// Returns the form in the outputs.
pub(crate) fn form(way: &Way) -> &'static str {
    match way {
        Way::Direct => "direct",
        Way::As(_) => "impersonation",
    }
}
