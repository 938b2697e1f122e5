use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::json;
use sidestep_evaluator::{Answer, Question, Stopped};
use sidestep_evaluator_guest::Native;

use super::*;
use crate::{Account, Attributes, Project, Role, workload_principal};

const BUILDER: &str = "builder@demo.iam.gserviceaccount.com";

fn bucket() -> Resource {
    Resource::Bucket("contexts".into())
}

fn builder() -> Resource {
    Resource::ServiceAccount {
        project: "demo".into(),
        email: BUILDER.into(),
    }
}

fn member(name: &str) -> Caller {
    Caller::Member(name.to_owned())
}

fn identity() -> Identity {
    let mut state = State::default();
    let project = Project {
        number: "12".into(),
        display_name: "Demo".into(),
    };
    state.projects.insert("demo".into(), project);
    let account = Account {
        project: "demo".into(),
        email: BUILDER.into(),
        unique_id: "1001".into(),
        display_name: String::new(),
        description: String::new(),
        disabled: false,
        deleted: false,
    };
    state.accounts.insert("1001".into(), account);
    state
        .bucket_projects
        .insert("contexts".into(), "demo".into());
    Identity::new(
        state,
        Clock::from_fn(|| "2026-06-01T12:00:00Z".parse().unwrap()),
        Arc::new(Native),
    )
}

fn grant(identity: &Identity, resource: &Resource, role: &str, to: &str) {
    let policy = json!({"bindings": [{"role": role, "members": [to]}]});
    identity.set_policy(resource, policy).unwrap();
}

#[test]
fn a_role_on_the_resource_or_its_project_grants() {
    let identity = identity();
    let account = format!("serviceAccount:{BUILDER}");
    let reads = |who: &str| identity.allows(&member(who), "storage.objects.get", &bucket());
    assert!(!reads(&account));
    grant(&identity, &bucket(), "roles/storage.objectViewer", &account);
    assert!(reads(&account));
    assert!(!identity.allows(&member(&account), "storage.objects.create", &bucket()));
    assert!(!reads("user:dev@example.com"));
    grant(
        &identity,
        &Resource::Project("demo".into()),
        "roles/owner",
        "user:dev@example.com",
    );
    assert!(reads("user:dev@example.com"));
    assert!(!identity.allows(&Caller::Anonymous, "storage.objects.get", &bucket()));
}

#[test]
fn convenience_members_follow_the_projects_policy() {
    let identity = identity();
    grant(
        &identity,
        &bucket(),
        "roles/storage.legacyBucketReader",
        "projectViewer:demo",
    );
    let viewer = member("user:eve@example.com");
    assert!(!identity.allows(&viewer, "storage.objects.list", &bucket()));
    grant(
        &identity,
        &Resource::Project("demo".into()),
        "roles/viewer",
        "user:eve@example.com",
    );
    assert!(identity.allows(&viewer, "storage.objects.list", &bucket()));
}

#[test]
fn conditions_grant_only_where_they_hold() {
    let identity = identity();
    let reads = |expression: &str| {
        let policy = json!({"version": 3, "bindings": [{"role": "roles/storage.objectViewer",
            "members": ["user:dev@example.com"], "condition": {"title": "t", "expression": expression}}]});
        identity.set_policy(&bucket(), policy).unwrap();
        identity.allows(
            &member("user:dev@example.com"),
            "storage.objects.get",
            &bucket(),
        )
    };
    assert!(reads("request.time < timestamp('2026-06-02T00:00:00Z')"));
    assert!(!reads("request.time < timestamp('2026-05-01T00:00:00Z')"));
    assert!(!reads("this is not CEL"));
    let policy = identity.policy(&bucket());
    assert_eq!(policy["version"], 3);
    assert_eq!(policy["bindings"][0]["condition"]["title"], "t");
}

#[test]
fn grants_are_inherited_and_a_deny_policy_overrides_them_with_its_exceptions() {
    let mut state = identity().snapshot();
    let parents = [
        ("projects/demo", "folders/7"),
        ("folders/7", "organizations/9"),
    ];
    state.parents = parents.map(|(a, b)| (a.to_owned(), b.to_owned())).into();
    let identity = Identity::new(state, identity().clock().clone(), Arc::new(Native));
    let (dev, eve) = ("user:dev@example.com", "user:eve@example.com");
    let everybody =
        json!({"bindings": [{"role": "roles/storage.objectViewer", "members": [dev, eve]}]});
    let organisation = Resource::Organization("9".into());
    identity.set_policy(&organisation, everybody).unwrap();
    let reads = |who: &str| identity.allows(&member(who), "storage.objects.get", &bucket());
    assert!(reads(dev) && reads(eve));

    let deny = |rule: serde_json::Value| {
        let policy = serde_json::from_value(json!({ "rules": [{ "denyRule": rule }] })).unwrap();
        let folder = Resource::Folder("7".into());
        identity
            .put_deny_policy(&folder, "no-reads", policy)
            .unwrap();
    };
    deny(json!({
        "deniedPrincipals": ["principalSet://goog/public:all"],
        "exceptionPrincipals": ["principal://goog/subject/dev@example.com"],
        "deniedPermissions": ["storage.googleapis.com/objects.*"],
    }));
    assert!(reads(dev) && !reads(eve));
    deny(json!({
        "deniedPrincipals": ["principalSet://goog/public:all"],
        "deniedPermissions": ["storage.googleapis.com/*.*"],
        "exceptionPermissions": ["storage.googleapis.com/objects.get"],
    }));
    assert!(reads(dev) && reads(eve));
    for (condition, expected) in [
        ("1 < 2", false),
        ("2 < 1", true),
        ("resource.matchTag('1/a', 'b')", true),
    ] {
        deny(json!({
            "deniedPrincipals": ["principal://goog/subject/eve@example.com"],
            "deniedPermissions": ["storage.googleapis.com/objects.get"],
            "denialCondition": { "title": "t", "expression": condition },
        }));
        assert_eq!(reads(eve), expected, "{condition}");
    }
    assert!(reads(dev));
}

