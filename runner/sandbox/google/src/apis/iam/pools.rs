//! Workload identity pools and their providers.
//!
//! Reference:
//! <https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools>.

mod change;

use serde_json::Value;
use sidestep_sandbox_identity::Resource;

use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::{Answer, ApiError};
use crate::page::page;

/// A pool, or a provider of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pool,
    Provider,
}

impl Kind {
    /// Returns the key of a list of them, which is also their name in permissions.
    fn key(self) -> &'static str {
        match self {
            Self::Pool => "workloadIdentityPools",
            Self::Provider => "workloadIdentityPoolProviders",
        }
    }
}

pub(super) fn handle(cloud: &Cloud, call: &Call, project: &str, rest: &[&str]) -> Answer {
    let (id, project) = cloud.project(project);
    call.needs_api(cloud, &id)?;
    change::purge(cloud);
    let base = format!(
        "projects/{}/locations/global/workloadIdentityPools",
        project.number
    );
    let method = call.method.as_str();
    if let ("GET", [parent @ .., "operations", id]) = (method, rest) {
        let name = format!("{base}/{}/operations/{id}", parent.join("/"));
        return cloud
            .read(|state| state.operations.get(&name).cloned())
            .ok_or_else(missing);
    }
    let (kind, list) = match rest {
        [] => (Kind::Pool, true),
        [_] => (Kind::Pool, false),
        [_, "providers"] => (Kind::Provider, true),
        [_, "providers", _] => (Kind::Provider, false),
        _ => return Err(call.unserved()),
    };
    let action = match (method, list, call.verb.as_deref()) {
        ("GET", true, None) => "list",
        ("GET", false, None) => "get",
        ("POST", true, None) => "create",
        ("PATCH", false, None) => "update",
        ("DELETE", false, None) => "delete",
        ("POST", false, Some("undelete")) => "undelete",
        _ => return Err(call.unserved()),
    };
    call.needs(
        cloud,
        &format!("iam.googleapis.com/{}.{action}", kind.key()),
        &Resource::Project(id),
    )?;
    let name = std::iter::once(base.as_str())
        .chain(rest.iter().copied())
        .collect::<Vec<_>>()
        .join("/");
    match action {
        "list" => list_within(cloud, call, kind, &name),
        "get" => cloud
            .read(|state| state.pools.get(&name).map(|pool| named(&name, pool)))
            .ok_or_else(missing),
        "create" => change::create(cloud, call, kind, &name),
        "update" => change::update(cloud, call, kind, &name),
        "delete" => change::delete(cloud, &name),
        _ => change::undelete(cloud, &name),
    }
}

/// Lists the pools or providers of a collection; the deleted ones too if the call asks for them.
fn list_within(cloud: &Cloud, call: &Call, kind: Kind, collection: &str) -> Answer {
    // gcloud writes `True`.
    let deleted = call.query.get("showDeleted");
    let deleted = deleted.is_some_and(|shown| shown.eq_ignore_ascii_case("true"));
    let found: Vec<Value> = cloud.read(|state| {
        let prefix = format!("{collection}/");
        let within = state.pools.iter().filter(|(key, pool)| {
            let direct = key
                .strip_prefix(&prefix)
                .is_some_and(|rest| !rest.contains('/'));
            direct && (deleted || pool["state"] != change::DELETED)
        });
        within.map(|(key, pool)| named(key, pool)).collect()
    });
    page(call, kind.key(), found)
}

fn missing() -> ApiError {
    ApiError::not_found("Requested entity was not found.")
}

fn named(name: &str, pool: &Value) -> Value {
    let mut out = pool.clone();
    out["name"] = Value::from(name);
    if out.get("state").is_none() {
        out["state"] = Value::from("ACTIVE");
    }
    out
}
