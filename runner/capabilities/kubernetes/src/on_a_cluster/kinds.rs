//! Clean-up of every kind of object that a real API server lets a client create.

mod access;
mod admission;
mod core;
mod others;
mod row;
mod workloads;

use std::collections::BTreeSet;
use std::time::Duration;

use kube::Client;
use serde_json::json;
use sidestep_cluster_testing::Namespace;
use sidestep_events::{Class, Failure};

use self::row::{Fate, Row};
use super::{attempt, on};
use crate::{Deletion, Objects, Target, made_by};

/// Creates an object, and removes it as clean-up does, by what the journal has of it.
async fn fate(client: &Client, namespace: &Namespace<'_>, row: &Row) -> Result<Fate, Failure> {
    let target = row.target(namespace.name());
    let name = match row.name.as_str() {
        "" => namespace.name(),
        name => name,
    };
    let mut object = row.object.clone();
    object["apiVersion"] = json!(row.api_version);
    object["kind"] = json!(row.kind);
    object["metadata"] = json!({ "name": name });
    if let Some(namespace) = &target.namespace {
        object["metadata"]["namespace"] = json!(namespace);
    }
    let (owner, kind) = (attempt(1), target.journal_kind(row.kind));
    let objects = Objects::new(client.clone(), target);
    if let Err(not_created) = objects.create(object, name, &owner, false).await {
        let is_refused = row.fate == Fate::Refused && !not_created.may_exist();
        return is_refused
            .then_some(Fate::Refused)
            .ok_or(not_created.failure);
    }
    let place = if row.in_namespace {
        namespace.name()
    } else {
        ""
    };
    let objects = Objects::new(client.clone(), Target::of_journal(&kind, place));
    let Some(found) = objects.find(name).await? else {
        return Ok(Fate::Unstored);
    };
    assert_eq!(made_by(&found), Some(owner.by.as_str()), "{kind}");
    let uid = found["metadata"]["uid"].as_str();
    let patience = match row.fate {
        Fate::Going => Duration::ZERO,
        _ => Duration::from_secs(30),
    };
    match objects.delete(name, uid, None, Some(patience)).await? {
        Deletion::Gone => {
            assert_eq!(objects.find(name).await?, None, "{kind}");
            Ok(Fate::Gone)
        }
        Deletion::Going { .. } => Ok(Fate::Going),
    }
}

#[test]
fn an_object_of_every_kind_is_found_and_removed() {
    let Some(cluster) = sidestep_cluster_testing::pinned_api() else {
        return;
    };
    on(cluster, async |client, namespace| {
        let served = namespace.ok(&["api-resources", "--verbs=create", "--output=name"]);
        let name = namespace.name();
        let groups = [
            core::core(name),
            workloads::workloads(),
            admission::admission(name),
            access::access(),
            others::others(name),
        ];
        let rows: Vec<Row> = groups.into_iter().flatten().collect();
        let known: BTreeSet<String> = rows
            .iter()
            .map(|row| row.target(name).policy_resource())
            .collect();
        // Those of another test are not the API server's own.
        let served = served
            .lines()
            .filter(|name| !name.ends_with(".example.com"));
        let served: BTreeSet<String> = served.map(str::to_owned).collect();
        let lacking: Vec<_> = served.difference(&known).collect();
        assert!(lacking.is_empty(), "kinds without a row: {lacking:?}");
        let mut others = Vec::new();
        for row in &rows {
            let fate = fate(&client, namespace, row).await;
            if fate != Ok(row.fate) {
                others.push(format!("{} {}: {fate:?}", row.api_version, row.kind));
            }
        }
        assert!(others.is_empty(), "{others:#?}");
    });
}

#[test]
fn an_object_whose_kind_was_removed_is_gone() {
    let Some(cluster) = sidestep_cluster_testing::pinned_api() else {
        return;
    };
    on(cluster, async |client, namespace| {
        let group = format!("removed.{}.example.com", namespace.name());
        let schema = json!({ "openAPIV3Schema": { "type": "object" } });
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": format!("gadgets.{group}") },
            "spec": {
                "group": group, "scope": "Namespaced",
                "names": { "kind": "Gadget", "plural": "gadgets" },
                "versions": [{ "name": "v1", "served": true, "storage": true, "schema": schema }],
            },
        });
        let of = |api_version: &str, resource: &str, namespace: Option<&str>| {
            let target = Target {
                api_version: api_version.to_owned(),
                resource: resource.to_owned(),
                namespace: namespace.map(str::to_owned),
            };
            Objects::new(client.clone(), target)
        };
        let definitions = of("apiextensions.k8s.io/v1", "customresourcedefinitions", None);
        let named = format!("gadgets.{group}");
        let owner = attempt(1);
        let made = definitions.create(definition, &named, &owner, false).await;
        made.expect("created");
        let gadgets = of(&format!("{group}/v1"), "gadgets", Some(namespace.name()));
        let gadget = json!({
            "apiVersion": format!("{group}/v1"), "kind": "Gadget", "metadata": { "name": "one" },
        });
        // The API server serves a new kind some time after its creation.
        let create = async {
            while let Err(not_yet) = gadgets.create(gadget.clone(), "one", &owner, false).await {
                assert_eq!(not_yet.failure.class, Class::NotFound, "{not_yet:?}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let patience = Duration::from_mins(1);
        let created = tokio::time::timeout(patience, create).await;
        created.expect("the kind is served");
        assert!(gadgets.find("one").await.is_ok_and(|found| found.is_some()));
        let deleted = definitions.delete(&named, None, None, Some(patience)).await;
        assert_eq!(deleted, Ok(Deletion::Gone));
        // It serves a removed kind for some time.
        let gone = async {
            while gadgets.find("one").await != Ok(None) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let gone = tokio::time::timeout(patience, gone).await;
        gone.expect("the object is gone with its kind");
    });
}