/// Counts the questions, and answers each as the evaluator does.
#[derive(Debug, Default)]
struct Counting(AtomicI64);

impl Evaluator for Counting {
    fn ask(&self, question: &Question<'_>) -> Result<Answer, Stopped> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Native.ask(question)
    }

    fn charge(&self, steps: u64) -> Result<(), Stopped> {
        Native.charge(steps)
    }
}

#[test]
fn the_evaluator_is_asked_only_about_conditions_that_matter() {
    let counting = Arc::new(Counting::default());
    let asked = Arc::clone(&counting);
    let clock = identity().clock().clone();
    let identity = Identity::new(identity().snapshot(), clock, asked);
    let viewer = "roles/storage.objectViewer";
    let (dev, eve) = ("user:dev@example.com", "user:eve@example.com");
    let policy = json!({"version": 3, "bindings": [
        {"role": viewer, "members": [dev]},
        {"role": viewer, "members": [eve], "condition": {"title": "t", "expression": "1 < 2"}}]});
    identity.set_policy(&bucket(), policy).unwrap();
    let allows = |who, permission| identity.allows(&member(who), permission, &bucket());
    assert!(allows(dev, "storage.objects.get"));
    assert!(!allows(eve, "storage.objects.create"));
    assert_eq!(counting.0.load(Ordering::SeqCst), 0);
    assert!(allows(eve, "storage.objects.get"));
    assert_eq!(counting.0.load(Ordering::SeqCst), 1);
}

#[test]
fn custom_roles_grant_until_they_are_deleted() {
    let identity = identity();
    let mut role = Role {
        permissions: ["storage.objects.get".to_owned()].into(),
        ..Role::default()
    };
    identity.put_custom_role("projects/demo/roles/reader", role.clone());
    grant(
        &identity,
        &bucket(),
        "projects/demo/roles/reader",
        "user:dev@example.com",
    );
    let dev = member("user:dev@example.com");
    assert!(identity.allows(&dev, "storage.objects.get", &bucket()));
    role.deleted = true;
    identity.put_custom_role("projects/demo/roles/reader", role);
    assert!(!identity.allows(&dev, "storage.objects.get", &bucket()));
}

#[test]
fn a_stale_etag_is_refused() {
    let identity = identity();
    let first = identity.policy(&bucket());
    let second = identity.set_policy(&bucket(), first.clone()).unwrap();
    assert_ne!(first["etag"], second["etag"]);
    assert_eq!(identity.set_policy(&bucket(), first), Err(StaleEtag));
    assert!(identity.set_policy(&bucket(), second).is_ok());
}

#[test]
fn a_recreated_account_is_another_one() {
    let identity = identity();
    let account = format!("serviceAccount:{BUILDER}");
    grant(&identity, &bucket(), "roles/storage.objectViewer", &account);
    grant(
        &identity,
        &builder(),
        "roles/iam.workloadIdentityUser",
        "user:dev@example.com",
    );
    identity.delete_account(BUILDER).unwrap();
    let bindings = identity.policy(&bucket())["bindings"].clone();
    assert_eq!(
        bindings[0]["members"][0],
        format!("deleted:serviceAccount:{BUILDER}?uid=1001")
    );

    let old = identity.snapshot().accounts["1001"].clone();
    let new = identity
        .create_account(Account {
            deleted: false,
            ..old
        })
        .unwrap();
    assert_ne!(new.unique_id, "1001");
    assert_eq!(new.unique_id.len(), 21);
    assert!(!identity.allows(&member(&account), "storage.objects.get", &bucket()));
    assert!(identity.policy(&builder()).get("bindings").is_none());

    identity.delete_account(BUILDER).unwrap();
    identity.undelete_account("1001").unwrap();
    assert!(identity.allows(&member(&account), "storage.objects.get", &bucket()));
    assert_eq!(
        identity.policy(&builder())["bindings"][0]["role"],
        "roles/iam.workloadIdentityUser"
    );
}

