//! Link 10: the identity may do what is needed on each target.

use sidestep::gcp::iam::Policy;
use sidestep::identity::TargetResult;
use sidestep::{Class, Error, Result};

use crate::commands;
use crate::google_account::deleted;
use crate::identity::{Identity, Way};
use crate::roles::{self, Grant};
use crate::targets::{Place, Target};
use crate::verdict::{Verdict, and, cloud};

/// A verdict, and whether a broken one may heal by itself: the policy grants it, and a fresh change
/// is not seen at once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) fresh: bool,
}

/// Judges a target by what the proof says; `policy` is the target's, where it could be read.
pub(crate) fn judge(
    identity: &Identity,
    target: &Target,
    result: &TargetResult,
    policy: Option<&Policy>,
) -> Result<Judged> {
    let settled = |verdict| Judged {
        verdict,
        fresh: false,
    };
    let place = target.place.shown();
    if let Some(failure) = &result.failure {
        let error = Error::from(failure.clone());
        return match error.class {
            Class::NotFound => Ok(settled(Verdict::Broken(missing(identity, target)))),
            _ if error.code.ends_with("api-disabled") => Ok(Judged {
                verdict: Verdict::Broken(Error {
                    code: "identity.api-disabled".to_owned(),
                    ..error
                }),
                fresh: true,
            }),
            Class::Denied | Class::Refused => Ok(settled(Verdict::Unknown(format!(
                "not checked: {} may not ask what it may do on {place}",
                identity.who()
            )))),
            _ => Err(error),
        };
    }
    let wanted = target.permissions.iter().map(String::as_str);
    let lacking: Vec<&str> = wanted
        .filter(|permission| !result.granted.iter().any(|had| had == permission))
        .collect();
    if lacking.is_empty() {
        let verbs: Vec<&str> = target.permissions.iter().map(|p| short(p)).collect();
        return Ok(settled(Verdict::Holds(format!("{place}: {}", and(&verbs)))));
    }
    let grants: Vec<Grant> = lacking
        .iter()
        .map(|permission| match policy {
            Some(policy) => roles::allows(&target.place, policy, permission, |m| identity.holds(m)),
            None => Grant::Absent,
        })
        .collect();
    let fresh = grants.iter().all(|grant| *grant == Grant::Given);
    Ok(Judged {
        verdict: Verdict::Broken(lacks(identity, target, &lacking, &grants, policy)),
        fresh,
    })
}

fn lacks(
    identity: &Identity,
    target: &Target,
    lacking: &[&str],
    grants: &[Grant],
    policy: Option<&Policy>,
) -> Error {
    let place = target.place.shown();
    let mut message = format!("{} lacks {} on {place}.", identity.who(), and(lacking));
    let condition = grants.iter().find_map(|grant| match grant {
        Grant::Conditioned(condition) => Some(condition),
        _ => None,
    });
    let old = policy
        .zip(identity.way.account())
        .and_then(|(policy, email)| deleted(policy, email));
    if grants.iter().all(|grant| *grant == Grant::Given) {
        message.push_str("\nThe policy grants it, and Google does not see that yet, or a deny policy takes it away.");
    } else if let Some(condition) = condition {
        message.push_str(&format!(
            "\nThe policy grants it under a condition that does not hold: {condition}"
        ));
    } else if let Some(uid) = old {
        message.push_str(&format!(
            "\nThe policy names a deleted account of the same address (uid {uid}): the one made anew inherits nothing."
        ));
    }
    let error = cloud(Class::Denied, "target-denied", message);
    let role = roles::with(&target.place, lacking);
    if condition.is_some() {
        return error.help(
            "an administrator can change the condition; a grant without one would open more than it does",
        );
    }
    match (identity.holder(), role) {
        (Some(member), Some(role)) => error
            .help(format!("grant it, as who administers {place}:"))
            .helps(commands::grant(&target.place, &member, role)),
        (Some(member), None) => {
            error.help(format!("grant {member} a role that has {} there", and(lacking)))
        }
        (None, _) => error.help(format!(
            "grant it to the workload itself; its principal has the number of project {}, which could not be read",
            identity.workload.project
        )),
    }
}

