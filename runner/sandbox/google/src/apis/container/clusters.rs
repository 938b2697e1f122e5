//! Clusters: reads, and updates of the Workload Identity settings and of network policies.

use serde_json::{Value, json};

use super::{Scope, endpoints, operations, shown};
use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::{Answer, ApiError};

pub(super) fn list(cloud: &Cloud, call: &Call, scope: &Scope<'_>) -> Answer {
    if call.method != "GET" {
        return Err(call.unserved());
    }
    let name = format!("projects/{}", scope.project);
    call.needs_named(cloud, "container.clusters.list", &scope.owner(), &name)?;
    let prefix = match scope.location {
        "-" => format!("projects/{}/locations/", scope.project),
        location => format!("projects/{}/locations/{location}/", scope.project),
    };
    let found: Vec<Value> = cloud.read(|state| {
        let mine = state
            .clusters
            .iter()
            .filter(|(name, _)| name.starts_with(&prefix));
        mine.map(|(name, cluster)| shown(name, cluster)).collect()
    });
    Ok(if found.is_empty() {
        json!({})
    } else {
        json!({ "clusters": found })
    })
}

pub(super) fn one(cloud: &Cloud, call: &Call, scope: &Scope<'_>, name: &str) -> Answer {
    match (call.method.as_str(), call.verb.as_deref()) {
        ("GET", None) => scope.find(cloud, call, name, "container.clusters.get"),
        ("PUT", None) => {
            scope.find(cloud, call, name, "container.clusters.update")?;
            update(cloud, call, scope, name)
        }
        ("POST", Some("setNetworkPolicy")) => {
            scope.find(cloud, call, name, "container.clusters.update")?;
            set_network_policy(cloud, call, scope, name)
        }
        _ => Err(call.unserved()),
    }
}

/// Sets whether the cluster enforces network policies, which only the description shows: the pods of
/// the sandbox's own cluster, or of another one, have the network that they have.
fn set_network_policy(cloud: &Cloud, call: &Call, scope: &Scope<'_>, name: &str) -> Answer {
    let Some(policy) = call.body.get("networkPolicy").filter(|p| p.is_object()) else {
        return Err(ApiError::invalid("Network policy must be specified."));
    };
    let full = scope.cluster(name);
    cloud.write(|state| {
        if let Some(cluster) = state.clusters.get_mut(&full) {
            cluster["networkPolicy"] = policy.clone();
        }
    });
    Ok(operations::done(cloud, scope, "UPDATE_CLUSTER", &full))
}

fn update(cloud: &Cloud, call: &Call, scope: &Scope<'_>, name: &str) -> Answer {
    let wanted = call.body.get("update").and_then(Value::as_object);
    let Some(wanted) = wanted.filter(|w| !w.is_empty()) else {
        return Err(ApiError::invalid("Must specify a field to update."));
    };
    let known = ["desiredWorkloadIdentityConfig", endpoints::UPDATE];
    if let Some(other) = wanted.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(ApiError::invalid(format!(
            "the sandbox can update only {} of a cluster, not {other}",
            known.join(" and ")
        )));
    }
    if let Some(config) = wanted.get(endpoints::UPDATE) {
        let full = scope.cluster(name);
        cloud.write(|state| match state.clusters.get_mut(&full) {
            Some(cluster) => endpoints::update(cluster, config),
            None => Ok(()),
        })?;
        if wanted.len() == 1 {
            return Ok(operations::done(cloud, scope, "UPDATE_CLUSTER", &full));
        }
    }
    let pool = call
        .text("/update/desiredWorkloadIdentityConfig/workloadPool")
        .unwrap_or_default();
    let own = format!("{}.svc.id.goog", scope.project);
    if !pool.is_empty() && pool != own {
        return Err(ApiError::invalid(format!(
            "Workload Identity Config: workload_pool {pool:?} is not the cluster project's own, \"{own}\"."
        )));
    }
    let full = scope.cluster(name);
    let in_use = cloud.write(|state| {
        let Some(cluster) = state.clusters.get_mut(&full) else {
            return false;
        };
        if pool.is_empty() {
            let mode = |p: &Value| {
                p.pointer("/config/workloadMetadataConfig/mode") == Some(&json!("GKE_METADATA"))
            };
            let pools = cluster.get("nodePools").and_then(Value::as_array);
            if pools.is_some_and(|pools| pools.iter().any(mode)) {
                return true;
            }
            cluster["workloadIdentityConfig"] = json!({});
        } else {
            cluster["workloadIdentityConfig"] = json!({ "workloadPool": pool });
        }
        false
    });
    if in_use {
        return Err(ApiError::precondition(
            "Workload Identity cannot be disabled while a node pool uses GKE_METADATA; update the node pools to GCE_METADATA first.",
        ));
    }
    if !pool.is_empty() {
        cloud.identity().add_workload_pool(pool);
    }
    Ok(operations::done(cloud, scope, "UPDATE_CLUSTER", &full))
}
