//! One table of pods for the patch, the policy and the webhook.

mod on_a_cluster;
mod pods;
mod reviews;
mod seen;

use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};

use crate::{Names, patch, rules};
use pods::{Case, table};
use seen::seen;

/// Returns the names that the tests install.
fn names() -> Names {
    Names::new(IpAddr::V4(Ipv4Addr::new(10, 96, 0, 2)), "the authority\n")
}

/// Returns a pod after the operations of our patch.
fn patched(pod: &Value) -> Value {
    let operations = json!(patch(pod, &names()));
    let operations: json_patch::Patch = serde_json::from_value(operations).unwrap();
    let mut pod = pod.clone();
    json_patch::patch(&mut pod, &operations).unwrap();
    pod
}

#[test]
fn pods_get_what_they_lack_and_keep_what_they_set() {
    for Case {
        what,
        pod,
        expected,
    } in table()
    {
        assert_eq!(seen(&patched(&pod)), expected, "{what}");
    }
}

#[test]
fn a_patched_pod_lacks_nothing() {
    for Case { what, pod, .. } in table() {
        assert_eq!(patch(&patched(&pod), &names()), [], "{what}");
    }
}

#[test]
fn the_bundle_has_the_public_roots_and_the_authority() {
    let bundle = names().bundle();
    assert!(bundle.starts_with("-----BEGIN CERTIFICATE-----\n"));
    assert!(bundle.ends_with("-----END CERTIFICATE-----\nthe authority\n"));
    // The limit of a ConfigMap.
    assert!(bundle.len() < 1024 * 1024, "{}", bundle.len());
}

#[test]
fn the_permissions_are_in_the_docs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/sandbox.md");
    let page = std::fs::read_to_string(path).unwrap();
    let mut lines = page.lines();
    let line = lines
        .find(|line| line.starts_with("The installing user needs"))
        .unwrap();
    for rule in rules().as_array().unwrap() {
        for name in rule["resources"]
            .as_array()
            .unwrap()
            .iter()
            .chain(rule["verbs"].as_array().unwrap())
        {
            let name = name.as_str().unwrap();
            assert!(line.contains(&format!("`{name}`")), "{name}");
        }
    }
}
