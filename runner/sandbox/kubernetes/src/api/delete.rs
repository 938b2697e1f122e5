//! Deletion: grace periods, finalizers, preconditions and the handling of dependents.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::seconds;
use crate::key::Key;
use crate::kinds::Kind;
use crate::status::ApiError;
use crate::store::Transaction;

/// `meta/v1 DeleteOptions`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Options {
    pub(crate) grace_period_seconds: Option<i64>,
    pub(crate) propagation_policy: Option<String>,
    pub(crate) orphan_dependents: Option<bool>,
    pub(crate) preconditions: Preconditions,
    pub(crate) dry_run: Vec<String>,
}

/// The preconditions on the object to be deleted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Preconditions {
    pub(crate) uid: Option<String>,
    pub(crate) resource_version: Option<String>,
}

/// The result of a deletion.
pub(crate) enum Deleted {
    /// Deleted, with its last state.
    Gone(Arc<Value>),
    /// Kept until its grace period or its finalizers end.
    Going(Arc<Value>),
}

/// Deletes one object.
pub(crate) fn delete(
    tx: &mut Transaction<'_>,
    kind: &'static Kind,
    key: &Key,
    options: &Options,
) -> Result<Deleted, ApiError> {
    let old = tx
        .get(key)
        .ok_or_else(|| ApiError::not_found(kind, &key.name))?;
    check(kind, key, &old, &options.preconditions)?;
    let orphan = options.propagation_policy.as_deref() == Some("Orphan")
        || options.orphan_dependents == Some(true);
    if orphan {
        release_dependents(tx, &old)?;
    }
    let finalizers = old["metadata"]["finalizers"]
        .as_array()
        .is_some_and(|f| !f.is_empty());
    let grace = match kind.plural {
        "pods" => pod_grace(&old, options),
        _ => 0,
    };
    if grace == 0 && !finalizers && kind.plural != "namespaces" {
        let last = tx.remove(key)?.unwrap_or(old);
        return Ok(Deleted::Gone(last));
    }
    let mut new = (*old).clone();
    let meta = &mut new["metadata"];
    let sooner = meta["deletionGracePeriodSeconds"]
        .as_i64()
        .is_none_or(|now| grace < now);
    if sooner {
        let end = Timestamp::now()
            .checked_add(SignedDuration::from_secs(grace))
            .unwrap_or(Timestamp::MAX);
        meta["deletionTimestamp"] = seconds(end).into();
        meta["deletionGracePeriodSeconds"] = grace.into();
    }
    if kind.plural == "namespaces" {
        new["status"]["phase"] = "Terminating".into();
    }
    Ok(Deleted::Going(tx.put(key, new)?))
}

fn check(
    kind: &Kind,
    key: &Key,
    old: &Value,
    preconditions: &Preconditions,
) -> Result<(), ApiError> {
    let meta = &old["metadata"];
    for (wanted, field, what, then) in [
        (
            &preconditions.uid,
            "uid",
            "UID",
            "deleted and then recreated",
        ),
        (
            &preconditions.resource_version,
            "resourceVersion",
            "ResourceVersion",
            "modified",
        ),
    ] {
        if let Some(wanted) = wanted
            && meta[field] != wanted.as_str()
        {
            return Err(ApiError::unmet_precondition(
                kind,
                &key.name,
                &format!(
                    "the {what} in the precondition ({wanted}) does not match the {what} in \
                     record ({}). The object might have been {then}",
                    meta[field].as_str().unwrap_or_default()
                ),
            ));
        }
    }
    Ok(())
}

/// Returns a pod's grace period. A pod that is not running needs none.
fn pod_grace(pod: &Value, options: &Options) -> i64 {
    let over = matches!(
        pod["status"]["phase"].as_str(),
        Some("Succeeded" | "Failed")
    );
    if over || pod["spec"]["nodeName"].as_str().is_none_or(str::is_empty) {
        return 0;
    }
    options
        .grace_period_seconds
        .or_else(|| pod["spec"]["terminationGracePeriodSeconds"].as_i64())
        .unwrap_or(30)
        .clamp(0, 1 << 31)
}

/// Removes the owner from the owner references of all its dependents.
fn release_dependents(tx: &mut Transaction<'_>, owner: &Value) -> Result<(), ApiError> {
    let uid = &owner["metadata"]["uid"];
    for kind in crate::kinds::KINDS.iter().filter(|k| k.stored()) {
        for (key, object) in tx.list(kind.plural, "") {
            let Some(owners) = object["metadata"]["ownerReferences"].as_array() else {
                continue;
            };
            let rest: Vec<Value> = owners
                .iter()
                .filter(|o| o["uid"] != *uid)
                .cloned()
                .collect();
            if rest.len() != owners.len() {
                let mut new = (*object).clone();
                new["metadata"]["ownerReferences"] = rest.into();
                tx.put(&key, new)?;
            }
        }
    }
    Ok(())
}

/// Returns the response to a deletion: the object for some kinds, a `Status` for the others.
pub(crate) fn answer(kind: &Kind, deleted: &Deleted) -> Value {
    let (Deleted::Gone(object) | Deleted::Going(object)) = deleted;
    let whole = matches!(kind.plural, "pods" | "serviceaccounts" | "namespaces")
        || matches!(deleted, Deleted::Going(_));
    if whole {
        let mut object = (**object).clone();
        if kind.plural == "pods" && object["metadata"]["deletionTimestamp"].is_null() {
            object["metadata"]["deletionTimestamp"] = seconds(Timestamp::now()).into();
            object["metadata"]["deletionGracePeriodSeconds"] = 0.into();
        }
        return object;
    }
    let meta = &object["metadata"];
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": { "name": meta["name"], "kind": kind.plural, "uid": meta["uid"] },
    })
}
