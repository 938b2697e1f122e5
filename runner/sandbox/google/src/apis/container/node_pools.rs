//! Node pools: reads, and updates of the metadata server settings.

use serde_json::{Value, json};

use super::{Scope, operations};
use crate::call::Call;
use crate::cloud::Cloud;
use crate::enums;
use crate::error::{Answer, ApiError};

pub(super) fn list(cloud: &Cloud, call: &Call, scope: &Scope<'_>, cluster: &str) -> Answer {
    if call.method != "GET" {
        return Err(call.unserved());
    }
    let mut cluster = scope.find(cloud, call, cluster, "container.clusters.get")?;
    Ok(match cluster["nodePools"].take() {
        Value::Array(pools) if !pools.is_empty() => json!({ "nodePools": pools }),
        _ => json!({}),
    })
}

pub(super) fn one(
    cloud: &Cloud,
    call: &Call,
    scope: &Scope<'_>,
    cluster: &str,
    pool: &str,
) -> Answer {
    let permission = match (call.method.as_str(), call.verb.as_deref()) {
        ("GET", None) => "container.clusters.get",
        ("PUT", None) => "container.clusters.update",
        _ => return Err(call.unserved()),
    };
    let found = scope.find(cloud, call, cluster, permission)?;
    let full = format!("{}/nodePools/{pool}", scope.cluster(cluster));
    let current = found["nodePools"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|p| p["name"] == pool);
    let current = current.ok_or_else(|| ApiError::not_found(format!("Not found: {full}.")))?;
    if call.method == "GET" {
        return Ok(current.clone());
    }
    update(cloud, call, scope, &found, cluster, pool)
}

fn update(
    cloud: &Cloud,
    call: &Call,
    scope: &Scope<'_>,
    found: &Value,
    cluster: &str,
    pool: &str,
) -> Answer {
    let asked = call.body.as_object().into_iter().flatten();
    // The others are the old spelling of the name, and fields that clients always send.
    let ignored = [
        "name",
        "projectId",
        "zone",
        "clusterId",
        "nodePoolId",
        "etag",
        "workloadMetadataConfig",
    ];
    if let Some((other, _)) = asked
        .into_iter()
        .find(|(key, _)| !ignored.contains(&key.as_str()))
    {
        return Err(ApiError::invalid(format!(
            "the sandbox can update only workloadMetadataConfig of a node pool, not {other}"
        )));
    }
    let mode = call.body.pointer("/workloadMetadataConfig/mode");
    let mode = mode
        .and_then(|m| enums::name(m, &enums::METADATA_MODE))
        .filter(|m| *m != "MODE_UNSPECIFIED");
    let Some(mode) = mode else {
        return Err(ApiError::invalid("Must specify a field to update."));
    };
    let workload_pool = found
        .pointer("/workloadIdentityConfig/workloadPool")
        .and_then(Value::as_str);
    if mode == "GKE_METADATA" && workload_pool.is_none_or(str::is_empty) {
        return Err(ApiError::invalid(
            "Workload Metadata Config mode GKE_METADATA needs Workload Identity: set the cluster's workload pool first.",
        ));
    }
    let full = scope.cluster(cluster);
    cloud.write(|state| {
        let pools = state
            .clusters
            .get_mut(&full)
            .and_then(|c| c["nodePools"].as_array_mut());
        if let Some(found) = pools.into_iter().flatten().find(|p| p["name"] == pool) {
            found["config"]["workloadMetadataConfig"] = json!({ "mode": mode });
        }
    });
    Ok(operations::done(
        cloud,
        scope,
        "UPDATE_CLUSTER",
        &format!("{full}/nodePools/{pool}"),
    ))
}
