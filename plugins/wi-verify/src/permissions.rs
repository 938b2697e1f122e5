//! Link 10: the identity may do what is needed on each target.

use sidestep::gcp::iam::Policy;
use sidestep::google::condition::{OfObjects, is_of_objects, of_objects};
use sidestep::google::{Place, grant, show_policy};
use sidestep::identity::TargetResult;
use sidestep::{Class, Error, Result};

use crate::commands;
use crate::google_account::deleted;
use crate::identity::{Identity, Way};
use crate::roles::{self, Grant};
use crate::settling::{Known, Settling};
use crate::targets::{Target, created_on_push};
use crate::verdict::{self, Verdict, and, cloud};

/// A verdict, and what may heal a broken one by itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) settling: Option<Settling>,
}

/// Whether the verdict on a target depends on a policy: its own, or that of the project in which a
/// push would create it.
pub(crate) fn hangs_on_policy(target: &Target, result: &TargetResult) -> bool {
    match &result.failure {
        Some(failure) => {
            failure.class == Class::NotFound.as_str() && created_on_push(&target.place).is_some()
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

/// Judges a target by what the proof says. `policy` is the one that it depends on; none where that
/// could not be read, so that it may say anything.
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
    let place = target.place.shown();
    if let Some(failure) = &result.failure {
        let error = Error::from(failure.clone());
        if let Some(error) = verdict::perimeter(&format!("reaching {place}"), &error) {
            return Ok(settled(Verdict::Broken(error)));
        }
        return match error.class {
            Class::NotFound => Ok(settled(absent(identity, target, policy))),
            _ if error.code.ends_with("api-disabled") => Ok(Judged {
                verdict: Verdict::Broken(Error {
                    code: "identity.api-disabled".to_owned(),
                    ..error
                }),
                settling: known.apis.then_some(Settling::Api),
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
    let lacking = lacking(target, result);
    if lacking.is_empty() {
        let verbs: Vec<&str> = target.permissions.iter().map(|p| short(p)).collect();
        return Ok(settled(Verdict::Holds(format!("{place}: {}", and(&verbs)))));
    }
    let grants: Vec<Grant> = lacking
        .iter()
        .map(|permission| roles::allows(&target.place, policy, permission, |m| identity.holds(m)))
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

/// The verdict where the bucket was asked, and single objects decide: a condition on their names
/// may grant what is lacking on the bucket. None where no object can make a difference.
fn on_objects(
    identity: &Identity,
    target: &Target,
    lacking: &[&str],
    grants: &[Grant],
) -> Option<Verdict> {
    let Place::Objects { bucket, prefix } = &target.place else {
        return None;
    };
    if !lacking.iter().all(|permission| is_of_objects(permission)) {
        return None;
    }
    let place = target.place.shown();
    // The prefixes on which everything is granted so far; all objects of the target at first.
    let mut common = vec![prefix.clone()];
    let mut undecided = None;
    for grant in grants {
        let conditions = match grant {
            Grant::Conditioned(conditions) => conditions,
            Grant::Unread => {
                return Some(Verdict::Unknown(format!(
                    "not checked: on gs://{bucket} as a whole {} lacks {}, and its policy, which may grant that on some objects, could not be read",
                    identity.who(),
                    and(lacking)
                )));
            }
            Grant::Given | Grant::Absent => return None,
        };
        let mut prefixes = Vec::new();
        for condition in conditions {
            match of_objects(&condition.expression, bucket) {
                OfObjects::Prefix(prefix) => prefixes.push(prefix),
                OfObjects::Undecided => undecided = Some(condition),
                OfObjects::None => {}
            }
        }
        common = both(&common, &prefixes);
    }
    if common.is_empty() {
        let condition = undecided?;
        return Some(Verdict::Unknown(format!(
            "not checked: on {place} it depends on the object ({})",
            roles::shown(std::slice::from_ref(condition))
        )));
    }
    // A prefix that a target names has to be granted whole.
    if !prefix.is_empty() && !common.contains(prefix) {
        return None;
    }
    let verbs: Vec<&str> = target.permissions.iter().map(|it| short(it)).collect();
    let objects: Vec<String> = common
        .iter()
        .map(|prefix| format!("gs://{bucket}/{prefix}*"))
        .collect();
    Some(Verdict::Holds(format!(
        "{}: {}",
        and(&objects),
        and(&verbs)
    )))
}

/// The prefixes that lie in one of each list, each once.
fn both(some: &[String], others: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (a, b) in some.iter().flat_map(|a| others.iter().map(move |b| (a, b))) {
        let narrower = if a.starts_with(b.as_str()) {
            a
        } else if b.starts_with(a.as_str()) {
            b
        } else {
            continue;
        };
        if !found.contains(narrower) {
            found.push(narrower.clone());
        }
    }
    found
}

/// The verdict on a target that is not there. `policy` is that of its project.
fn absent(identity: &Identity, target: &Target, policy: Option<&Policy>) -> Verdict {
    let place = target.place.shown();
    let broken = || Verdict::Broken(missing(identity, target));
    let Some(project) = created_on_push(&target.place) else {
        return broken();
    };
    let creates = |role: &str| roles::CREATES_ON_PUSH.contains(&role);
    match roles::grants(policy, creates, |member| identity.holds(member)) {
        Grant::Given => Verdict::Holds(format!("{place}: the first push creates it")),
        Grant::Conditioned(conditions) => Verdict::Unknown(format!(
            "not checked: {place} does not exist, and whether a push creates it depends on a condition ({})",
            roles::shown(&conditions)
        )),
        Grant::Unread => Verdict::Unknown(format!(
            "not checked: {place} does not exist, and whether a push may create it is in the policy of project {project}, which could not be read"
        )),
        Grant::Absent => broken(),
    }
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
    let conditions = grants.iter().find_map(|grant| match grant {
        Grant::Conditioned(conditions) => Some(roles::shown(conditions)),
        _ => None,
    });
    let unread = grants.iter().any(|grant| matches!(grant, Grant::Unread));
    let old = policy
        .zip(identity.way.account())
        .and_then(|(policy, email)| deleted(policy, email));
    if grants.iter().all(|grant| matches!(grant, Grant::Given)) {
        message.push_str("\nThe policy grants it, and Google does not see that yet, or a deny policy takes it away.");
    } else if let Some(conditions) = &conditions {
        message.push_str(&format!(
            "\nThe policy grants it under a condition that does not hold: {conditions}"
        ));
    } else if unread {
        message.push_str("\nIts policy could not be read.");
    } else if let Some(uid) = old {
        message.push_str(&format!(
            "\nThe policy names a deleted account of the same address (uid {uid}): the one made anew inherits nothing."
        ));
    }
    let error = cloud(Class::Denied, "target-denied", message);
    let role = roles::with(&target.place, lacking);
    if conditions.is_some() {
        return error.help(
            "an administrator can change the condition; a grant without one would open more than it does",
        );
    }
    if unread {
        let needs = role.map_or_else(|| and(lacking), str::to_owned);
        let error = error.help(format!(
            "{} needs {needs} on {place}; its policy may hold it under a condition, so an administrator has to look first:",
            identity.who()
        ));
        return error.helps(show_policy(&target.place));
    }
    let Some(member) = identity.holder() else {
        return error.help(format!(
            "grant it to the workload itself; its principal has the number of project {}, which could not be read",
            identity.workload.project
        ));
    };
    match role.and_then(|role| grant(&target.place, &member, role)) {
        // What is asked of the bucket can't be granted on some of its objects.
        Some(command) if on_prefix_only(&target.place, lacking) => error
            .help(format!(
                "an administrator of {} can grant it:",
                target.place.carrier()
            ))
            .help(command),
        _ => error.help(format!(
            "grant {} a role that has {} there",
            identity.who(),
            and(lacking)
        )),
    }
}

/// Whether a grant on the place gives what is lacking: lists and facts of a bucket are not asked of
/// single objects.
fn on_prefix_only(place: &Place, lacking: &[&str]) -> bool {
    match place {
        Place::Objects { prefix, .. } if !prefix.is_empty() => {
            lacking.iter().all(|permission| is_of_objects(permission))
        }
        _ => true,
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
            match place {
                Place::Objects { bucket, .. } => format!("bucket gs://{bucket}"),
                other => other.shown(),
            }
        ),
    );
    error
        .help(match place {
            Place::Objects { .. } => {
                "correct its name, or create it, here in the cluster's project and region:"
            }
            Place::Repository(_) => "correct its name, or create it:",
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
    use sidestep::google::Repository;

    use super::*;
    use crate::identity::example;
    use crate::roles::policy;

    const BUILDER: &str = "builder@demo.iam.gserviceaccount.com";

    fn builder() -> Identity {
        example(Way::As(BUILDER.to_owned()))
    }

    fn bucket() -> Target {
        Target {
            place: Place::Objects {
                bucket: "contexts".to_owned(),
                prefix: String::new(),
            },
            permissions: vec!["storage.objects.get".to_owned()],
        }
    }

    fn repository() -> Target {
        Target {
            place: Place::Repository(Repository {
                project: "shared".to_owned(),
                location: "europe".to_owned(),
                name: "images".to_owned(),
            }),
            permissions: vec![
                "artifactregistry.repositories.uploadArtifacts".to_owned(),
                "artifactregistry.repositories.downloadArtifacts".to_owned(),
            ],
        }
    }

    fn judge(
        identity: &Identity,
        target: &Target,
        result: &TargetResult,
        policy: Option<&Policy>,
    ) -> Result<Judged> {
        super::judge(identity, target, result, policy, Known::default())
    }

    fn granted(granted: &[&str]) -> TargetResult {
        TargetResult {
            granted: granted.iter().map(ToString::to_string).collect(),
            failure: None,
        }
    }

    #[test]
    fn what_is_lacking_is_granted_to_whoever_reaches_for_it() {
        let nothing = policy(&[]);
        let judged =
            judge(&builder(), &bucket(), &granted(&[]), Some(&nothing)).expect("a verdict");
        assert_eq!(judged.settling, None);
        let error = judged.verdict.broken();
        assert_eq!(
            error.help[1],
            "gcloud storage buckets add-iam-policy-binding gs://contexts --member serviceAccount:builder@demo.iam.gserviceaccount.com --role roles/storage.objectViewer --condition=None"
        );
        let half = granted(&["artifactregistry.repositories.downloadArtifacts"]);
        let error = judge(&example(Way::Direct), &repository(), &half, Some(&nothing))
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
        assert!(
            judge("serviceAccount:builder@demo.iam.gserviceaccount.com")
                .settling
                .is_some()
        );
        let old = judge("deleted:serviceAccount:builder@demo.iam.gserviceaccount.com?uid=104");
        assert_eq!(old.settling, None);
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
    fn a_policy_that_was_not_read_may_grant_some_objects_and_no_command_opens_the_bucket() {
        let unread = |target: &Target| {
            judge(&builder(), target, &granted(&[]), None)
                .expect("a verdict")
                .verdict
        };
        assert!(
            matches!(unread(&bucket()), Verdict::Unknown(why) if why.contains("could not be read"))
        );
        // The bucket itself is asked for a list, and a repository for a push.
        let lists = Target {
            permissions: vec!["storage.objects.list".to_owned()],
            ..bucket()
        };
        for (target, shown) in [
            (lists, "gcloud storage buckets get-iam-policy gs://contexts"),
            (
                repository(),
                "gcloud artifacts repositories get-iam-policy images --location europe --project shared",
            ),
        ] {
            let error = unread(&target).broken();
            assert_eq!(error.help.len(), 2, "{error:?}");
            assert_eq!(error.help[1], shown);
        }
    }

    #[test]
    fn a_list_is_not_granted_by_a_condition_on_objects() {
        let target = Target {
            permissions: vec!["storage.objects.list".to_owned()],
            ..bucket()
        };
        let policy = conditioned(
            "resource.name.startsWith(\"projects/_/buckets/contexts/objects/contexts/\")",
        );
        let judged = judge(&builder(), &target, &granted(&[]), Some(&policy)).expect("a verdict");
        assert!(judged.verdict.is_broken(), "{judged:?}");
    }

    #[test]
    fn every_condition_counts_and_each_permission_needs_its_own() {
        let on = |prefix: &str| {
            conditioned(&format!(
                "resource.name.startsWith(\"projects/_/buckets/contexts/objects/{prefix}\")"
            ))
        };
        // The order of the bindings is no matter.
        let mut policy = on("contexts/");
        policy.bindings.extend(on("other/").bindings);
        let judge = |target: &Target, policy: &Policy| {
            judge(&builder(), target, &granted(&[]), Some(policy))
                .expect("a verdict")
                .verdict
        };
        assert_eq!(
            judge(&bucket(), &policy),
            Verdict::Holds(
                "gs://contexts/contexts/* and gs://contexts/other/*: objects.get".to_owned()
            )
        );
        let of = |prefix: &str, permissions: &[&str]| Target {
            place: Place::Objects {
                bucket: "contexts".to_owned(),
                prefix: prefix.to_owned(),
            },
            permissions: permissions.iter().map(ToString::to_string).collect(),
        };
        let get = ["storage.objects.get"];
        let holds = judge(&of("contexts/a/", &get), &policy);
        assert_eq!(
            holds,
            Verdict::Holds("gs://contexts/contexts/a/*: objects.get".to_owned())
        );
        assert!(
            judge(&of("con", &get), &policy).is_broken(),
            "only a part of it"
        );
        let both = ["storage.objects.get", "storage.objects.create"];
        assert!(judge(&of("contexts/", &both), &policy).is_broken());
        let mut created = on("other/");
        created.bindings[0].role = "roles/storage.objectCreator".to_owned();
        policy.bindings.extend(created.bindings);
        assert_eq!(
            judge(&of("", &both), &policy),
            Verdict::Holds("gs://contexts/other/*: objects.get and objects.create".to_owned())
        );
        assert!(judge(&of("contexts/", &both), &policy).is_broken());
    }

    #[test]
    fn a_target_with_a_prefix_is_granted_that_prefix() {
        let target = |permission: &str| Target {
            place: Place::Objects {
                bucket: "contexts".to_owned(),
                prefix: "contexts/".to_owned(),
            },
            permissions: vec![permission.to_owned()],
        };
        let nothing = policy(&[]);
        let judge = |permission: &str| {
            judge(
                &builder(),
                &target(permission),
                &granted(&[]),
                Some(&nothing),
            )
            .expect("a verdict")
            .verdict
            .broken()
        };
        let error = judge("storage.objects.get");
        assert!(error.help[1].contains("/objects/contexts/\")"), "{error:?}");
        let error = judge("storage.objects.list");
        assert_eq!(error.help.len(), 1, "no prefix holds a list: {error:?}");
    }

    #[test]
    fn a_repository_that_a_push_creates_is_not_missing() {
        let target = Target {
            place: Place::Repository(Repository {
                project: "demo".to_owned(),
                location: "us".to_owned(),
                name: "gcr.io".to_owned(),
            }),
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
        let unread = super::judge(&builder(), &target, &gone, None, Known::default());
        let unread = unread.expect("a verdict").verdict;
        assert!(matches!(unread, Verdict::Unknown(why) if why.contains("could not be read")));
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
