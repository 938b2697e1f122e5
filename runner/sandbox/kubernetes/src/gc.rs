//! Garbage collection of dependents without an owner, ended namespaces and old events, and
//! restoration of the objects that every namespace has.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::api::create::furnish;
use crate::api::delete::{Options, delete};
use crate::key::Key;
use crate::kinds::{KINDS, by_plural};
use crate::shared::Shared;
use crate::status::ApiError;

/// Runs until the cluster is closed.
pub(crate) async fn collect(shared: Arc<Shared>) {
    let mut ticks = shared.store.ticks();
    let mut timer = tokio::time::interval(Duration::from_mins(1));
    loop {
        tokio::select! {
            () = shared.shutdown.cancelled() => return,
            changed = ticks.changed() => if changed.is_err() { return },
            _ = timer.tick() => {}
        }
        if let Err(error) = sweep(&shared) {
            tracing::warn!(%error, "the sandbox's garbage collector will try again");
        }
    }
}

fn sweep(shared: &Shared) -> Result<(), ApiError> {
    let all = shared.store.all();
    let living: HashSet<&str> = all
        .iter()
        .filter_map(|(_, o)| o["metadata"]["uid"].as_str())
        .collect();
    let ending: HashSet<&str> = all
        .iter()
        .filter(|(k, o)| k.resource == "namespaces" && is_deleted(o))
        .map(|(k, _)| k.name.as_str())
        .collect();
    let oldest = Timestamp::now().as_second()
        - i64::try_from(shared.config.timing.events.as_secs()).unwrap_or(i64::MAX / 2);
    for (key, object) in &all {
        let homeless = ending.contains(key.namespace.as_str());
        let stale = key.resource == "events" && last_seen(object).is_some_and(|t| t < oldest);
        if !is_deleted(object) && (homeless || stale || is_orphan(object, &living)) {
            remove(shared, key, object)?;
        }
    }
    let there = |resource: &str, namespace: &str, name: &str| {
        all.iter().any(|(key, _)| {
            key.resource == resource && key.namespace == namespace && key.name == name
        })
    };
    for (key, object) in &all {
        let name = key.name.as_str();
        if key.resource == "namespaces"
            && !is_deleted(object)
            && !(there("serviceaccounts", name, "default")
                && there("configmaps", name, "kube-root-ca.crt"))
        {
            let ca = shared.authority.pem();
            shared.store.write(|tx| furnish(tx, name, ca))?;
        }
    }
    for name in ending {
        if !all.iter().any(|(k, _)| k.namespace == name) {
            shared.store.write(|tx| {
                if tx.list_namespace(name).is_empty() {
                    tx.remove(&Key::new("namespaces", "", name))?;
                }
                Ok(())
            })?;
        }
    }
    Ok(())
}

fn is_deleted(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

fn last_seen(event: &Value) -> Option<i64> {
    let time = event["lastTimestamp"]
        .as_str()
        .or_else(|| event["metadata"]["creationTimestamp"].as_str())?;
    time.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// Returns whether all the object's owners, of served kinds, are deleted.
fn is_orphan(object: &Value, living: &HashSet<&str>) -> bool {
    let Some(owners) = object["metadata"]["ownerReferences"].as_array() else {
        return false;
    };
    !owners.is_empty()
        && owners.iter().all(|owner| {
            KINDS.iter().any(|k| k.stored() && owner["kind"] == k.kind)
                && owner["uid"]
                    .as_str()
                    .is_some_and(|uid| !living.contains(uid))
        })
}

fn remove(shared: &Shared, key: &Key, object: &Value) -> Result<(), ApiError> {
    let Some(kind) = by_plural("", &key.resource) else {
        return Ok(());
    };
    let mut options = Options::default();
    // An object that was recreated since the sweep began is a different one.
    options.preconditions.uid = object["metadata"]["uid"].as_str().map(str::to_owned);
    match shared.store.write(|tx| delete(tx, kind, key, &options)) {
        Err(error) if !matches!(error.reason(), "NotFound" | "Conflict") => Err(error),
        _ => Ok(()),
    }
}
