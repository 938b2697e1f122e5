//! Resource Manager, `cloudresourcemanager.googleapis.com/v1` and `/v3`: projects.
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
            .map(|()| shown(version, id, project)),
        None => return Err(call.unserved()),
    };
    answer.map_err(|error| worded(version, error))
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
