use serde_json::{Value, json};
use sidestep_contract::google::condition;
use sidestep_evaluator::{Answer, Attributes, Evaluator as _, Question, Truth};
use sidestep_evaluator_guest::Native;

use super::*;

/// Returns a plan with one step that has these grants, by capability.
fn plan(grants: &Value) -> Plan {
    let grants: serde_json::Map<String, Value> = grants
        .as_object()
        .expect("valid")
        .iter()
        .map(|(capability, granted)| {
            let grant = json!({
                "capability": capability, "source": "pipeline", "granted": granted,
                "requested": null,
            });
            (capability.clone(), grant)
        })
        .collect();
    let instance = json!({
        "id": "deploy", "step": "deploy", "uses": "./deploy.wasm", "plugin": "deploy",
        "pluginDigest": "sha256:00", "matrix": {}, "with": { "literal": {} }, "outputs": [],
        "needs": [], "sees": {}, "finally": false, "failFast": true, "secrets": [],
        "scopes": { "grants": grants, "ceilings": [] },
    });
    let plan = json!({
        "version": 1, "name": "p", "file": "sidestep.yaml", "inputs": {}, "git": null,
        "run": null, "env": {}, "secrets": {}, "instances": [instance], "inputSchemas": {},
        "outputs": {}, "sees": {}, "policies": [],
    });
    serde_json::from_value(plan).expect("valid")
}

/// Returns the rules of the printed Role, and the lines about what is not covered.
fn role(grants: &Value) -> (Vec<Value>, Vec<String>) {
    let text = rbac(&plan(grants), Some("ci/runner"));
    let not_covered = text.lines().filter(|line| line.contains("Not covered"));
    let not_covered = not_covered.map(str::to_owned).collect();
    let documents: Vec<Value> = match text.split_once("---\n") {
        Some((_, documents)) => serde_saphyr::from_multiple(documents).expect("valid"),
        None => Vec::new(),
    };
    let rules = documents.first().map(|role| role["rules"].clone());
    (
        serde_json::from_value(rules.unwrap_or(json!([]))).expect("valid"),
        not_covered,
    )
}

fn proofs(accounts: &Value) -> Value {
    let mut scope = json!({ "cluster": "ci", "namespace": "builds" });
    if !accounts.is_null() {
        scope["serviceAccounts"] = accounts.clone();
    }
    json!({ "identity": [scope] })
}

#[test]
fn an_image_is_known_by_its_repository() {
    for (image, expected) in [
        (
            "europe-docker.pkg.dev/p/r/app:1",
            "europe-docker.pkg.dev/p/r/app",
        ),
        ("localhost:5000/app", "localhost:5000/app"),
        ("localhost:5000/app:1@sha256:00", "localhost:5000/app"),
    ] {
        assert_eq!(repository(image), expected);
    }
    assert_eq!(label("My App (v2)"), "sidestep-my-app-v2");
}

#[test]
fn a_role_never_covers_more_service_accounts_than_the_grant() {
    let tokens = |accounts: &Value| {
        let (rules, not_covered) = role(&proofs(accounts));
        let resource = json!(["serviceaccounts/token"]);
        let of_tokens = rules
            .into_iter()
            .filter(|rule| rule["resources"] == resource);
        let names: Vec<Value> = of_tokens
            .map(|rule| rule["resourceNames"].clone())
            .collect();
        (names, not_covered)
    };
    let remark = |accounts: &str| {
        format!(
            "# Not covered: the grant does not name each value of `serviceAccounts` exactly: \
             prove the identity of {accounts} in namespace builds of ci"
        )
    };
    let unlimited = (vec![Value::Null], vec![]);
    assert_eq!(tokens(&Value::Null), unlimited, "the grant has no limit");
    assert_eq!(
        tokens(&json!(["a", "b"])),
        (vec![json!(["a", "b"])], vec![])
    );
    let (names, not_covered) = tokens(&json!(["build-*"]));
    assert_eq!((names, not_covered), (vec![], vec![remark("build-*")]));
    let (names, not_covered) = tokens(&json!(["a", "build-*"]));
    let both = vec![remark("a and build-*")];
    assert_eq!((names, not_covered), (vec![json!(["a"])], both));
    assert_eq!(tokens(&json!([])), (vec![], vec![]), "the grant has none");
}

#[test]
fn a_role_reads_the_registry_secrets_that_the_grant_names_and_no_other() {
    let logins = |secrets: Value| {
        role(&json!({ "kubernetes": [{
            "cluster": "ci", "namespace": "builds", "resources": ["secrets"],
            "actions": ["registryLogins"], "secrets": secrets,
        }] }))
    };
    let (rules, not_covered) = logins(json!(["registry"]));
    let get = json!([{
        "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"],
        "resourceNames": ["registry"],
    }]);
    assert_eq!((Value::from(rules), not_covered), (get, vec![]));
    let (rules, not_covered) = logins(json!(["registry-*"]));
    assert_eq!(rules, Vec::<Value>::new());
    assert!(
        not_covered[0].contains("each value of `secrets` exactly"),
        "{not_covered:?}"
    );
    assert_eq!(logins(json!([])), (vec![], vec![]), "the grant has none");
}

