use k8s_openapi::api::core::v1;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use super::*;
use crate::objects::{Node, Pod};
use crate::rights::Namespaces;

/// Returns a pod of account `NAME-account` on node `n`.
fn pod(uid: &str, name: &str, address: &str, more: Value) -> v1::Pod {
    let mut pod = json!({
        "metadata": { "namespace": "builds", "name": name, "uid": uid },
        "spec": {
            "serviceAccountName": format!("{name}-account"), "nodeName": "n", "containers": [],
        },
        "status": { "phase": "Running", "podIP": address, "podIPs": [{ "ip": address }] },
    });
    merge(&mut pod, more);
    serde_json::from_value(pod).unwrap()
}

fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more,
    }
}

fn list<K>(objects: Vec<K>) -> impl Iterator<Item = Event<K>> {
    let objects = objects.into_iter().map(Event::InitApply);
    std::iter::once(Event::Init)
        .chain(objects)
        .chain([Event::InitDone])
}

/// Returns the state of a cluster with these pods, and one node at 10.0.0.1.
fn state(pods: Vec<v1::Pod>) -> State {
    let mut state = State::new(&Namespaces::All);
    for event in list(pods) {
        state.pods[0].apply(Some(event), Pod::read);
    }
    for event in list(Vec::<v1::ServiceAccount>::new()) {
        state.accounts[0].apply(Some(event), crate::objects::Account::read);
    }
    let node = json!({
        "metadata": { "name": "n", "uid": "n" },
        "status": { "addresses": [{ "type": "InternalIP", "address": "10.0.0.1" }] },
    });
    for event in list(vec![serde_json::from_value::<v1::Node>(node).unwrap()]) {
        state.nodes.apply(Some(event), Node::read);
    }
    state
}

fn apply(state: &mut State, event: Event<v1::Pod>) {
    state.pods[0].apply(Some(event), Pod::read);
}

/// Returns the account of the caller at an address.
fn at(state: &State, address: &str) -> Result<String, NoCaller> {
    find(state, address.parse().unwrap(), None).map(|caller| match caller {
        Caller::Pod {
            service_account, ..
        } => service_account,
        Caller::Node => "node".to_owned(),
    })
}

fn account(name: &str) -> Result<String, NoCaller> {
    Ok(name.to_owned())
}

#[test]
fn a_pod_is_found_by_each_of_its_addresses_and_a_node_by_its_own() {
    let both = json!({ "status": { "podIPs": [{ "ip": "10.1.0.5" }, { "ip": "fd00::5" }] } });
    let on_the_node = json!({ "spec": { "hostNetwork": true } });
    let state = state(vec![
        pod("1", "a", "10.1.0.5", both),
        pod("2", "b", "10.0.0.1", on_the_node),
        pod(
            "3",
            "c",
            "10.1.0.6",
            json!({ "spec": { "serviceAccountName": null } }),
        ),
    ]);
    assert_eq!(at(&state, "10.1.0.5"), account("a-account"));
    assert_eq!(at(&state, "fd00::5"), account("a-account"));
    assert_eq!(at(&state, "10.1.0.6"), account("default"));
    assert_eq!(at(&state, "10.1.0.7"), Err(NoCaller::Unknown));
    for node in ["10.0.0.1", "127.0.0.1", "::1", "169.254.169.254"] {
        assert_eq!(at(&state, node), account("node"), "{node}");
    }
}

#[test]
fn a_pod_of_another_node_is_nobody_behind_a_relay() {
    let state = state(vec![pod("1", "a", "10.1.0.5", json!({}))]);
    let by = |node| {
        let address = "10.1.0.5".parse().unwrap();
        find(&state, address, Some(node)).is_ok()
    };
    assert!(by("n"));
    assert!(!by("m") && !by(""));
}

