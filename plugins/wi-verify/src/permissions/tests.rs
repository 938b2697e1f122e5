use sidestep::Help;
use sidestep::google::{Repository, Resource};

use super::*;
use crate::identity::example;
use crate::roles::policy;
use crate::verdict::cloud;

const BUILDER: &str = "builder@demo.iam.gserviceaccount.com";

fn builder() -> Identity {
    example(Way::As(BUILDER.to_owned()))
}

fn bucket() -> Target {
    Target {
        resource: Resource::Objects {
            bucket: "contexts".to_owned(),
            prefix: String::new(),
        },
        permissions: vec!["storage.objects.get".to_owned()],
        object: None,
    }
}

fn repository() -> Target {
    Target {
        resource: Resource::Repository(Repository {
            project: "shared".to_owned(),
            location: "europe".to_owned(),
            name: "images".to_owned(),
        }),
        permissions: vec![
            "artifactregistry.repositories.uploadArtifacts".to_owned(),
            "artifactregistry.repositories.downloadArtifacts".to_owned(),
        ],
        object: None,
    }
}

/// Decides that no condition holds.
fn no(_: &[Condition], _: Option<&str>) -> Held {
    Held::No
}

fn judge(
    identity: &Identity,
    target: &Target,
    result: &TargetResult,
    policy: Option<&Policy>,
) -> Result<Judged> {
    super::judge(identity, target, result, policy, Known::default(), &no)
}

fn granted(granted: &[&str]) -> TargetResult {
    TargetResult {
        granted: granted.iter().map(ToString::to_string).collect(),
        failure: None,
        object: None,
    }
}

#[test]
fn what_is_lacking_is_granted_to_whoever_reaches_for_it() {
    let nothing = policy(&[]);
    let judged = judge(&builder(), &bucket(), &granted(&[]), Some(&nothing)).expect("a verdict");
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
    // As `sidestep plan --iam` writes a grant's prefix without a final `/`.
    let granted_path = sidestep::google::condition::of_grant("contexts", "contexts");
    assert_eq!(
        judge(&granted_path),
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
    let policy =
        conditioned("resource.name.startsWith(\"projects/_/buckets/contexts/objects/contexts/\")");
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
        resource: Resource::Objects {
            bucket: "contexts".to_owned(),
            prefix: prefix.to_owned(),
        },
        permissions: permissions.iter().map(ToString::to_string).collect(),
        object: None,
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
        resource: Resource::Objects {
            bucket: "contexts".to_owned(),
            prefix: "contexts/".to_owned(),
        },
        permissions: vec![permission.to_owned()],
        object: None,
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
        resource: Resource::Repository(Repository {
            project: "demo".to_owned(),
            location: "us".to_owned(),
            name: "gcr.io".to_owned(),
        }),
        ..repository()
    };
    let gone = TargetResult {
        granted: Vec::new(),
        failure: Some(cloud(Class::NotFound, "x", "no").into()),
        object: None,
    };
    let judge = |role: &str| {
        let member = "serviceAccount:builder@demo.iam.gserviceaccount.com";
        let policy = policy(&[(role, member)]);
        judge(&builder(), &target, &gone, Some(&policy))
            .expect("a verdict")
            .verdict
    };
    let created = judge("roles/artifactregistry.createOnPushWriter");
    assert!(matches!(created, Verdict::Holds(why) if why.contains("the first push creates it")));
    assert!(judge("roles/artifactregistry.writer").is_broken());
    let unread = super::judge(&builder(), &target, &gone, None, Known::default(), &no);
    let unread = unread.expect("a verdict").verdict;
    assert!(matches!(unread, Verdict::Unknown(why) if why.contains("could not be read")));
}