#[test]
fn tokens_expire_and_are_kept_as_digests() {
    let now = Arc::new(AtomicI64::new(1_000_000));
    let read = Arc::clone(&now);
    let clock =
        Clock::from_fn(move || jiff::Timestamp::from_second(read.load(Ordering::SeqCst)).unwrap());
    let identity = Identity::new(identity().snapshot(), clock, Arc::new(Native));
    let token = identity.mint("user:dev@example.com");
    assert!(token.secret.starts_with("ya29.sandbox-"));
    assert!(!format!("{token:?}").contains("ya29"));
    assert_eq!(
        identity.caller(Some(&token.secret)),
        Ok(member("user:dev@example.com"))
    );
    assert_eq!(
        identity.caller(Some("ya29.sandbox-made-up")),
        Err(InvalidToken)
    );
    assert_eq!(identity.caller(None), Ok(Caller::Anonymous));

    let json = serde_json::to_string(&identity.snapshot()).unwrap();
    assert!(!json.contains(&token.secret));
    let reloaded = Identity::new(
        serde_json::from_str(&json).unwrap(),
        identity.clock().clone(),
        Arc::new(Native),
    );
    assert!(reloaded.caller(Some(&token.secret)).is_ok());
    now.fetch_add(3600, Ordering::SeqCst);
    assert_eq!(reloaded.caller(Some(&token.secret)), Err(InvalidToken));
}

#[test]
fn a_subject_token_opens_no_api() {
    let identity = identity();
    let token = identity.mint_subject("user:dev@example.com");
    assert_eq!(identity.caller(Some(&token.secret)), Err(InvalidToken));
    assert_eq!(
        identity.subject(&token.secret).unwrap(),
        "user:dev@example.com"
    );
    assert!(
        identity
            .subject(&identity.mint("user:dev@example.com").secret)
            .is_err()
    );
}

#[test]
fn tokens_of_a_disabled_or_deleted_account_stop_working() {
    let identity = identity();
    let token = identity.mint(&format!("serviceAccount:{BUILDER}")).secret;
    assert!(identity.caller(Some(&token)).is_ok());
    identity
        .update_account(BUILDER, |a| a.disabled = true)
        .unwrap();
    assert_eq!(identity.caller(Some(&token)), Err(InvalidToken));
    identity
        .update_account(BUILDER, |a| a.disabled = false)
        .unwrap();
    assert!(identity.caller(Some(&token)).is_ok());
    identity.delete_account(BUILDER).unwrap();
    assert_eq!(identity.caller(Some(&token)), Err(InvalidToken));
}

#[test]
fn a_workload_has_what_its_binding_gives() {
    let identity = identity();
    let kaniko = workload_principal("12", "demo.svc.id.goog", "builds", "kaniko");
    let paths = ["namespace/builds".to_owned()].into();
    let token = identity
        .mint_federated(&kaniko, Attributes { paths }, crate::LIFETIME)
        .secret;
    let caller = identity.caller(Some(&token)).unwrap();
    let may = || identity.allows(&caller, "iam.serviceAccounts.getAccessToken", &builder());
    assert!(!may());
    let role = "roles/iam.workloadIdentityUser";
    grant(
        &identity,
        &builder(),
        role,
        "serviceAccount:demo.svc.id.goog[builds/kaniko]",
    );
    assert!(may());
    grant(
        &identity,
        &builder(),
        "roles/iam.serviceAccountUser",
        "serviceAccount:demo.svc.id.goog[builds/kaniko]",
    );
    assert!(!may());
}

#[test]
fn every_change_is_counted() {
    let identity = identity();
    let changes = identity.changes();
    let before = *changes.borrow();
    identity.mint("user:dev@example.com");
    grant(&identity, &bucket(), "roles/viewer", "allUsers");
    assert_eq!(*changes.borrow(), before + 2);
}

/// An evaluator that changes the state while it decides.
#[derive(Debug, Default)]
struct Meddling(std::sync::OnceLock<Identity>);

impl Evaluator for Meddling {
    fn ask(&self, question: &Question<'_>) -> Result<Answer, Stopped> {
        let identity = self.0.get().expect("set");
        identity.bucket_created("another", "demo");
        Native.ask(question)
    }

    fn charge(&self, steps: u64) -> Result<(), Stopped> {
        Native.charge(steps)
    }
}

#[test]
fn conditions_are_decided_without_the_states_lock() {
    let meddling = Arc::new(Meddling::default());
    let plain = identity();
    let evaluator = Arc::<Meddling>::clone(&meddling);
    let identity = Identity::new(plain.snapshot(), plain.clock().clone(), evaluator);
    meddling.0.set(identity.clone()).expect("once");
    let condition = json!({ "title": "t", "expression": "true" });
    let binding = json!({
        "role": "roles/storage.objectViewer", "members": ["user:a@b.c"], "condition": condition,
    });
    let policy = json!({ "version": 3, "bindings": [binding] });
    identity.set_policy(&bucket(), policy).unwrap();
    // With the lock held, this would never end.
    assert!(identity.allows(&member("user:a@b.c"), "storage.objects.get", &bucket()));
    assert!(identity.snapshot().bucket_projects.contains_key("another"));
}