#[test]
fn a_recreated_pod_with_another_address_leaves_the_old_one_to_nobody() {
    let mut state = state(vec![pod("1", "a", "10.1.0.5", json!({}))]);
    apply(
        &mut state,
        Event::Delete(pod("1", "a", "10.1.0.5", json!({}))),
    );
    let starting = json!({ "status": { "phase": "Pending", "podIP": null, "podIPs": null } });
    apply(&mut state, Event::Apply(pod("2", "a", "", starting)));
    // It may be the address of the new pod, whose status does not show it yet.
    assert_eq!(at(&state, "10.1.0.5"), Err(NoCaller::NotYet));
    apply(
        &mut state,
        Event::Apply(pod("2", "a", "10.1.0.9", json!({}))),
    );
    assert_eq!(at(&state, "10.1.0.5"), Err(NoCaller::Unknown));
    assert_eq!(at(&state, "10.1.0.9"), account("a-account"));
    // The late end of the first pod does not end the second.
    apply(
        &mut state,
        Event::Delete(pod("1", "a", "10.1.0.5", json!({}))),
    );
    assert_eq!(at(&state, "10.1.0.9"), account("a-account"));
}

#[test]
fn a_reused_address_is_never_that_of_the_former_pod() {
    let ended = |phase: &str| json!({ "status": { "phase": phase } });
    for phase in ["Succeeded", "Failed"] {
        let state = state(vec![
            pod("1", "a", "10.1.0.5", ended(phase)),
            pod("2", "b", "10.1.0.5", json!({})),
        ]);
        assert_eq!(at(&state, "10.1.0.5"), account("b-account"), "{phase}");
    }
    // The API server does not know yet that the first has ended.
    let mut state = state(vec![
        pod("1", "a", "10.1.0.5", json!({})),
        pod("2", "b", "10.1.0.5", json!({})),
    ]);
    assert_eq!(at(&state, "10.1.0.5"), Err(NoCaller::NotYet));
    apply(
        &mut state,
        Event::Apply(pod("1", "a", "10.1.0.5", ended("Failed"))),
    );
    assert_eq!(at(&state, "10.1.0.5"), account("b-account"));
}

#[test]
fn the_address_of_an_ending_pod_may_be_that_of_a_starting_one() {
    let deleted = json!({ "metadata": { "deletionTimestamp": "2026-01-01T00:00:00Z" } });
    let over = json!({ "status": { "containerStatuses": [{
        "name": "main", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
        "state": { "terminated": { "exitCode": 0 } },
    }] } });
    for ending in [deleted, over] {
        let starting = |node: &str| {
            json!({
                "spec": { "nodeName": node },
                "status": { "phase": "Pending", "podIP": null, "podIPs": null },
            })
        };
        // It still has its identity while nothing starts beside it, as far as that is known.
        let mut state = state(vec![
            pod("1", "a", "10.1.0.5", ending),
            pod("2", "b", "", starting("another")),
        ]);
        assert_eq!(at(&state, "10.1.0.5"), account("a-account"));
        apply(&mut state, Event::Apply(pod("3", "c", "", starting("n"))));
        assert_eq!(at(&state, "10.1.0.5"), Err(NoCaller::NotYet));
        apply(
            &mut state,
            Event::Apply(pod("3", "c", "10.1.0.6", json!({}))),
        );
        assert_eq!(at(&state, "10.1.0.5"), account("a-account"));
        assert_eq!(at(&state, "10.1.0.6"), account("c-account"));
        state.has_all_pods = false;
        assert_eq!(at(&state, "10.1.0.5"), Err(NoCaller::NotYet));
        assert_eq!(at(&state, "10.1.0.6"), account("c-account"));
    }
}

#[test]
fn nobody_is_known_while_a_watch_is_lost() {
    let mut state = state(vec![pod("1", "a", "10.1.0.5", json!({}))]);
    state.pods[0].apply(None::<Event<v1::Pod>>, Pod::read);
    assert_eq!(at(&state, "10.1.0.5"), Err(NoCaller::NotYet));
    assert_eq!(at(&state, "10.0.0.1"), Err(NoCaller::NotYet));
    // A list that is not complete changes nothing.
    let later = pod("2", "b", "10.1.0.5", json!({}));
    for event in [Event::Init, Event::InitApply(later)] {
        apply(&mut state, event);
        assert_eq!(at(&state, "10.1.0.5"), Err(NoCaller::NotYet));
    }
    // The first pod was deleted in between.
    apply(&mut state, Event::InitDone);
    assert_eq!(at(&state, "10.1.0.5"), account("b-account"));
}
