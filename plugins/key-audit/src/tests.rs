//! A table of manifests, in the shapes of public charts, and their findings.

use sidestep::serde_json::{Value, json};
use sidestep::workspace::{EntryKey, FileKey, KeyFact};

use crate::objects::Object;
use crate::outputs::Finding;
use crate::{rules, sarif, show};

mod cases;

const CLUSTER: &str = "projects/demo/locations/europe-west1/clusters/ci";
const BODY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";

/// Returns a key file whose private key is an example.
fn key() -> String {
    let private = format!("-----BEGIN PRIVATE KEY-----\n{BODY}\n-----END PRIVATE KEY-----\n");
    json!({
        "type": "service_account", "project_id": "demo", "private_key_id": "0a1b2c3d",
        "private_key": private, "client_email": "app@demo.iam.gserviceaccount.com",
    })
    .to_string()
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for group in text.as_bytes().chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..4 {
            let digit = bits >> (18 - 6 * index) & 63;
            let is_padding = index > group.len();
            encoded.push(if is_padding {
                '='
            } else {
                char::from(ALPHABET[digit as usize])
            });
        }
    }
    encoded
}

/// Returns a manifest with keys in the places of these words.
fn filled(text: &str) -> String {
    let docker = json!({ "auths": { "europe-docker.pkg.dev": {
        "auth": base64(&format!("_json_key:{}", key())),
    } } });
    let other = json!({ "auths": { "ghcr.io": { "auth": base64("ci:correct-horse") } } });
    let federated = json!({
        "type": "external_account", "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
    });
    text.replace("KEY64", &base64(&key()))
        .replace("KEYTEXT", &Value::from(key()).to_string())
        .replace("DOCKER64", &base64(&docker.to_string()))
        .replace("OTHER64", &base64(&other.to_string()))
        .replace("FEDERATED64", &base64(&federated.to_string()))
        .replace(
            "TLS64",
            &base64(&format!(
                "-----BEGIN PRIVATE KEY-----\n{BODY}\n-----END PRIVATE KEY-----\n"
            )),
        )
}

fn fact(key: sidestep_keys::Key) -> KeyFact {
    KeyFact {
        kind: key.kind.as_str().to_owned(),
        email: key.email,
        key_id: key.key_id,
        project: key.project,
        registry: key.registry,
        line: key.line,
    }
}

/// Reads a manifest as the host does.
fn objects(text: &str) -> Vec<Object> {
    let all = sidestep_keys::manifests(&filled(text));
    assert_eq!(all.unreadable, []);
    let entry = |entry: sidestep_keys::Entry| EntryKey {
        entry: entry.entry,
        fact: fact(entry.key),
    };
    let object = |one: sidestep_keys::Manifest| Object {
        at: Some(("all.yaml".to_owned(), one.line)),
        value: one.object,
        keys: Some(one.keys.into_iter().map(entry).collect()),
    };
    all.objects.into_iter().map(object).collect()
}

/// Returns a finding in one line: rule, line, users.
fn brief(finding: &Finding) -> String {
    let mut text = format!(
        "{} :{}",
        finding.rule.id(),
        finding.line.unwrap_or_default()
    );
    if !finding.used_by.is_empty() {
        text.push_str(&format!(" by {}", finding.used_by.join(", ")));
    }
    text
}

#[test]
fn each_manifest_has_its_findings_and_no_other() {
    let mut wrong = Vec::new();
    for (name, text, expected) in cases::CASES {
        let found: Vec<String> = rules::of_objects(&objects(text), Some(CLUSTER))
            .iter()
            .map(brief)
            .collect();
        if found != *expected {
            wrong.push(format!(
                "{name}:\n  found    {found:?}\n  expected {expected:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases::CASES.len() >= 40);
}

#[test]
fn a_finding_reads_well_in_80_columns() {
    let text = cases::named("a Deployment that mounts a key");
    let cluster: Vec<String> = rules::of_objects(&objects(text), Some(CLUSTER))
        .iter()
        .flat_map(show::lines)
        .collect();
    insta::assert_snapshot!("with_a_cluster", cluster.join("\n"));
    let text = cases::named("a pull secret with a key");
    let without: Vec<String> = rules::of_objects(&objects(text), None)
        .iter()
        .flat_map(show::lines)
        .collect();
    insta::assert_snapshot!("a_pull_secret", without.join("\n"));
    // Commands are to be copied, and are not wrapped.
    let prose = cluster.iter().chain(&without);
    let prose = prose.filter(|line| !line.starts_with("       "));
    prose.for_each(|line| assert!(line.chars().count() <= 64, "{line}"));
}

#[test]
fn sarif_names_the_rule_the_line_and_the_key() {
    let text = cases::named("a Deployment that mounts a key");
    let log = sarif::log(&rules::of_objects(&objects(text), Some(CLUSTER)));
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "key-in-object");
    let result = &run["results"][0];
    assert_eq!(
        (&result["ruleId"], &result["level"]),
        (&json!("key-in-object"), &json!("error"))
    );
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "all.yaml");
    assert_eq!(place["region"]["startLine"], 6);
    let print = &result["partialFingerprints"]["keyAudit/v1"];
    assert_eq!(print, "key-in-object:all.yaml:0a1b2c3d");
    assert!(!log.to_string().contains(BODY));
}

#[test]
fn a_key_in_a_file_is_found_and_a_tls_key_is_not() {
    let found = sidestep_keys::find(key().as_bytes());
    let file = |key| FileKey {
        path: "deploy/key.json".to_owned(),
        fact: fact(key),
    };
    let mut keys: Vec<FileKey> = found.keys.into_iter().map(file).collect();
    let tls = sidestep_keys::find(filled("TLS64").as_bytes());
    keys.extend(tls.keys.into_iter().map(file));
    assert_eq!(keys.len(), 2);
    let findings = rules::of_files(&keys);
    let lines: Vec<String> = findings.iter().flat_map(show::lines).collect();
    insta::assert_snapshot!("a_file", lines.join("\n"));
}

#[test]
fn what_the_caller_may_not_read_is_never_told_as_clean() {
    let secret = Object {
        at: None,
        value: json!({ "kind": "Secret", "metadata": { "name": "app-key", "namespace": "shop" } }),
        keys: None,
    };
    let findings = rules::of_objects(&[secret], Some(CLUSTER));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].rule.id(), "cannot-tell");
    assert_eq!(findings[0].place, "Secret shop/app-key");
    let summary = show::summary(&findings, 1, 0);
    assert_eq!(
        summary,
        "0 keys, 0 other findings in 1 object and 0 files; 1 place not searched"
    );
}
