use serde_json::json;
use sidestep_gate::{CallError, Gate, Services, StepLimits};
use sidestep_gate_testing::{state_with, step};
use sidestep_policy::Capability as Key;
use wit::Host as _;

use super::*;
use crate::{Calls, Options};

const BODY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";

fn key() -> String {
    json!({
        "type": "service_account", "project_id": "demo", "private_key_id": "0a1b2c3d",
        "private_key": format!("-----BEGIN PRIVATE KEY-----\n{BODY}\n-----END PRIVATE KEY-----\n"),
        "client_email": "app@demo.iam.gserviceaccount.com",
    })
    .to_string()
}

/// Returns a workspace with these files.
fn workspace(files: &[(&str, String)]) -> (tempfile::TempDir, Workspace) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("root");
    std::fs::create_dir(&root).expect("made");
    for (file, text) in files {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    let options = Options {
        root,
        scratch: folder.path().to_owned(),
        hidden: vec![".state".into()],
        unverified: false,
    };
    let workspace = Workspace::open(options).expect("it opens");
    (folder, workspace)
}

fn gate(scope: serde_json::Value) -> Gate {
    let (step, _) = step(Key::Workspace, &json!([scope]));
    Gate::new(step, &StepLimits::default())
}

fn all() -> Vec<String> {
    vec!["**".to_owned()]
}

#[test]
fn the_keys_of_granted_files_are_told_by_path_and_line() {
    let (_folder, workspace) = workspace(&[
        ("config/key.json", key()),
        (".env", format!("A=1\nKEY='{}'\n", key())),
        (".state/run.json", key()),
        ("other/key.json", key()),
        ("README.md", "nothing".to_owned()),
    ]);
    let gate = gate(json!({ "read": ["config/**", ".env", "README.md"], "actions": ["keyFacts"] }));
    let (found, secrets) = workspace.key_facts(&gate, &all()).expect("an answer");
    let told: Vec<String> = found
        .keys
        .iter()
        .map(|key| format!("{}:{}", key.path, key.fact.line))
        .collect();
    assert_eq!(told, [".env:2", "config/key.json:1"]);
    assert_eq!((found.searched, found.truncated), (3, false));
    assert!(!format!("{found:?}").contains(BODY));
    assert_eq!(secrets.len(), 2);
}

#[test]
fn a_manifest_is_shown_with_its_keys_and_without_their_bytes() {
    let quoted = serde_json::to_string(&key()).expect("a string");
    let text = format!(
        "kind: Secret\nmetadata: {{name: a}}\nstringData:\n  key.json: {quoted}\n---\nkind: Pod\n---\na: [\n"
    );
    let (_folder, workspace) = workspace(&[("all.yaml", text), ("bad.yaml", "\u{0}".to_owned())]);
    let gate = gate(json!({ "read": ["**"], "actions": ["keyFacts"] }));
    let (found, _) = workspace.manifests(&gate, &all()).expect("an answer");
    assert!(!format!("{found:?}").contains(BODY));
    let objects: Vec<(u32, usize)> = found
        .objects
        .iter()
        .map(|one| (one.line, one.keys.len()))
        .collect();
    assert_eq!(objects, [(1, 1), (6, 0)]);
    assert_eq!(found.objects[0].keys[0].fact.line, 4);
    assert_eq!(found.unsearched.len(), 2, "{:?}", found.unsearched);
}

#[test]
fn what_is_too_large_is_named_and_not_passed_over() {
    let large = "x".repeat((LARGEST + 1) as usize);
    let (_folder, workspace) = workspace(&[("large", large), ("key.json", key())]);
    let gate = gate(json!({ "read": ["**"], "actions": ["keyFacts"] }));
    let (found, _) = workspace.key_facts(&gate, &all()).expect("an answer");
    assert_eq!((found.keys.len(), found.searched), (1, 1));
    assert_eq!(found.unsearched[0].path, "large");
}

#[tokio::test]
async fn key_facts_denied_without_the_action_and_reads_denied_with_it_alone() {
    let (_folder, workspace) = workspace(&[("key.json", key())]);
    let code = |error: CallError| match error {
        CallError::Failure(failure) => failure.code.exact().to_owned(),
        CallError::Trap(trap) => panic!("{trap:?}"),
    };
    let calls = |scope: serde_json::Value| {
        let services = Services::default().with(std::sync::Arc::new(workspace.clone()));
        Calls(state_with(&[(Key::Workspace, json!([scope]))], services).0)
    };
    let named = || vec!["key.json".to_owned()];
    for scope in [
        json!({ "read": ["**"] }),
        json!({ "read": ["**"], "actions": ["read"] }),
    ] {
        let refused = calls(scope.clone()).key_facts(named()).await;
        assert_eq!(
            code(refused.expect_err("refused")),
            "grant.scope",
            "{scope}"
        );
        let refused = calls(scope.clone()).manifests(named()).await;
        assert_eq!(
            code(refused.expect_err("refused")),
            "grant.scope",
            "{scope}"
        );
        // An answer without keys would look like a clean workspace.
        let refused = calls(scope).key_facts(all()).await;
        assert_eq!(code(refused.expect_err("refused")), "grant.scope");
    }
    let only = json!({ "read": ["**"], "actions": ["keyFacts"] });
    let mut calls = calls(only);
    let found = calls.key_facts(named()).await.expect("an answer");
    assert_eq!(found.keys.len(), 1);
    assert!(calls.0.step.masks.found_in(BODY), "the key is masked");
    let refused = calls.read("key.json".to_owned(), 1 << 20).await;
    assert_eq!(code(refused.expect_err("refused")), "grant.scope");
    let refused = calls.open("key.json".to_owned()).await;
    assert_eq!(
        code(refused.map(|_| ()).expect_err("refused")),
        "grant.scope"
    );
}
