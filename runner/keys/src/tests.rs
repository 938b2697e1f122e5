use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::*;
use crate::fuzz::key_file;

/// Returns what a search tells: kind, address, key id, project, registry, line.
fn told(bytes: &[u8]) -> Vec<String> {
    find(bytes).keys.iter().map(line).collect()
}

fn line(key: &Key) -> String {
    let or = |fact: &Option<String>| fact.clone().unwrap_or_else(|| "-".to_owned());
    let id = or(&key.key_id);
    format!(
        "{} {} {} {} {} :{}",
        key.kind.as_str(),
        or(&key.email),
        &id[..id.len().min(8)],
        or(&key.project),
        or(&key.registry),
        key.line
    )
}

const KEY: &str = "service-account-key app@demo.iam.gserviceaccount.com 01234567 demo - :1";

fn at(line: u32) -> String {
    KEY.replace(":1", &format!(":{line}"))
}

#[test]
fn a_key_is_found_in_every_form_that_people_store_it_in() {
    let key = key_file();
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&key).expect("JSON"))
        .expect("JSON");
    let quoted = serde_json::to_string(&key).expect("a string");
    let base64 = STANDARD.encode(&pretty);
    let wrapped: Vec<&str> = base64
        .as_bytes()
        .chunks(76)
        .map(|c| std::str::from_utf8(c).expect("ASCII"))
        .collect();
    for (what, bytes, line) in [
        ("the file", key.clone(), 1),
        ("the file as Google writes it", pretty.clone(), 1),
        ("after lines", format!("\n\n{pretty}"), 3),
        ("base64", base64.clone(), 1),
        ("base64 in lines", wrapped.join("\n"), 1),
        ("base64 twice", STANDARD.encode(&base64), 1),
        ("base64 for URLs", URL_SAFE_NO_PAD.encode(&pretty), 1),
        (
            "a JSON string",
            json!({ "config": { "credentials": key } }).to_string(),
            1,
        ),
        ("an object in JSON", format!("{{\"a\":[{key}]}}"), 1),
        (
            "an environment file",
            format!("A=1\nGOOGLE_CREDENTIALS='{key}'\nB=2\n"),
            2,
        ),
        (
            "a quoted variable",
            format!("A=1\nB=2\nexport KEY={quoted}\n"),
            3,
        ),
        (
            "base64 in an environment file",
            format!("A=1\nKEY_BASE64={base64}\n"),
            2,
        ),
        (
            "a template",
            format!("credentials: |\n  {}\n", pretty.replace('\n', "\n  ")),
            2,
        ),
    ] {
        assert_eq!(told(bytes.as_bytes()), [at(line)], "{what}");
        let found = find(bytes.as_bytes());
        assert!(found.secrets[0].contains("PRIVATE KEY"), "{what} is masked");
    }
}

#[test]
fn a_registry_s_password_is_a_key_only_under_google_s_user_names() {
    let key = key_file();
    let docker = |user: &str, password: &str| {
        let auth = STANDARD.encode(format!("{user}:{password}"));
        json!({ "auths": { "https://europe-docker.pkg.dev": { "auth": auth } } }).to_string()
    };
    let expected = KEY.replace(" - ", " https://europe-docker.pkg.dev ");
    assert_eq!(
        told(docker("_json_key", &key).as_bytes()),
        [expected.as_str()]
    );
    let encoded = STANDARD.encode(&key);
    assert_eq!(
        told(docker("_json_key_base64", &encoded).as_bytes()),
        [expected.as_str()]
    );
    let plain = json!({ "auths": { "https://europe-docker.pkg.dev": { "username": "_json_key", "password": key } } });
    assert_eq!(told(plain.to_string().as_bytes()), [expected.as_str()]);
    assert_eq!(
        told(docker("oauth2accesstoken", "ya29.token").as_bytes()),
        Vec::<String>::new()
    );
    assert_eq!(
        told(docker("ci", "correct-horse").as_bytes()),
        Vec::<String>::new()
    );
}