#[test]
fn a_perimeter_breaks_the_link_with_google_s_sentence() {
    let said = "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: x1Y-2z";
    let denied = TargetResult {
        granted: Vec::new(),
        failure: Some(cloud(Class::Denied, "x", said).into()),
        object: None,
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
        object: None,
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

fn with_object(read: Result<(), sidestep::Error>) -> (Target, TargetResult) {
    let target = Target {
        object: Some("contexts/a.tar".to_owned()),
        ..bucket()
    };
    let result = TargetResult {
        object: Some(read.map_err(Into::into)),
        ..granted(&[])
    };
    (target, result)
}

#[test]
fn an_object_that_the_workload_reads_decides() {
    let policy = conditioned("resource.name.endsWith('.tar')");
    let (target, result) = with_object(Ok(()));
    let verdict = judge(&builder(), &target, &result, Some(&policy))
        .expect("one")
        .verdict;
    assert_eq!(
        verdict,
        Verdict::Holds(
            "gs://contexts/contexts/a.tar: objects.get, though not on the whole bucket".to_owned()
        )
    );
    let missing = cloud(Class::NotFound, "x", "no");
    let (target, result) = with_object(Err(missing));
    let verdict = judge(&builder(), &target, &result, Some(&policy))
        .expect("one")
        .verdict;
    assert!(matches!(verdict, Verdict::Unknown(why) if why.contains("does not exist")));
    // A managed folder may grant it, which shows only when it is read.
    let (target, result) = with_object(Err(cloud(Class::Denied, "x", "no")));
    let nothing = crate::roles::policy(&[]);
    let verdict = judge(&builder(), &target, &result, Some(&nothing))
        .expect("one")
        .verdict;
    let error = verdict.broken();
    assert!(
        error.message.contains("on gs://contexts/contexts/a.tar"),
        "{error}"
    );
}

#[test]
fn a_condition_that_cannot_be_decided_is_never_called_broken() {
    let denied = || Err(cloud(Class::Denied, "x", "no"));
    let policy = conditioned("'office' in request.auth.access_levels");
    let judge = |held: Held| {
        let (target, result) = with_object(denied());
        let known = Known::default();
        super::judge(
            &builder(),
            &target,
            &result,
            Some(&policy),
            known,
            &|_, _| held.clone(),
        )
        .expect("a verdict")
    };
    let why = "`'office' in request.auth.access_levels`: there is no `auth`";
    let verdict = judge(Held::Unknown(why.to_owned())).verdict;
    assert!(
        matches!(&verdict, Verdict::Unknown(told) if told.contains(why)),
        "{verdict:?}"
    );
    assert!(judge(Held::No).verdict.is_broken());
    let given = judge(Held::Yes);
    assert_eq!(given.settling, Some(Settling::Grant));
    assert_eq!(given.lacking, [("storage.objects.get".to_owned(), true)]);

    // A condition of time holds for all objects of a bucket, or for none.
    let on_bucket = |held: Held| {
        super::judge(
            &builder(),
            &bucket(),
            &granted(&[]),
            Some(&conditioned("request.time.getHours() < 8")),
            Known::default(),
            &|_, _| held.clone(),
        )
        .expect("a verdict")
        .verdict
    };
    assert!(on_bucket(Held::No).is_broken());
    assert!(matches!(
        on_bucket(Held::Unknown(why.to_owned())),
        Verdict::Unknown(_)
    ));
}

#[test]
fn what_overrides_a_grant_is_named_as_the_likely_cause() {
    let lacking = ["artifactregistry.repositories.uploadArtifacts"];
    let told = |denial| {
        overridden(
            &builder(),
            &repository(),
            &lacking,
            "the policy of folders/7",
            &denial,
        )
    };
    let error = told(Denial::Unknown(
        "its deny policies could not be read (lacks iam.denypolicies.list)".to_owned(),
    ));
    assert_eq!(error.code, "identity.target-denied");
    assert!(
        error
            .message
            .contains("although the policy of folders/7 grants it"),
        "{error}"
    );
    assert!(
        error.message.contains("lacks iam.denypolicies.list"),
        "{error}"
    );
    assert_eq!(
        error.help[1],
        "gcloud policy-troubleshoot iam //artifactregistry.googleapis.com/projects/shared/locations/europe/repositories/images --principal-email=builder@demo.iam.gserviceaccount.com --permission=artifactregistry.repositories.uploadArtifacts"
    );
    let error = told(Denial::Absent);
    assert!(
        error.message.contains("principal access boundary"),
        "{error}"
    );
}
