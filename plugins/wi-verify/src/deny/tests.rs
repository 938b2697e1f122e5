use super::*;

const BUILDER: &str = "serviceAccount:builder@demo.iam.gserviceaccount.com";
const PRINCIPAL: &str = "principal://iam.googleapis.com/projects/-/serviceAccounts/builder@demo.iam.gserviceaccount.com";
const GET: &str = "storage.objects.get";

fn rule(denied: &[&str], excepted: &[&str]) -> DenyRule {
    let texts = |all: &[&str]| all.iter().map(ToString::to_string).collect();
    DenyRule {
        description: Some("no reads".to_owned()),
        denied_principals: texts(denied),
        exception_principals: texts(excepted),
        denied_permissions: vec!["storage.googleapis.com/objects.*".to_owned()],
        exception_permissions: Vec::new(),
        condition: None,
    }
}

fn level(rules: Vec<DenyRule>) -> Level {
    let policy = DenyPolicy {
        id: "no-reads".to_owned(),
        display_name: Some("No reads".to_owned()),
        etag: "e1".to_owned(),
        annotations: Vec::new(),
        rules,
    };
    Level {
        name: "folders/7".to_owned(),
        policy: Ok(crate::roles::policy(&[])),
        deny_policies: Ok(vec![policy]),
    }
}

fn judge(rule: DenyRule) -> Denial {
    find(&Ok(vec![level(vec![rule])]), GET, |member| {
        member == BUILDER
    })
}

#[test]
fn a_rule_denies_what_it_names_and_does_not_except() {
    assert!(matches!(judge(rule(&[PRINCIPAL], &[])), Denial::Found(_)));
    assert!(matches!(
        judge(rule(&[PRINCIPAL], &[PRINCIPAL])),
        Denial::Absent
    ));
    let other = "principal://goog/subject/ada@example.com";
    assert!(matches!(judge(rule(&[other], &[])), Denial::Absent));
    let mut excepted = rule(&[PRINCIPAL], &[]);
    excepted.exception_permissions = vec!["storage.googleapis.com/objects.get".to_owned()];
    assert!(matches!(judge(excepted), Denial::Absent));
}

#[test]
fn what_a_rule_names_may_not_be_known() {
    let group = "principalSet://goog/group/builders@example.com";
    for rule in [
        rule(&[group], &[]),
        rule(&[PRINCIPAL], &[group]),
        rule(
            &["principalSet://cloudresourcemanager.googleapis.com/folders/7/type/ServiceAccount"],
            &[],
        ),
    ] {
        assert!(
            matches!(judge(rule.clone()), Denial::Unknown(why) if why.contains("members are not known")),
            "{rule:?}"
        );
    }
    let mut tagged = rule(&[PRINCIPAL], &[]);
    tagged.condition = Some(Condition {
        title: "t".to_owned(),
        description: None,
        expression: "resource.matchTag('1/env', 'prod')".to_owned(),
    });
    assert!(matches!(judge(tagged), Denial::Unknown(why) if why.contains("resource.matchTag")));
}

#[test]
fn a_level_that_was_not_read_leaves_it_open() {
    let denied = cloud(Class::Denied, "x", "lacks iam.denypolicies.list");
    let mut unread = level(Vec::new());
    unread.deny_policies = Err(denied.clone().into());
    let is = |member: &str| member == BUILDER;
    let found = find(&Ok(vec![unread.clone()]), GET, is);
    assert!(
        matches!(&found, Denial::Unknown(why) if why.contains("folders/7") && why.contains("iam.denypolicies.list")),
        "{found:?}"
    );
    // A rule that was read decides all the same.
    let levels = Ok(vec![unread, level(vec![rule(&[PRINCIPAL], &[])])]);
    assert!(matches!(find(&levels, GET, is), Denial::Found(_)));
    assert!(matches!(find(&Err(denied), GET, is), Denial::Unknown(_)));
}

#[test]
fn the_exception_changes_nothing_else() {
    let Denial::Found(found) = judge(rule(&["principalSet://goog/public:all", PRINCIPAL], &[]))
    else {
        panic!("not found");
    };
    let member = Member::account("builder@demo.iam.gserviceaccount.com");
    let error = found.error("builder", "gs://contexts", Some(&member));
    assert_eq!(error.code, "identity.deny-policy");
    assert_eq!(
        error.message,
        "the allow policies grant it, but the deny policy no-reads (No reads) of folders/7 denies builder storage.googleapis.com/objects.get on gs://contexts"
    );
    let command = error.help[1].to_string();
    for part in [
        r#""etag":"e1""#,
        r#""displayName":"No reads""#,
        r#""description":"no reads""#,
        r#""exceptionPrincipals":["principal://iam.googleapis.com/projects/-/serviceAccounts/builder@demo.iam.gserviceaccount.com"]"#,
        "gcloud iam policies update no-reads",
        "--attachment-point=cloudresourcemanager.googleapis.com/folders/7",
    ] {
        assert!(command.contains(part), "{part}: {command}");
    }
    let error = found.error("builder", "gs://contexts", None);
    assert!(
        error.help[1]
            .to_string()
            .starts_with("gcloud iam policies get no-reads"),
        "{error:?}"
    );
}
