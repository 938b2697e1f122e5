//! Link 10: the identity may do what is needed on each target.

mod absent;
mod lacks;
mod objects;
#[cfg(test)]
mod tests;

use sidestep::gcp::iam::{Condition, Policy, PolicyResource};
use sidestep::google::Resource;
use sidestep::google::condition::is_of_objects;
use sidestep::identity::TargetResult;
use sidestep::{Class, Command, Error, Result, codes};

use absent::absent;
use lacks::lacks;
use objects::on_objects;

use crate::commands;
use crate::deny::Denial;
use crate::held::{Held, Place};
use crate::identity::{Identity, Way};
use crate::roles::{self, Grant};
use crate::settling::{Known, Settling};
use crate::targets::{self, Target, created_on_push};
use crate::verdict::{self, Verdict, and, cloud};

/// A verdict, and the change that may fix a broken one by itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) settling: Option<Settling>,
    /// The permissions that the identity lacks, and whether the target's own policy grants each. Empty
    /// if they are not what is broken.
    pub(crate) lacking: Vec<(String, bool)>,
}

/// Decides the conditions of a grant, of which one is enough, for a request about the target or one
/// of its objects.
pub(crate) type Decides<'a> = &'a dyn Fn(&[Condition], Option<&str>) -> Held;

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
    held: Decides<'_>,
) -> Result<Judged> {
    let settled = |verdict| Judged {
        verdict,
        settling: None,
        lacking: Vec::new(),
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
                lacking: Vec::new(),
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
    let mut lacking = lacking(target, result);
    let verbs: Vec<&str> = target.permissions.iter().map(|p| short(p)).collect();
    if lacking.is_empty() {
        return Ok(settled(Verdict::Holds(format!("{place}: {}", and(&verbs)))));
    }
    match object_read(target, result)? {
        ObjectRead::Not => {}
        ObjectRead::Missing(uri) => {
            return Ok(settled(Verdict::Unknown(format!(
                "not checked: {uri} does not exist; name an object that does"
            ))));
        }
        ObjectRead::Yes(uri) => {
            lacking.retain(|permission| *permission != READ);
            if lacking.is_empty() {
                let held = format!("{uri}: {}, though not on the whole bucket", and(&verbs));
                return Ok(settled(Verdict::Holds(held)));
            }
        }
    }
    let grants: Vec<Grant> = lacking
        .iter()
        .map(|permission| {
            let grant = roles::allows(&target.resource, policy, permission, |m| identity.holds(m));
            decided(target, permission, grant, held)
        })
        .collect();
    if let Some(verdict) = undecided(target, &grants) {
        return Ok(settled(verdict));
    }
    if target.object.is_none()
        && let Some(verdict) = on_objects(identity, target, &lacking, &grants, held)
    {
        return Ok(settled(verdict));
    }
    let given = |grant: &Grant| matches!(grant, Grant::Given);
    let names = lacking.iter().map(ToString::to_string);
    Ok(Judged {
        verdict: Verdict::Broken(lacks(identity, target, &lacking, &grants, policy)),
        settling: grants.iter().all(given).then_some(Settling::Grant),
        lacking: names.zip(grants.iter().map(given)).collect(),
    })
}

/// The permission that reading an object needs.
const READ: &str = "storage.objects.get";

/// The result of reading a target's object.
enum ObjectRead {
    /// It was not read, or Google refused it.
    Not,
    /// It was read.
    Yes(String),
    /// It does not exist.
    Missing(String),
}

fn object_read(target: &Target, result: &TargetResult) -> Result<ObjectRead> {
    let (Some(read), Some(uri)) = (&result.object, target.object_uri()) else {
        return Ok(ObjectRead::Not);
    };
    match read {
        Ok(()) => Ok(ObjectRead::Yes(uri)),
        Err(failure) => {
            let error = Error::from(failure.clone());
            match error.class {
                Class::NotFound => Ok(ObjectRead::Missing(uri)),
                Class::Denied if !verdict::is_callers(&error) => Ok(ObjectRead::Not),
                _ => Err(error),
            }
        }
    }
}

/// Decides the conditions of a grant. Those on the objects of a bucket stay, if no object is named.
fn decided(target: &Target, permission: &str, grant: Grant, held: Decides<'_>) -> Grant {
    let object = target.object.as_deref();
    let of_objects =
        matches!(target.resource, Resource::Objects { .. }) && is_of_objects(permission);
    match grant {
        Grant::Conditioned(conditions) if !of_objects || object.is_some() => {
            match held(&conditions, object.filter(|_| of_objects)) {
                Held::Yes => Grant::Given,
                Held::No => Grant::Conditioned(conditions),
                Held::Unknown(why) => Grant::Undecided(why),
            }
        }
        other => other,
    }
}

/// Returns the verdict on a target, if everything that it lacks depends on conditions that cannot be
/// decided.
fn undecided(target: &Target, grants: &[Grant]) -> Option<Verdict> {
    let why = grants.iter().find_map(|grant| match grant {
        Grant::Undecided(why) => Some(why),
        _ => None,
    })?;
    let open = |grant: &Grant| matches!(grant, Grant::Undecided(_) | Grant::Given);
    let place = target
        .object_uri()
        .unwrap_or_else(|| target.resource.shown());
    grants.iter().all(open).then(|| {
        Verdict::Unknown(format!(
            "not checked: on {place}, access depends on a condition, and wi-verify cannot tell whether it holds ({why})"
        ))
    })
}

/// Returns the failure of an identity that lacks what `by` grants, with what the deny policies say
/// about it.
pub(crate) fn overridden(
    identity: &Identity,
    target: &Target,
    lacking: &[&str],
    by: &str,
    denial: &Denial,
) -> Error {
    let (who, place) = (identity.who(), target.resource.shown());
    let why = match denial {
        Denial::Found(found) => return found.error(&who, &place, identity.holder().as_ref()),
        Denial::Unknown(why) => format!(
            "The grant may be new; otherwise the likely cause is a deny policy or a principal access boundary: {why}."
        ),
        Denial::Absent => "The grant may be new; no deny policy denies it, so the likely cause is otherwise a principal access boundary.".to_owned(),
    };
    let message = format!(
        "{who} lacks {} on {place}, although {by} grants it.\n{why}",
        and(lacking)
    );
    let error = cloud(Class::Denied, codes::identity::TARGET_DENIED, message);
    let commands: Vec<Command> = lacking
        .iter()
        .filter_map(|permission| {
            commands::troubleshoot(&full_name(target), identity.way.account()?, permission)
        })
        .collect();
    if commands.is_empty() {
        return error.help("an administrator of the organisation can read its deny policies and principal access boundaries");
    }
    error
        .help("an administrator of the organisation can find the cause:")
        .helps(commands)
}

/// Returns the full resource name, without its slashes in front.
fn full_name(target: &Target) -> String {
    let place = Place::of(&target.resource, None);
    match targets::resource(&target.resource) {
        PolicyResource::Bucket(name) => format!("{}/projects/_/buckets/{name}", place.service),
        PolicyResource::Project(id) => format!("{}/projects/{id}", place.service),
        PolicyResource::ServiceAccount(name)
        | PolicyResource::Repository(name)
        | PolicyResource::Secret(name) => format!("{}/{name}", place.service),
    }
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
