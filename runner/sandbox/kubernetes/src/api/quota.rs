//! The ResourceQuota admission plugin, for the resources that pods request from nodes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::kinds::Kind;
use crate::pods::quantity::thousandths;
use crate::status::ApiError;
use crate::store::Transaction;

/// The resources that a pod requests, in thousandths, by their name in a quota. A quota's bare
/// `cpu` is `requests.cpu` (Kubernetes, "Resource Quotas").
type Usage = BTreeMap<String, i128>;

/// Rejects a pod that a quota of its namespace does not allow.
pub(super) fn admit(
    tx: &Transaction<'_>,
    kind: &Kind,
    namespace: &str,
    name: &str,
    pod: &Value,
) -> Result<(), ApiError> {
    for (key, quota) in tx.list("resourcequotas", namespace) {
        let Some(hard) = quota["spec"]["hard"].as_object() else {
            continue;
        };
        let limited: Vec<(&str, &str)> = hard
            .iter()
            .filter(|(resource, _)| amount_of(resource).is_some())
            .filter_map(|(resource, amount)| Some((resource.as_str(), amount.as_str()?)))
            .collect();
        if let Some(missing) = missing(&limited, pod) {
            let why = format!("failed quota: {}: must specify {missing}", key.name);
            return Err(ApiError::forbidden(kind, name, &why));
        }
        let requested = usage(pod);
        let mut used = Usage::new();
        for (_, other) in tx.list("pods", namespace) {
            let phase = other["status"]["phase"].as_str();
            if !matches!(phase, Some("Succeeded" | "Failed")) {
                for (resource, amount) in usage(&other) {
                    *used.entry(resource).or_default() += amount;
                }
            }
        }
        let of = |usage: &Usage, resource: &str| {
            usage.get(full(resource).as_str()).copied().unwrap_or(0)
        };
        for (resource, limit) in limited {
            let (asked, had) = (of(&requested, resource), of(&used, resource));
            if thousandths(limit).is_some_and(|limit| asked + had > limit) {
                let why = format!(
                    "exceeded quota: {}, requested: {resource}={}, used: {resource}={}, limited: {resource}={limit}",
                    key.name,
                    shown(asked),
                    shown(had),
                );
                return Err(ApiError::forbidden(kind, name, &why));
            }
        }
    }
    Ok(())
}

/// Returns `limits` or `requests`, and the resource; `None` for quotas on other things.
fn amount_of(resource: &str) -> Option<(&'static str, &str)> {
    match resource.split_once('.') {
        Some(("limits", of)) => Some(("limits", of)),
        Some(("requests", of)) => Some(("requests", of)),
        None if matches!(resource, "cpu" | "memory" | "ephemeral-storage") => {
            Some(("requests", resource))
        }
        _ => None,
    }
}

fn full(resource: &str) -> String {
    match amount_of(resource) {
        Some((list, of)) => format!("{list}.{of}"),
        None => resource.to_owned(),
    }
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    pod["spec"]["containers"].as_array().into_iter().flatten()
}

/// Returns the resources with a quota that the containers leave out:
/// `limits.cpu for: a; requests.cpu for: a,b`.
fn missing(limited: &[(&str, &str)], pod: &Value) -> Option<String> {
    let mut all = Vec::new();
    for (resource, _) in limited {
        let (list, of) = amount_of(resource)?;
        let names: Vec<&str> = containers(pod)
            .filter(|one| !one["resources"][list][of].is_string())
            .filter_map(|one| one["name"].as_str())
            .collect();
        if !names.is_empty() {
            all.push(format!("{resource} for: {}", names.join(",")));
        }
    }
    (!all.is_empty()).then(|| all.join("; "))
}

fn usage(pod: &Value) -> Usage {
    let mut usage = Usage::new();
    for container in containers(pod) {
        for list in ["requests", "limits"] {
            for (resource, amount) in container["resources"][list]
                .as_object()
                .into_iter()
                .flatten()
            {
                let amount = amount.as_str().and_then(thousandths).unwrap_or(0);
                *usage.entry(format!("{list}.{resource}")).or_default() += amount;
            }
        }
    }
    usage
}

/// Formats thousandths as a quantity.
fn shown(thousandths: i128) -> String {
    if thousandths % 1000 == 0 {
        (thousandths / 1000).to_string()
    } else {
        format!("{thousandths}m")
    }
}
