//! Roles: reads of the predefined ones; reads, creation and updates of a project's custom ones.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sidestep_sandbox_identity::{Resource, Role};

use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::{Answer, ApiError};
use crate::page::page;

pub(super) fn predefined(call: &Call, rest: &[&str]) -> Answer {
    let all = sidestep_sandbox_identity::predefined();
    match (call.method.as_str(), rest) {
        ("GET", []) => {
            let full = call.query.get("view") == Some("FULL");
            page(
                call,
                "roles",
                all.iter()
                    .map(|(name, role)| shown(name, role, full))
                    .collect(),
            )
        }
        ("GET", [id]) => {
            let name = format!("roles/{id}");
            all.get(&name)
                .map(|role| shown(&name, role, true))
                .ok_or_else(|| unknown(&name))
        }
        _ => Err(call.unserved()),
    }
}

/// Returns the permissions that a custom role may hold: those that the sandbox knows.
pub(super) fn testable(call: &Call) -> Answer {
    if call.verb.as_deref() != Some("queryTestablePermissions") || call.method != "POST" {
        return Err(call.unserved());
    }
    let roles = sidestep_sandbox_identity::predefined().values();
    let known: BTreeSet<&String> = roles.flat_map(|role| &role.permissions).collect();
    let all = known
        .into_iter()
        .map(|name| json!({"name": name, "stage": "GA"}));
    Ok(json!({ "permissions": all.collect::<Vec<_>>() }))
}

pub(super) fn custom(cloud: &Cloud, call: &Call, project: &str, rest: &[&str]) -> Answer {
    let (project, _) = cloud.project(project);
    call.needs_api(cloud, &project)?;
    let owner = Resource::Project(project.clone());
    let action = match call.method.as_str() {
        "GET" if rest.is_empty() => "list",
        "GET" => "get",
        "POST" => "create",
        "PATCH" => "update",
        "DELETE" => "delete",
        _ => return Err(call.unserved()),
    };
    call.needs(cloud, &format!("iam.roles.{action}"), &owner)?;
    let identity = cloud.identity();
    match (action, rest) {
        ("list", []) => {
            let full = call.query.get("view") == Some("FULL");
            let hidden = call.query.get("showDeleted") != Some("true");
            let all = identity.custom_roles(&project);
            let live = all.iter().filter(|(_, role)| !(hidden && role.deleted));
            page(
                call,
                "roles",
                live.map(|(name, role)| shown(name, role, full)).collect(),
            )
        }
        ("create", []) => {
            let id = call.text("/roleId").unwrap_or_default();
            let well_formed = id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.');
            if !(3..=64).contains(&id.len()) || !well_formed {
                return Err(ApiError::invalid(format!(
                    "The role_id {id:?} must be 3 to 64 letters, digits, underscores and periods."
                )));
            }
            let name = format!("projects/{project}/roles/{id}");
            if identity.role(&name).is_some() {
                return Err(ApiError::exists(format!(
                    "A role named {id} in projects/{project} already exists."
                )));
            }
            let role = changed(
                Role::default(),
                call.body.get("role").unwrap_or(&Value::Null),
            );
            identity.put_custom_role(&name, role.clone());
            Ok(shown(&name, &role, true))
        }
        (_, [id]) => {
            let name = format!("projects/{project}/roles/{id}");
            let role = identity.role(&name).ok_or_else(|| unknown(&name))?;
            let role = match action {
                "update" => changed(role, &call.body),
                "delete" => Role {
                    deleted: true,
                    ..role
                },
                _ => return Ok(shown(&name, &role, true)),
            };
            identity.put_custom_role(&name, role.clone());
            Ok(shown(&name, &role, true))
        }
        _ => Err(call.unserved()),
    }
}

fn changed(mut role: Role, body: &Value) -> Role {
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    role.title = text("title").unwrap_or(role.title);
    role.description = text("description").unwrap_or(role.description);
    if let Some(permissions) = body.get("includedPermissions").and_then(Value::as_array) {
        role.permissions = permissions
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
    }
    role
}

fn shown(name: &str, role: &Role, full: bool) -> Value {
    let mut out = json!({"name": name, "title": role.title, "description": role.description, "stage": "GA", "etag": "AA=="});
    if full {
        out["includedPermissions"] = json!(role.permissions);
    }
    if role.deleted {
        out["deleted"] = json!(true);
    }
    out
}

fn unknown(name: &str) -> ApiError {
    ApiError::not_found(format!("The role named {name} was not found."))
}
