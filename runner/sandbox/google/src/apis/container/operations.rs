//! Operations. In the sandbox, every operation is done by the time it is returned.

use serde_json::{Value, json};

use super::Scope;
use crate::call::Call;
use crate::cloud::{Cloud, random_hex};
use crate::error::{Answer, ApiError};

/// Creates, stores and returns a finished operation on a target.
pub(super) fn done(cloud: &Cloud, scope: &Scope<'_>, kind: &str, target: &str) -> Value {
    let id = format!("operation-{}", random_hex());
    let name = format!(
        "projects/{}/locations/{}/operations/{id}",
        scope.project, scope.location
    );
    let host = "https://container.googleapis.com/v1";
    let now = cloud.now();
    let operation = json!({
        "name": id, "zone": scope.location, "location": scope.location,
        "operationType": kind, "status": "DONE",
        "selfLink": format!("{host}/{name}"), "targetLink": format!("{host}/{target}"),
        "startTime": now, "endTime": now,
    });
    cloud.finished(&name, &operation);
    operation
}

pub(super) fn list(cloud: &Cloud, call: &Call, scope: &Scope<'_>) -> Answer {
    if call.method != "GET" {
        return Err(call.unserved());
    }
    call.needs(cloud, "container.operations.list", &scope.owner())?;
    let prefix = format!("projects/{}/locations/", scope.project);
    let found: Vec<Value> = cloud.read(|state| {
        let mine = state.operations.iter().filter(|(name, operation)| {
            let here = scope.location == "-" || operation["location"] == scope.location;
            name.starts_with(&prefix) && operation.get("operationType").is_some() && here
        });
        mine.map(|(_, operation)| operation.clone()).collect()
    });
    Ok(if found.is_empty() {
        json!({})
    } else {
        json!({ "operations": found })
    })
}

pub(super) fn get(cloud: &Cloud, call: &Call, scope: &Scope<'_>, id: &str) -> Answer {
    if call.method != "GET" || call.verb.is_some() {
        return Err(call.unserved());
    }
    let name = format!(
        "projects/{}/locations/{}/operations/{id}",
        scope.project, scope.location
    );
    call.needs_named(cloud, "container.operations.get", &scope.owner(), &name)?;
    cloud
        .read(|state| state.operations.get(&name).cloned())
        .ok_or_else(|| ApiError::not_found(format!("Not found: {name}.")))
}