#[test]
fn a_role_reads_secrets_for_the_keys_in_them_and_no_other_object() {
    let (rules, not_covered) = role(&json!({ "kubernetes": [{
        "cluster": "ci", "namespace": "builds", "resources": ["secrets", "pods"],
        "actions": ["keyFacts"],
    }] }));
    let get = json!([{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] }]);
    assert_eq!((Value::from(rules), not_covered), (get, vec![]));
}

#[test]
fn a_role_has_no_pattern_of_a_grant() {
    let objects = |namespace: Value, resources: Value| {
        role(&json!({ "kubernetes": [{
            "cluster": "ci", "namespace": namespace, "resources": resources, "actions": ["get"],
        }] }))
    };
    let (rules, not_covered) = objects(json!("builds"), json!(["pods", "jobs.*", "pods/*", "*"]));
    let pods = json!([{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] }]);
    assert_eq!(Value::from(rules), pods);
    assert!(
        not_covered[0].contains("each value of `resources` exactly"),
        "{not_covered:?}"
    );
    let (rules, not_covered) = objects(json!(["builds", "ci-*"]), json!(["pods"]));
    assert_eq!(Value::from(rules), pods);
    assert!(
        not_covered[0].contains("each value of `namespace` exactly"),
        "{not_covered:?}"
    );
    let (rules, not_covered) = objects(json!("builds"), json!(["pods"]));
    assert_eq!((Value::from(rules), not_covered), (pods, vec![]));
}

#[test]
fn every_kind_that_is_created_can_be_removed() {
    let actions = |resource: &str, actions: &[&str]| {
        let (rules, _) = role(&json!({ "kubernetes": [{
            "cluster": "ci", "namespace": "builds", "resources": [resource], "actions": actions,
        }] }));
        let verbs = rules
            .first()
            .map_or(json!([]), |rule| rule["verbs"].clone());
        serde_json::from_value::<Vec<String>>(verbs).expect("valid")
    };
    for resource in ["pods", "configmaps", "jobs.batch"] {
        for action in ["create", "apply"] {
            let verbs = actions(resource, &[action]);
            for verb in ["create", "get", "list", "watch", "delete"] {
                assert!(verbs.iter().any(|it| it == verb), "{resource}: {verbs:?}");
            }
        }
        assert_eq!(actions(resource, &["get"]), ["get"]);
    }
    assert_eq!(actions("pods/log", &["get", "create"]), ["get"]);

    let storage = |actions: &[&str]| {
        let scope = json!({ "bucket": "b", "actions": actions });
        iam(&plan(&json!({ "storage": [scope] })), Some("user:a@b.c"))
    };
    assert!(storage(&["create"]).contains("grant roles/storage.objectUser instead"));
    for actions in [&["create", "delete"][..], &["get"]] {
        let script = storage(actions);
        assert!(!script.contains("Not covered"), "{script}");
    }
}

/// Returns whether a condition holds for an object of the bucket `b`.
fn holds(expression: &str, object: &str) -> bool {
    let attributes = Attributes {
        request_time: "2026-06-01T12:00:00Z".into(),
        resource_name: Some(format!("projects/_/buckets/b/objects/{object}").into()),
        resource_service: Some("storage.googleapis.com".into()),
        resource_type: Some("storage.googleapis.com/Object".into()),
    };
    let text = expression.into();
    match Native.ask(&Question::Condition { text, attributes }) {
        Ok(Answer::Truth(Truth::True)) => true,
        Ok(Answer::Truth(Truth::False)) => false,
        other => panic!("{expression}: {other:?}"),
    }
}

#[test]
fn a_grant_of_one_object_is_a_condition_on_it() {
    for prefix in ["r/today.json", "r/", "r", "r//", "/", "it's \"r\""] {
        let grants = json!({ "storage": [
            { "bucket": "b", "prefix": [prefix], "actions": ["get"] },
        ] });
        let plan = plan(&grants);
        let expression = condition::of_grant("b", prefix);
        let value = condition::entries(&[("expression", &expression), ("title", "sidestep-p")]);
        let script = iam(&plan, Some("user:a@b.c"));
        let flag = format!("--condition={}", sidestep_events::show::shell_word(&value));
        assert!(script.contains(&flag), "{flag} in {script}");
        let (_, scope) = scopes(&plan, Capability::Storage).next().expect("one");
        let allowed = &scope.patterns("prefix").expect("limited")[0];
        for object in [
            "r/today.json",
            "r/today.json/x",
            "r/today.jsonx",
            "r",
            "rx",
            "r/",
            "r//x",
        ] {
            for object in [object, &format!("/{object}"), &format!("{prefix}{object}")] {
                let granted = holds(&expression, object);
                assert_eq!(granted, allowed.matches(object), "{prefix} on {object}");
            }
        }
    }
}