/// A target that is not there.
fn missing(identity: &Identity, target: &Target) -> Error {
    let place = &target.place;
    let error = cloud(
        Class::NotFound,
        "target-missing",
        format!(
            "there is no {}",
            place.shown().replace("gs://", "bucket gs://")
        ),
    );
    error
        .help(match place {
            Place::Bucket(_) => {
                "mend its name, or make it, here in the cluster's project and region:"
            }
            Place::Repository { .. } => "mend its name, or make it:",
            Place::Secret { .. } => "mend its name, or make it, and add its value as a version:",
            Place::Project(_) => "`project` is a project's id, not its display name",
        })
        .helps(commands::create(place, &identity.workload))
}

/// A permission as people say it: `objects.get`, `uploadArtifacts`.
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
    Some(if all.code == "identity.target-denied" {
        all.help("it can take some minutes until a new grant is seen everywhere")
    } else {
        all
    })
}

/// The form in the outputs.
pub(crate) fn form(way: &Way) -> &'static str {
    match way {
        Way::Direct => "direct",
        Way::As(_) => "impersonation",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::example;
    use crate::roles::policy;

    const BUILDER: &str = "builder@demo.iam.gserviceaccount.com";

    fn builder() -> Identity {
        example(Way::As(BUILDER.to_owned()))
    }

    fn bucket() -> Target {
        Target {
            place: Place::Bucket("contexts".to_owned()),
            permissions: vec!["storage.objects.get".to_owned()],
        }
    }

    fn repository() -> Target {
        Target {
            place: Place::Repository {
                project: "shared".to_owned(),
                location: "europe".to_owned(),
                name: "images".to_owned(),
            },
            permissions: vec![
                "artifactregistry.repositories.uploadArtifacts".to_owned(),
                "artifactregistry.repositories.downloadArtifacts".to_owned(),
            ],
        }
    }

    fn granted(granted: &[&str]) -> TargetResult {
        TargetResult {
            granted: granted.iter().map(ToString::to_string).collect(),
            failure: None,
        }
    }

    #[test]
    fn what_is_lacking_is_granted_to_whoever_reaches_for_it() {
        let judged = judge(&builder(), &bucket(), &granted(&[]), None).expect("a verdict");
        assert!(!judged.fresh);
        let error = judged.verdict.broken();
        assert_eq!(
            error.help[1],
            "gcloud storage buckets add-iam-policy-binding gs://contexts --member serviceAccount:builder@demo.iam.gserviceaccount.com --role roles/storage.objectViewer --condition=None"
        );
        let half = granted(&["artifactregistry.repositories.downloadArtifacts"]);
        let error = judge(&example(Way::Direct), &repository(), &half, None)
            .expect("a verdict")
            .verdict
            .broken();
        assert_eq!(
            error.help[1],
            "gcloud artifacts repositories add-iam-policy-binding images --location europe --project shared --member principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/demo.svc.id.goog/subject/ns/builds/sa/kaniko --role roles/artifactregistry.writer --condition=None"
        );
    }

    #[test]
    fn a_policy_that_grants_it_may_not_be_seen_yet() {
        let role = "roles/storage.objectViewer";
        let judge = |member: &str| {
            judge(
                &builder(),
                &bucket(),
                &granted(&[]),
                Some(&policy(&[(role, member)])),
            )
            .expect("a verdict")
        };
        assert!(judge("serviceAccount:builder@demo.iam.gserviceaccount.com").fresh);
        let old = judge("deleted:serviceAccount:builder@demo.iam.gserviceaccount.com?uid=104");
        assert!(!old.fresh);
        assert!(old.verdict.broken().message.contains("uid 104"));
    }

    #[test]
    fn what_is_there_holds_and_what_is_missing_is_made() {
        let all = granted(&["storage.objects.get"]);
        let judged = judge(&builder(), &bucket(), &all, None).expect("a verdict");
        assert_eq!(
            judged.verdict,
            Verdict::Holds("gs://contexts: objects.get".to_owned())
        );
        let gone = TargetResult {
            granted: Vec::new(),
            failure: Some(cloud(Class::NotFound, "x", "no").into()),
        };
        let error = judge(&builder(), &repository(), &gone, None)
            .expect("a verdict")
            .verdict
            .broken();
        assert_eq!(
            error.message,
            "there is no repository images in europe of shared"
        );
        assert_eq!(
            error.help[1],
            "gcloud artifacts repositories create images --repository-format=docker --location europe --project shared"
        );
        let error = judge(&builder(), &bucket(), &gone, None)
            .expect("a verdict")
            .verdict
            .broken();
        assert_eq!(error.message, "there is no bucket gs://contexts");
    }
}
