//! Workload identity pools and their providers: reads and creation.

use serde_json::{Value, json};
use sidestep_sandbox_identity::Resource;

use crate::call::Call;
use crate::cloud::{Cloud, random_hex};
use crate::error::{Answer, ApiError};
use crate::page::page;

pub(super) fn handle(cloud: &Cloud, call: &Call, project: &str, rest: &[&str]) -> Answer {
    let (id, project) = cloud.project(project);
    call.needs_api(cloud, &id)?;
    if !matches!(call.method.as_str(), "GET" | "POST") || call.verb.is_some() {
        return Err(call.unserved());
    }
    let base = format!(
        "projects/{}/locations/global/workloadIdentityPools",
        project.number
    );
    if let (true, [parent @ .., "operations", id]) = (call.method == "GET", rest) {
        let name = format!("{base}/{}/operations/{id}", parent.join("/"));
        return cloud
            .read(|state| state.operations.get(&name).cloned())
            .ok_or_else(missing);
    }
    let (kind, list) = match rest {
        [] => ("workloadIdentityPools", true),
        [_] => ("workloadIdentityPools", false),
        [_, "providers"] => ("workloadIdentityPoolProviders", true),
        [_, "providers", _] => ("workloadIdentityPoolProviders", false),
        _ => return Err(call.unserved()),
    };
    let action = match (call.method.as_str(), list) {
        ("GET", true) => "list",
        ("GET", false) => "get",
        (_, true) => "create",
        (_, false) => return Err(call.unserved()),
    };
    call.needs(
        cloud,
        &format!("iam.googleapis.com/{kind}.{action}"),
        &Resource::Project(id),
    )?;
    let name = std::iter::once(base.as_str())
        .chain(rest.iter().copied())
        .collect::<Vec<_>>()
        .join("/");
    if action == "create" {
        return create(cloud, call, &name, rest);
    }
    if !list {
        return cloud
            .read(|state| state.pools.get(&name).map(|pool| named(&name, pool)))
            .ok_or_else(missing);
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

/// Creates a pool, or a provider of one, in a collection. It is done by the time it is returned.
fn create(cloud: &Cloud, call: &Call, collection: &str, rest: &[&str]) -> Answer {
    let (parameter, fields): (_, &[&str]) = match rest {
        [] => (
            "workloadIdentityPoolId",
            &["displayName", "description", "disabled"],
        ),
        _ => (
            "workloadIdentityPoolProviderId",
            &[
                "displayName",
                "description",
                "disabled",
                "oidc",
                "attributeMapping",
                "attributeCondition",
            ],
        ),
    };
    let id = call.query.get(parameter).unwrap_or_default();
    let well_formed = id
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !(4..=32).contains(&id.len()) || !well_formed || id.starts_with("gcp-") {
        return Err(ApiError::invalid(format!(
            "Invalid value {id:?} for {parameter}: 4 to 32 of [a-z0-9-], not beginning with gcp-."
        )));
    }
    if !rest.is_empty() {
        let pool = collection.trim_end_matches("/providers");
        if cloud.read(|state| !state.pools.contains_key(pool)) {
            return Err(missing());
        }
        let subject = call.text("/attributeMapping/google.subject");
        if subject.is_none_or(str::is_empty) {
            return Err(ApiError::invalid(
                "The attribute mapping must map google.subject.",
            ));
        }
        if !call
            .text("/oidc/issuerUri")
            .is_some_and(|issuer| issuer.starts_with("https://"))
        {
            return Err(ApiError::invalid(
                "The issuer URI must be an https URI; the sandbox creates only OIDC providers.",
            ));
        }
    }
    let name = format!("{collection}/{id}");
    let mut made = json!({ "state": "ACTIVE" });
    for field in fields {
        if let Some(value) = call.body.get(*field).filter(|value| !value.is_null()) {
            made[*field] = value.clone();
        }
    }
    let fresh = cloud.write(|state| {
        let fresh = !state.pools.contains_key(&name);
        state.pools.entry(name.clone()).or_insert(made.clone());
        fresh
    });
    if !fresh {
        return Err(ApiError::exists("Requested entity already exists"));
    }
    let operation = format!("{name}/operations/{}", random_hex());
    let answer = json!({"name": operation, "done": true, "response": named(&name, &made)});
    cloud.finished(&operation, &answer);
    Ok(answer)
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
