//! Deny policies, `iam.googleapis.com/v2/policies/ATTACHMENT_POINT/denypolicies`.
//!
//! Reference: <https://cloud.google.com/iam/docs/reference/rest/v2/policies>. Each change is done by
//! the time its operation is returned.

use serde_json::{Value, json};
use sidestep_sandbox_identity::{DenyPolicy, DenyRule, Resource};

use crate::call::Call;
use crate::cloud::{Cloud, random_hex};
use crate::error::{Answer, ApiError};
use crate::page::page;

/// The most deny policies of one resource (<https://cloud.google.com/iam/quotas>).
const MOST: usize = 5;

/// Handles a call; `point` is the attachment point, with its slashes.
pub(super) fn handle(cloud: &Cloud, call: &Call, point: &str, rest: &[&str]) -> Answer {
    let resource = attached(cloud, point)?;
    if let ("GET", [_, "operations", id]) = (call.method.as_str(), rest) {
        let name = format!("{}/operations/{id}", named(&resource, rest[0]));
        let found = cloud.read(|state| state.operations.get(&name).cloned());
        return found.ok_or_else(missing);
    }
    let needs = |verb: &str| {
        let permission = format!("iam.denypolicies.{verb}");
        call.needs(cloud, &permission, &resource)
    };
    match (call.method.as_str(), rest) {
        ("GET", []) => {
            needs("list")?;
            // A list has no rules.
            let found = cloud.identity().deny_policies(&resource).into_iter();
            let shown = found.map(|(id, policy)| {
                let mut shown = shown(&resource, &id, &policy);
                if let Some(fields) = shown.as_object_mut() {
                    fields.remove("rules");
                }
                shown
            });
            page(call, "policies", shown.collect())
        }
        ("GET", [id]) => {
            needs("get")?;
            existing(cloud, &resource, id).map(|policy| shown(&resource, id, &policy))
        }
        ("POST", []) => {
            needs("create")?;
            create(cloud, call, &resource)
        }
        ("PUT", [id]) => {
            needs("update")?;
            existing(cloud, &resource, id)?;
            put(cloud, call, &resource, id)
        }
        ("DELETE", [id]) => {
            needs("delete")?;
            let policy = existing(cloud, &resource, id)?;
            let etag = call.query.get("etag").unwrap_or_default();
            if !etag.is_empty() && etag != policy.etag {
                return Err(ApiError::aborted());
            }
            cloud.identity().delete_deny_policy(&resource, id);
            Ok(operation(cloud, &resource, id, &policy))
        }
        _ => Err(call.unserved()),
    }
}

/// Returns the resource of an attachment point. gcloud escapes its slashes twice.
fn attached(cloud: &Cloud, point: &str) -> Result<Resource, ApiError> {
    let point = point.replace("%2F", "/");
    let path = point.strip_prefix("cloudresourcemanager.googleapis.com/");
    match path.and_then(|path| path.split_once('/')) {
        Some(("projects", project)) => Ok(Resource::Project(cloud.project(project).0)),
        Some(("folders", id)) => Ok(Resource::Folder(id.to_owned())),
        Some(("organizations", id)) => Ok(Resource::Organization(id.to_owned())),
        // The wording is not confirmed.
        _ => Err(ApiError::invalid(format!(
            "Invalid attachment point: {point}"
        ))),
    }
}

fn create(cloud: &Cloud, call: &Call, resource: &Resource) -> Answer {
    let id = call.query.get("policyId").unwrap_or_default();
    let well_formed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    if !(3..=63).contains(&id.len()) || !id.bytes().all(well_formed) {
        return Err(ApiError::invalid(format!("Invalid policy id: {id:?}")));
    }
    let all = cloud.identity().deny_policies(resource);
    if all.iter().any(|(other, _)| other == id) {
        return Err(ApiError::exists("Requested entity already exists"));
    }
    if all.len() >= MOST {
        return Err(ApiError::exhausted(format!(
            "A resource has at most {MOST} deny policies."
        )));
    }
    put(cloud, call, resource, id)
}

fn put(cloud: &Cloud, call: &Call, resource: &Resource, id: &str) -> Answer {
    let policy: DenyPolicy = serde_json::from_value(call.body.clone())
        .map_err(|error| ApiError::invalid(format!("Invalid JSON payload received. {error}")))?;
    for rule in &policy.rules {
        check(&rule.deny_rule)?;
    }
    let stored = cloud.identity().put_deny_policy(resource, id, policy);
    let stored = stored.map_err(|_| ApiError::aborted())?;
    Ok(operation(cloud, resource, id, &stored))
}

/// Checks the form of a rule. The wordings are not confirmed.
fn check(rule: &DenyRule) -> Result<(), ApiError> {
    let principals = rule.denied_principals.iter();
    for principal in principals.chain(&rule.exception_principals) {
        if !principal.starts_with("principal://") && !principal.starts_with("principalSet://") {
            return Err(ApiError::invalid(format!("Invalid principal: {principal}")));
        }
    }
    let permissions = rule.denied_permissions.iter();
    for permission in permissions.chain(&rule.exception_permissions) {
        let parts = permission.split_once('/');
        if !parts.is_some_and(|(host, rest)| host.contains('.') && rest.contains('.')) {
            return Err(ApiError::invalid(format!(
                "Invalid permission: {permission}"
            )));
        }
    }
    if rule.denied_principals.is_empty() || rule.denied_permissions.is_empty() {
        return Err(ApiError::invalid(
            "A deny rule must have denied principals and denied permissions.",
        ));
    }
    Ok(())
}

fn existing(cloud: &Cloud, resource: &Resource, id: &str) -> Result<DenyPolicy, ApiError> {
    let found = cloud.identity().deny_policies(resource).into_iter();
    let mut found = found.filter(|(other, _)| other == id);
    found.next().map(|(_, policy)| policy).ok_or_else(missing)
}

fn missing() -> ApiError {
    ApiError::not_found("Requested entity was not found.")
}

fn named(resource: &Resource, id: &str) -> String {
    let point = resource.name().replace('/', "%2F");
    format!("policies/cloudresourcemanager.googleapis.com%2F{point}/denypolicies/{id}")
}

fn shown(resource: &Resource, id: &str, policy: &DenyPolicy) -> Value {
    let mut shown = json!(policy);
    shown["name"] = json!(named(resource, id));
    shown["kind"] = json!("DenyPolicy");
    shown
}

/// Returns the finished operation of a change.
fn operation(cloud: &Cloud, resource: &Resource, id: &str, policy: &DenyPolicy) -> Value {
    let operation = format!("{}/operations/{}", named(resource, id), random_hex());
    let answer = json!({"name": operation, "done": true, "response": shown(resource, id, policy)});
    cloud.finished(&operation, &answer);
    answer
}