#[test]
fn what_is_not_a_google_key_is_told_as_what_it_is_or_not_at_all() {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";
    let pem = format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\n");
    let certificate = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    let example = json!({ "type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n" });
    let other = json!({ "type": "service_account", "private_key": "REPLACE_ME", "client_email": "a@b.iam.gserviceaccount.com" });
    let federated = json!({ "type": "external_account", "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q" });
    let user = json!({ "type": "authorized_user", "client_id": "x.apps.googleusercontent.com", "refresh_token": "1//0abcdefghijklmnop" });
    let none = Vec::<String>::new();
    for (bytes, expected) in [
        (
            pem.clone().into_bytes(),
            vec!["private-key - - - - :1".to_owned()],
        ),
        (
            format!("{certificate}{pem}").into_bytes(),
            vec!["private-key - - - - :4".to_owned()],
        ),
        (certificate.into_bytes(), none.clone()),
        (example.to_string().into_bytes(), none.clone()),
        (other.to_string().into_bytes(), none.clone()),
        (
            federated.to_string().into_bytes(),
            vec!["external-account - - - - :1".to_owned()],
        ),
        (
            user.to_string().into_bytes(),
            vec!["user-credentials - - - - :1".to_owned()],
        ),
        (
            vec![0x30, 0x82, 0x09, 0x9b, 0x02, 0x01, 0x03, 0x30, 0x82],
            vec!["pkcs12 - - - - :1".to_owned()],
        ),
        (
            vec![0x30, 0x82, 0x09, 0x9b, 0x02, 0x01, 0x00, 0x30, 0x82],
            none.clone(),
        ),
        (b"correct-horse-battery-staple".to_vec(), none.clone()),
        (vec![0xff; 300], none),
    ] {
        assert_eq!(told(&bytes), expected);
    }
    assert!(find(federated.to_string().as_bytes()).secrets.is_empty());
}

#[test]
fn a_fact_of_another_shape_is_left_out() {
    let mut key: Value = serde_json::from_str(&key_file()).expect("JSON");
    let private = key["private_key"].clone();
    key["client_email"] = private.clone();
    key["private_key_id"] = private.clone();
    key["project_id"] = private;
    assert_eq!(
        told(key.to_string().as_bytes()),
        ["service-account-key - - - - :1"]
    );
}

#[test]
fn the_number_of_keys_is_bounded() {
    let many = vec![serde_json::from_str::<Value>(&key_file()).expect("JSON"); 100];
    let found = find(Value::from(many).to_string().as_bytes());
    assert_eq!((found.keys.len(), found.truncated), (64, true));
}

#[test]
fn a_manifest_is_shown_without_the_data_of_secrets_and_without_keys() {
    let key = key_file();
    let quoted = serde_json::to_string(&key).expect("a string");
    let data = STANDARD.encode(&key);
    let text = format!(
        "# Source: app/templates/secret.yaml\napiVersion: v1\nkind: Secret\nmetadata:\n  name: app-key\n  annotations:\n    copy: {quoted}\ntype: Opaque\ndata:\n  other: Yg==\n  key.json: {data}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata:\n  mode: fast\n  key.json: {quoted}\n---\n# nothing\n---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {{name: second}}\n  stringData:\n    k: {quoted}\n- apiVersion: v1\n  kind: Pod\n  metadata: {{name: p}}\n"
    );
    let all = manifests(&text);
    assert_eq!(all.unreadable, []);
    let shown: Vec<(u32, String, Vec<String>)> = all
        .objects
        .iter()
        .map(|one| {
            let keys = one
                .keys
                .iter()
                .map(|e| format!("{} {}", e.entry, e.key.line));
            (one.line, one.object.to_string(), keys.collect())
        })
        .collect();
    let private = "MIIEvQIBADAN";
    assert!(all.secrets.iter().all(|secret| secret.contains(private)));
    assert_eq!(all.secrets.len(), 3);
    for (_, object, _) in &shown {
        assert!(
            !object.contains(private) && !object.contains("Yg=="),
            "{object}"
        );
    }
    let expected = [
        (
            2,
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app-key"}, "type": "Opaque"}),
            vec!["key.json 11"],
        ),
        (
            13,
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"mode": "fast", "key.json": "(a key)"}}),
            vec!["data.key.json 18"],
        ),
        (
            22,
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "second"}}),
            vec!["k 29"],
        ),
        (
            22,
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}),
            vec![],
        ),
    ];
    for (found, (line, object, keys)) in shown.iter().zip(&expected) {
        assert_eq!(found.0, *line);
        assert_eq!(
            serde_json::from_str::<Value>(&found.1).expect("JSON"),
            *object
        );
        assert_eq!(found.2, *keys);
    }
    assert_eq!(shown.len(), expected.len());
}

#[test]
fn a_document_that_is_not_yaml_is_named_by_its_line_and_the_others_are_read() {
    let all = manifests("kind: Pod\n---\nkind: {{ .Values.kind }}\nmetadata: [\n---\nkind: Job\n");
    let kinds: Vec<&Value> = all.objects.iter().map(|one| &one.object["kind"]).collect();
    assert_eq!(kinds, ["Pod", "Job"]);
    assert_eq!(all.unreadable.len(), 1);
    let wrong = &all.unreadable[0];
    assert!((2..=5).contains(&wrong.line), "{wrong:?}");
    assert_eq!(wrong.reason, "it is not valid YAML");
}
