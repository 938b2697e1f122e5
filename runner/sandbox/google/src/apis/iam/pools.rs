//! Workload identity pools and their providers, to be read.

use serde_json::Value;
use sidestep_sandbox_identity::Resource;

use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::{Answer, ApiError};
use crate::page::page;

pub(super) fn handle(cloud: &Cloud, call: &Call, project: &str, rest: &[&str]) -> Answer {
    let (id, project) = cloud.project(project);
    call.needs_api(cloud, &id)?;
    if call.method != "GET" || call.verb.is_some() {
        return Err(call.unserved());
    }
    let base = format!(
        "projects/{}/locations/global/workloadIdentityPools",
        project.number
    );
    let (kind, list) = match rest {
        [] => ("workloadIdentityPools", true),
        [_] => ("workloadIdentityPools", false),
        [_, "providers"] => ("workloadIdentityPoolProviders", true),
        [_, "providers", _] => ("workloadIdentityPoolProviders", false),
        _ => return Err(call.unserved()),
    };
    let action = if list { "list" } else { "get" };
    call.needs(
        cloud,
        &format!("iam.googleapis.com/{kind}.{action}"),
        &Resource::Project(id),
    )?;
    let name = std::iter::once(base.as_str())
        .chain(rest.iter().copied())
        .collect::<Vec<_>>()
        .join("/");
    if !list {
        return cloud
            .read(|state| state.pools.get(&name).map(|pool| named(&name, pool)))
            .ok_or_else(|| ApiError::not_found("Requested entity was not found."));
    }
    let found: Vec<Value> = cloud.read(|state| {
        let prefix = format!("{name}/");
        let within = state.pools.iter().filter(|(key, _)| {
            key.strip_prefix(&prefix)
                .is_some_and(|rest| !rest.contains('/'))
        });
        within.map(|(key, pool)| named(key, pool)).collect()
    });
    page(call, kind, found)
}

fn named(name: &str, pool: &Value) -> Value {
    let mut out = pool.clone();
    out["name"] = Value::from(name);
    if out.get("state").is_none() {
        out["state"] = Value::from("ACTIVE");
    }
    out
}
