//! The endpoints of a cluster's API server (Kubernetes Engine, `controlPlaneEndpointsConfig`).

use serde_json::{Map, Value, json};
use sidestep_sandbox_base::random_bytes;

use crate::error::ApiError;

/// The field of a cluster, and that of an update.
const FIELD: &str = "controlPlaneEndpointsConfig";
pub(super) const UPDATE: &str = "desiredControlPlaneEndpointsConfig";

/// The fields that an update can change.
const CHANGEABLE: [(&str, &str); 2] = [
    ("dnsEndpointConfig", "allowExternalTraffic"),
    ("ipEndpointsConfig", "enabled"),
];

/// Fills in the endpoints that a cluster has whatever its settings are.
pub(crate) fn complete(name: &str, cluster: &mut Value, public: &str) {
    let location = name.split('/').nth(3).unwrap_or_default();
    let config = &mut cluster[FIELD];
    let ip = &mut config["ipEndpointsConfig"];
    ip["publicEndpoint"] = public.into();
    for field in ["enabled", "enablePublicEndpoint"] {
        if ip[field].is_null() {
            ip[field] = true.into();
        }
    }
    let dns = &mut config["dnsEndpointConfig"];
    if dns["endpoint"].is_null() {
        let id = hex::encode(random_bytes::<18>());
        dns["endpoint"] = format!("gke-{id}.{location}.gke.goog").into();
        dns["allowExternalTraffic"] = false.into();
    }
}

/// Returns whether a cluster's DNS endpoint has this host name and is open.
pub(crate) fn is_open_at(cluster: &Value, host: &str) -> bool {
    let dns = &cluster[FIELD]["dnsEndpointConfig"];
    dns["endpoint"] == host && dns["allowExternalTraffic"] == true
}

/// Changes a cluster's endpoints as an update asks.
///
/// # Errors
/// 400 for a field that the sandbox can't change, and where no endpoint would be left.
pub(super) fn update(cluster: &mut Value, wanted: &Value) -> Result<(), ApiError> {
    let mut changed = cluster[FIELD].clone();
    for (part, fields) in object(wanted) {
        for (field, value) in object(fields) {
            let known = CHANGEABLE.contains(&(part.as_str(), field.as_str()));
            // gcloud sends the endpoints that it read, too.
            if changed[part][field] == *value {
                continue;
            }
            if !known || !value.is_boolean() {
                return Err(ApiError::invalid(format!(
                    "the sandbox can change only dnsEndpointConfig.allowExternalTraffic and ipEndpointsConfig.enabled of {UPDATE}, not {part}.{field}"
                )));
            }
            changed[part][field] = value.clone();
        }
    }
    let is_on = |(part, field): &(&str, &str)| changed[*part][*field] == json!(true);
    if !CHANGEABLE.iter().any(is_on) {
        return Err(ApiError::invalid(
            "At least one of the control plane's endpoints must be enabled.",
        ));
    }
    cluster[FIELD] = changed;
    Ok(())
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}
