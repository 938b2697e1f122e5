//! `key-audit`: what it prints, what it returns, and that no byte of a key leaves the runner.

use serde_json::{Value, json};

use crate::clients::{client, exports, said};
use crate::command::{stderr, stdout};
use crate::setup::{Setup, failure, find, program};

const BODY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";
const MANIFESTS: &str = "manifests=[\"rendered.yaml\"]";

fn key() -> String {
    let private = format!("-----BEGIN PRIVATE KEY-----\n{BODY}\n-----END PRIVATE KEY-----\n");
    json!({
        "type": "service_account", "project_id": "demo", "private_key_id": "0a1b2c3d",
        "private_key": private, "client_email": "app@demo.iam.gserviceaccount.com",
    })
    .to_string()
}

/// Returns a workspace whose manifests have a key that a Deployment mounts.
fn with_a_key() -> Setup {
    let setup = Setup::new();
    let text = format!(
        "apiVersion: v1
kind: Secret
metadata: {{ name: app-key, namespace: shop }}
stringData:
  key.json: {}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{ name: api, namespace: shop }}
spec:
  template:
    spec:
      containers:
      - name: api
        image: ghcr.io/demo/api:1
        env: [{{ name: GOOGLE_APPLICATION_CREDENTIALS, value: /key/key.json }}]
        volumeMounts: [{{ name: key, mountPath: /key }}]
      volumes: [{{ name: key, secret: {{ secretName: app-key }} }}]
",
        Value::from(key())
    );
    setup.write("rendered.yaml", &text);
    setup.write("deploy/key.json", &key());
    setup
}

/// Returns whether a file of a folder, at any depth, has the key.
fn holds_key(folder: &std::path::Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return holds_key(&path);
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        bytes
            .windows(BODY.len())
            .any(|part| part == BODY.as_bytes())
    })
}

#[test]
fn a_key_in_manifests_is_told_with_its_line_and_its_migration() {
    let mut setup = with_a_key();
    let output = setup.run(&[
        "exec",
        "key-audit",
        "-i",
        MANIFESTS,
        "-i",
        "files=[\"deploy/**\"]",
    ]);
    let told = format!("{}{}", stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(0), "{told}");
    for line in [
        "key-in-object  rendered.yaml:5",
        "used by Deployment shop/api",
        "kubectl create serviceaccount api -n shop",
        "gcloud iam service-accounts keys disable 0a1b2c3d --iam-account app@demo.iam.gserviceaccount.com --project demo",
        "key-in-file  deploy/key.json:1",
        "2 keys, 0 other findings in 2 objects and 1 file",
    ] {
        assert!(told.contains(line), "{line} is missing in:\n{told}");
    }
    assert!(!told.contains(BODY), "{told}");
    for kept in ["state", "cache"] {
        assert!(!holds_key(&setup.folder().join(kept)), "{kept} has the key");
    }
    assert!(holds_key(&setup.workspace()), "the search for it works");
}

#[test]
fn a_key_fails_the_step_if_the_inputs_say_so() {
    let mut setup = with_a_key();
    let arguments = ["exec", "key-audit", "-i", MANIFESTS, "-i", "failOn=keys"];
    let (exit, events) = setup.events(&arguments);
    let failure = failure(&events);
    assert_eq!(
        (exit, &failure["code"]),
        (1, &json!("key.found")),
        "{failure:#}"
    );
    let finding = &failure["details"]["findings"][0];
    assert_eq!(finding["rule"], "keyInObject");
    assert_eq!(finding["usedBy"], json!(["Deployment shop/api"]));
    setup.write(
        "rendered.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n",
    );
    let (exit, events) = setup.events(&arguments);
    assert_eq!(exit, 0, "{events:#?}");
}

#[test]
fn sarif_is_one_line_of_the_outputs() {
    let mut setup = with_a_key();
    let (exit, events) =
        setup.events(&["exec", "key-audit", "-i", MANIFESTS, "-i", "format=sarif"]);
    assert_eq!(exit, 0, "{events:#?}");
    let end = find(&events, "run-finished", |_| true).expect("an end");
    let lines = end["outputs"]["lines"].as_array().expect("lines");
    let log: Value = serde_json::from_str(lines[0].as_str().expect("a text")).expect("JSON");
    assert_eq!((lines.len(), &log["version"]), (1, &json!("2.1.0")));
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "key-in-object");
}

#[test]
fn inputs_that_name_nothing_are_refused_and_a_manifest_that_is_missing_is_told() {
    let mut setup = with_a_key();
    let output = setup.run(&["exec", "key-audit"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("there is nothing to search"),
        "{}",
        stderr(&output)
    );
    let missing = [
        "exec",
        "key-audit",
        "-i",
        "manifests=[\"other.yaml\"]",
        "-i",
        "failOn=any",
    ];
    let (exit, events) = setup.events(&missing);
    assert_eq!(exit, 1, "{events:#?}");
    assert_eq!(
        failure(&events)["details"]["findings"][0]["rule"],
        "cannotTell"
    );
}

#[test]
fn the_example_finds_nothing_in_the_sandbox_until_a_key_is_stored() {
    let mut setup = Setup::with_pipelines();
    let run = ["run", "pipelines/key-audit.yaml", "--sandbox"];
    let (exit, events) = setup.events(&run);
    assert_eq!(exit, 0, "{events:#?}");
    let findings = |events: &[Value]| {
        let end = find(events, "run-finished", |_| true).expect("an end");
        end["outputs"]["findings"].clone()
    };
    assert_eq!(findings(&events), json!([]));
    let (Some(_), Some(_)) = (program("gcloud"), program("kubectl")) else {
        return;
    };
    let exports = exports(&mut setup, "healthy");
    let file = setup.folder().join("key.json");
    let file = file.to_str().unwrap();
    for line in [
        format!(
            "gcloud iam service-accounts keys create {file} --iam-account builder@demo.iam.gserviceaccount.com"
        ),
        format!("kubectl create secret generic builder-key -n builds --from-file=key.json={file}"),
    ] {
        said(&client(&setup, &exports, &line));
    }
    let (exit, events) = setup.events(&run);
    assert_eq!(exit, 0, "{events:#?}");
    let found = findings(&events);
    assert_eq!(found[0]["rule"], "keyInObject", "{found:#}");
    assert_eq!(found[0]["place"], "Secret builds/builder-key");
    assert_eq!(found[0]["account"], "builder@demo.iam.gserviceaccount.com");
    let key: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(found[0]["keyId"], key["private_key_id"]);
}