#[test]
fn two_pipelines_have_two_roles() {
    let role = |name: &str, action: &str| {
        let mut plan = plan(&json!({ "kubernetes": [{
            "cluster": "ci", "namespace": "builds", "resources": ["pods"], "actions": [action],
        }] }));
        plan.name = name.into();
        let text = rbac(&plan, Some("ci/runner"));
        let (_, documents) = text.split_once("---\n").expect("documents");
        let documents: Vec<Value> = serde_saphyr::from_multiple(documents).expect("valid");
        let [role, binding] = &documents[..] else {
            panic!("{documents:?}");
        };
        assert_eq!(role["metadata"]["name"], binding["roleRef"]["name"]);
        assert_eq!(role["metadata"], binding["metadata"]);
        role["metadata"]["name"]
            .as_str()
            .expect("a name")
            .to_owned()
    };
    let pipelines = [
        ("a b", "get"),
        ("a-b", "get"),
        ("ビルド", "get"),
        ("テスト", "get"),
        ("a b", "create"),
    ];
    let names: BTreeSet<String> = pipelines
        .iter()
        .map(|(name, action)| role(name, action))
        .collect();
    assert_eq!(names.len(), pipelines.len(), "{names:?}");
    assert_eq!(role("a b", "get"), role("a b", "get"));
}

#[test]
fn the_test_of_a_push_needs_the_role_of_a_writer() {
    let role = |actions: &[&str]| {
        let scope = json!({ "repository": "europe-docker.pkg.dev/p/r/app", "actions": actions });
        iam(
            &plan(&json!({ "registry": [scope] })),
            Some("user:a@example.com"),
        )
    };
    for (actions, writes) in [
        (&["resolve", "manifest", "config"][..], false),
        (&["testPush"], true),
        (&["resolve", "putIndex"], true),
    ] {
        let script = role(actions);
        assert_eq!(
            script.contains("roles/artifactregistry.writer"),
            writes,
            "{script}"
        );
        assert_eq!(
            script.contains("roles/artifactregistry.reader"),
            !writes,
            "{script}"
        );
    }
}

#[test]
fn bindings_name_the_values_that_they_do_not_cover() {
    let rows = [
        ("storage", "bucket", "contexts", "ci-*"),
        ("project", "project", "demo", "demo-*"),
        ("iam", "project", "demo", "demo-*"),
        ("iamWrite", "resource", "projects/demo", "projects/*"),
        (
            "gke",
            "cluster",
            "projects/demo/locations/l/clusters/c",
            "projects/demo/**",
        ),
        (
            "identity",
            "cluster",
            "projects/demo/locations/l/clusters/c",
            "projects/demo/**",
        ),
        (
            "registry",
            "repository",
            "europe-docker.pkg.dev/p/r/app",
            "europe-docker.pkg.dev/p/*/app",
        ),
        (
            "artifactRegistry",
            "repository",
            "europe-docker.pkg.dev/p/r",
            "europe-docker.pkg.dev/p/*",
        ),
        (
            "secretManager",
            "secret",
            "projects/p/secrets/s",
            "projects/p/secrets/*",
        ),
    ];
    for (capability, key, exact, pattern) in rows {
        let script = |values: &[&str]| {
            let mut scope = json!({ key: values });
            if capability == "identity" {
                scope["namespace"] = json!("builds");
            }
            iam(
                &plan(&json!({ capability: [scope] })),
                Some("user:a@example.com"),
            )
        };
        let covered = script(&[exact]);
        assert!(!covered.contains("exactly"), "{capability}: {covered}");
        assert!(covered.contains("# for deploy"), "{capability}: {covered}");
        let partly = script(&[exact, pattern]);
        let remark =
            format!("# Not covered: deploy: the grant does not name each value of `{key}`");
        // A scope without a project is covered by the projects of its resources, and the reverse.
        assert!(
            partly.contains(&remark) || partly.contains("`project` and `resource`"),
            "{partly}"
        );
        let commands = |script: &str| -> Vec<String> {
            let lines = script.lines().filter(|line| line.starts_with("gcloud"));
            lines.map(str::to_owned).collect()
        };
        assert_eq!(commands(&partly), commands(&covered), "{capability}");
    }
}

#[test]
fn service_accounts_of_pods_that_match_a_pattern_are_not_covered() {
    let mut plan = plan(&json!({ "kubernetes": [{
        "cluster": "projects/demo/locations/l/clusters/c", "namespace": "builds",
        "resources": ["pods"], "actions": ["create"], "serviceAccounts": ["build-*"],
    }] }));
    assert!(
        !iam(&plan, None).contains("the pod of deploy"),
        "it pushes nothing"
    );
    let with = json!({ "literal": { "destinations": ["europe-docker.pkg.dev/p/r/app:1"] } });
    plan.instances[0].with = serde_json::from_value(with).expect("valid");
    let script = iam(&plan, None);
    let remark =
        "# Not covered: the pod of deploy: the grant does not name each value of `serviceAccounts`";
    assert!(script.contains(remark), "{script}");
}
