//! Resource Manager, `cloudresourcemanager.googleapis.com/v1` and `/v3`: projects, and the folders
//! and organisations above them.
//!
//! Reference: <https://cloud.google.com/resource-manager/reference/rest>. A v3 project has its
//! number only in its name; gcloud uses v1.

use serde_json::{Value, json};
use sidestep_sandbox_identity::{Project, Resource};

use super::policies::Policies;
use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::{Answer, ApiError};
use crate::page::page;

/// The creation time of the seeds' projects.
const CREATED: &str = "2026-01-01T00:00:00Z";

pub(crate) fn handle(cloud: &Cloud, call: &Call) -> Answer {
    let (method, path, verb) = call.route();
    let (version, rest) = match path.as_slice() {
        [version @ ("v1" | "v3"), "projects", rest @ ..] => (*version, rest),
        ["v3", kind @ ("folders" | "organizations"), id] => return above(cloud, call, kind, id),
        _ => return Err(call.unserved()),
    };
    match (method, rest, verb) {
        ("GET", [], "" | "search") => {
            let all = cloud.identity().projects();
            let seen = all.iter().filter(|(id, _)| {
                call.may(
                    cloud,
                    "resourcemanager.projects.get",
                    &Resource::Project(id.clone()),
                )
            });
            page(
                call,
                "projects",
                seen.map(|(id, project)| shown(version, id, project))
                    .collect(),
            )
        }
        (_, [project], _) => {
            let (id, project) = cloud.project(project);
            one(cloud, call, version, &id, &project)
        }
        _ => Err(call.unserved()),
    }
}

fn one(cloud: &Cloud, call: &Call, version: &str, id: &str, project: &Project) -> Answer {
    call.needs_api(cloud, id)?;
    let resource = Resource::Project(id.to_owned());
    let name = resource.name();
    let policies = Policies {
        resource: &resource,
        prefix: "resourcemanager.projects",
        name: &name,
    };
    let policies = policies.handle(cloud, call);
    let answer = match policies {
        Some(answer) => answer,
        None if call.method == "GET" && call.verb.is_none() => call
            .needs(cloud, "resourcemanager.projects.get", &resource)
            .map(|()| with_parent(cloud, version, &resource, shown(version, id, project))),
        None if version == "v1" && call.verb.as_deref() == Some("getAncestry") => call
            .needs(cloud, "resourcemanager.projects.get", &resource)
            .map(|()| ancestry(cloud, &resource)),
        None => return Err(call.unserved()),
    };
    answer.map_err(|error| worded(version, error))
}

/// Handles a call about a folder or an organisation.
fn above(cloud: &Cloud, call: &Call, kind: &str, id: &str) -> Answer {
    let resource = if kind == "folders" {
        Resource::Folder(id.to_owned())
    } else {
        Resource::Organization(id.to_owned())
    };
    let name = resource.name();
    let prefix = format!("resourcemanager.{kind}");
    let policies = Policies {
        resource: &resource,
        prefix: &prefix,
        name: &name,
    };
    if let Some(answer) = policies.handle(cloud, call) {
        return answer;
    }
    if call.method != "GET" || call.verb.is_some() {
        return Err(call.unserved());
    }
    call.needs(cloud, &format!("{prefix}.get"), &resource)?;
    let title = cloud.identity().folder(&resource).unwrap_or_default();
    let shown =
        json!({"name": name, "displayName": title, "state": "ACTIVE", "createTime": CREATED});
    Ok(with_parent(cloud, "v3", &resource, shown))
}

/// Adds the nearest folder or organisation above a resource to its JSON.
fn with_parent(cloud: &Cloud, version: &str, resource: &Resource, mut shown: Value) -> Value {
    if let Some(parent) = cloud.identity().ancestors(resource).first() {
        shown["parent"] = match version {
            "v1" => resource_id(parent),
            _ => json!(parent.name()),
        };
    }
    shown
}

/// Returns a project with what is above it, in v1's form.
fn ancestry(cloud: &Cloud, project: &Resource) -> Value {
    let above = cloud.identity().ancestors(project);
    let levels = std::iter::once(project).chain(&above);
    let levels = levels.map(|level| json!({ "resourceId": resource_id(level) }));
    json!({ "ancestor": levels.collect::<Vec<_>>() })
}

fn resource_id(resource: &Resource) -> Value {
    let name = resource.name();
    let (kind, id) = name.split_once('/').unwrap_or_default();
    json!({ "type": kind.trim_end_matches('s'), "id": id })
}

/// Gives an error v1's wording, which is the same for every denial.
fn worded(version: &str, error: ApiError) -> ApiError {
    if version == "v1" && error.code == 403 {
        return ApiError {
            message: "The caller does not have permission".to_owned(),
            ..error
        };
    }
    error
}

fn shown(version: &str, id: &str, project: &Project) -> Value {
    let Project {
        number,
        display_name,
    } = project;
    if version == "v1" {
        return json!({
            "projectNumber": number, "projectId": id, "lifecycleState": "ACTIVE",
            "name": display_name, "createTime": CREATED,
        });
    }
    json!({
        "name": format!("projects/{number}"), "projectId": id, "state": "ACTIVE",
        "displayName": display_name, "createTime": CREATED, "etag": "W/\"1\"",
    })
}
