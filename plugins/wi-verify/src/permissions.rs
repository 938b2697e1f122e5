//! Link 10: the identity may do what is needed on each target.

use sidestep::gcp::iam::Policy;
use sidestep::identity::TargetResult;
use sidestep::{Class, Error, Result};

use crate::commands;
use crate::condition::{self, OfObjects};
use crate::google_account::deleted;
use crate::identity::{Identity, Way};
use crate::roles::{self, Grant};
use crate::targets::{Place, Target};
use crate::verdict::{self, Verdict, and, cloud};

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
        if let Some(error) = verdict::perimeter(&format!("reaching {place}"), &error) {
            return Ok(settled(Verdict::Broken(error)));
        }
        return match error.class {
            Class::NotFound if may_create(identity, target, policy) => Ok(settled(Verdict::Holds(
                format!("{place}: the first push creates it"),
            ))),
            Class::NotFound => Ok(settled(Verdict::Broken(missing(identity, target)))),
            _ if error.code.ends_with("api-disabled") => Ok(Judged {
                verdict: Verdict::Broken(Error {
                    code: "identity.api-disabled".to_owned(),
                    ..error
                }),
                fresh: true,
            }),
            Class::Denied if verdict::is_callers(&error) => Err(error),
            Class::Denied | Class::Refused => Ok(settled(Verdict::Unknown(format!(
                "not checked: {} may not ask what it may do on {place} ({})",
                identity.who(),
                error.message
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
    if let Some(verdict) = of_objects(target, &lacking, &grants) {
        return Ok(settled(verdict));
    }
    let fresh = grants.iter().all(|grant| matches!(grant, Grant::Given));
    Ok(Judged {
        verdict: Verdict::Broken(lacks(identity, target, &lacking, &grants, policy)),
        fresh,
    })
}

/// The verdict on a bucket whose policy grants what is lacking for some of its objects: the bucket
/// itself was asked, which is none of them. None where something is granted in no such way.
fn of_objects(target: &Target, lacking: &[&str], grants: &[Grant]) -> Option<Verdict> {
    let Place::Bucket(bucket) = &target.place else {
        return None;
    };
    let place = target.place.shown();
    let mut prefixes: Vec<String> = Vec::new();
    for (permission, grant) in lacking.iter().zip(grants) {
        let condition = match grant {
            Grant::Conditioned(condition) if permission.starts_with("storage.objects.") => {
                condition
            }
            _ => return None,
        };
        match condition::of_objects(&condition.expression, bucket) {
            OfObjects::Prefix(prefix) if prefixes.contains(&prefix) => {}
            OfObjects::Prefix(prefix) => prefixes.push(prefix),
            OfObjects::Undecided => {
                return Some(Verdict::Unknown(format!(
                    "not checked: on {place} it depends on the object ({})",
                    roles::shown(condition)
                )));
            }
            OfObjects::None => return None,
        }
    }
    let verbs: Vec<&str> = lacking.iter().map(|permission| short(permission)).collect();
    let objects: Vec<String> = prefixes
        .iter()
        .map(|prefix| format!("{place}/{prefix}*"))
        .collect();
    Some(Verdict::Holds(format!(
        "{}: {}",
        and(&objects),
        and(&verbs)
    )))
}

/// Whether a push creates the target, which is missing; `policy` is that of its project.
fn may_create(identity: &Identity, target: &Target, policy: Option<&Policy>) -> bool {
    let creates = |role: &str| roles::CREATES_ON_PUSH.contains(&role);
    target.place.created_on_push().is_some()
        && policy.is_some_and(|policy| {
            let granted = roles::grants(policy, creates, |member| identity.holds(member));
            matches!(granted, Grant::Given)
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
        Grant::Conditioned(condition) => Some(roles::shown(condition)),
        _ => None,
    });
    let old = policy
        .zip(identity.way.account())
        .and_then(|(policy, email)| deleted(policy, email));
    if grants.iter().all(|grant| matches!(grant, Grant::Given)) {
        message.push_str("\nThe policy grants it, and Google does not see that yet, or a deny policy takes it away.");
    } else if let Some(condition) = &condition {
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
            .help(format!("an administrator of {place} can grant it:"))
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
                "correct its name, or create it, here in the cluster's project and region:"
            }
            Place::Repository { .. } => "correct its name, or create it:",
            Place::Secret { .. } => {
                "correct its name, or create it, and add its value as a version:"
            }
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
    use sidestep::Help;

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

    fn conditioned(expression: &str) -> Policy {
        let role = "roles/storage.objectViewer";
        let member = "serviceAccount:builder@demo.iam.gserviceaccount.com";
        let mut policy = policy(&[(role, member)]);
        policy.bindings[0].condition = Some(sidestep::gcp::iam::Condition {
            title: "contexts".to_owned(),
            description: None,
            expression: expression.to_owned(),
        });
        policy
    }

    #[test]
    fn a_role_on_a_prefix_holds_and_no_repair_opens_the_bucket() {
        let judge = |expression: &str| {
            let policy = conditioned(expression);
            judge(&builder(), &bucket(), &granted(&[]), Some(&policy))
                .expect("a verdict")
                .verdict
        };
        assert_eq!(
            judge("resource.name.startsWith(\"projects/_/buckets/contexts/objects/contexts/\")"),
            Verdict::Holds("gs://contexts/contexts/*: objects.get".to_owned())
        );
        let other = judge("resource.type == \"storage.googleapis.com/Object\"");
        assert!(matches!(other, Verdict::Unknown(why) if why.contains("depends on the object")));
        let over = judge("request.time < timestamp(\"2020-01-01T00:00:00Z\")").broken();
        let commands = over
            .help
            .iter()
            .filter(|help| matches!(help, Help::Command(_)));
        assert_eq!(commands.count(), 0, "{over:?}");
    }

    #[test]
    fn a_repository_that_a_push_creates_is_not_missing() {
        let target = Target {
            place: Place::Repository {
                project: "demo".to_owned(),
                location: "us".to_owned(),
                name: "gcr.io".to_owned(),
            },
            ..repository()
        };
        let gone = TargetResult {
            granted: Vec::new(),
            failure: Some(cloud(Class::NotFound, "x", "no").into()),
        };
        let judge = |role: &str| {
            let member = "serviceAccount:builder@demo.iam.gserviceaccount.com";
            let policy = policy(&[(role, member)]);
            judge(&builder(), &target, &gone, Some(&policy))
                .expect("a verdict")
                .verdict
        };
        let created = judge("roles/artifactregistry.createOnPushWriter");
        assert!(
            matches!(created, Verdict::Holds(why) if why.contains("the first push creates it"))
        );
        assert!(judge("roles/artifactregistry.writer").is_broken());
    }

    #[test]
    fn a_perimeter_breaks_the_link_with_google_s_sentence() {
        let said = "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: x1Y-2z";
        let denied = TargetResult {
            granted: Vec::new(),
            failure: Some(cloud(Class::Denied, "x", said).into()),
        };
        let judged = judge(&builder(), &bucket(), &denied, None).expect("a verdict");
        let error = judged.verdict.broken();
        assert_eq!(error.code, "identity.perimeter-denied");
        assert!(error.message.ends_with(said), "{error}");
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
