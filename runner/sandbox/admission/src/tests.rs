//! One table of pods for the patch, the policy and the webhook.

mod on_a_cluster;
mod pods;
mod reviews;
mod seen;

use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};

use crate::{Names, patch};
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
