//! Artifact Registry's own API, `artifactregistry.googleapis.com/v1`: repositories.
//!
//! Reference: <https://cloud.google.com/artifact-registry/docs/reference/rest>. gcloud asks
//! `v1beta2` for the locations.

mod images;

use serde_json::{Map, Value, json};
use sidestep_contract::google::Repository;
use sidestep_sandbox_identity::Resource;

use super::policies::Policies;
use crate::call::Call;
use crate::cloud::{Cloud, random_hex};
use crate::enums;
use crate::error::{Answer, ApiError};
use crate::page::page;

/// The supported locations: the multi-regions, and the regions of the examples.
const LOCATIONS: [&str; 8] = [
    "asia",
    "asia-northeast1",
    "europe",
    "europe-north1",
    "europe-west1",
    "europe-west4",
    "us",
    "us-central1",
];

pub(crate) fn handle(cloud: &Cloud, call: &Call) -> Answer {
    let (method, path, verb) = call.route();
    let (project, rest) = match path.as_slice() {
        [
            "v1" | "v1beta1" | "v1beta2",
            "projects",
            project,
            "locations",
            rest @ ..,
        ] => (*project, rest),
        _ => return Err(call.unserved()),
    };
    let (project, _) = cloud.project(project);
    call.needs_api(cloud, &project)?;
    let owner = Resource::Project(project.clone());
    match (method, rest, verb) {
        ("GET", [], "") => {
            call.needs(cloud, "artifactregistry.locations.list", &owner)?;
            page(
                call,
                "locations",
                LOCATIONS.iter().map(|l| location(&project, l)).collect(),
            )
        }
        ("GET", [name], "") => {
            call.needs(cloud, "artifactregistry.locations.get", &owner)?;
            let known = LOCATIONS.contains(name).then(|| location(&project, name));
            known.ok_or_else(|| {
                ApiError::not_found(format!(
                    "Location {name} is not found or access is unauthorized."
                ))
            })
        }
        ("GET", [location, "repositories"], "") => {
            call.needs_named(
                cloud,
                "artifactregistry.repositories.list",
                &owner,
                &format!("projects/{project}/locations/{location}"),
            )?;
            let prefix = format!("projects/{project}/locations/{location}/repositories/");
            let found = cloud.read(|state| {
                let mine = state
                    .repositories
                    .iter()
                    .filter(|(name, _)| name.starts_with(&prefix));
                mine.map(|(name, repository)| shown(name, repository))
                    .collect()
            });
            page(call, "repositories", found)
        }
        ("POST", [location, "repositories"], "") => create(cloud, call, &owner, &project, location),
        (_, [location, "repositories", name], _) => one(cloud, call, &project, location, name),
        ("GET", [location, "repositories", name, rest @ ..], "") => {
            let repository = images::Repository {
                project: &project,
                location,
                name,
            };
            repository.handle(cloud, call, rest)
        }
        ("GET", [location, "operations", id], "") => {
            let name = format!("projects/{project}/locations/{location}/operations/{id}");
            cloud
                .read(|state| state.operations.get(&name).cloned())
                .ok_or_else(missing)
        }
        _ => Err(call.unserved()),
    }
}

fn create(cloud: &Cloud, call: &Call, owner: &Resource, project: &str, location: &str) -> Answer {
    let parent = format!("projects/{project}/locations/{location}");
    call.needs_named(
        cloud,
        "artifactregistry.repositories.create",
        owner,
        &parent,
    )?;
    let id = call.query.get("repositoryId").unwrap_or_default();
    let well_formed = id
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b));
    if id.is_empty() || id.len() > 63 || !well_formed {
        return Err(ApiError::invalid(format!("invalid repository id {id:?}")));
    }
    if !LOCATIONS.contains(&location) {
        return Err(ApiError::invalid(format!(
            "Location {location} is not offered by the sandbox."
        )));
    }
    let name = format!("{parent}/repositories/{id}");
    let made = new_repository(cloud, &name, &call.body);
    let fresh = cloud.write(|state| {
        let fresh = !state.repositories.contains_key(&name);
        state
            .repositories
            .entry(name.clone())
            .or_insert_with(|| made.clone());
        fresh
    });
    if !fresh {
        return Err(ApiError::exists("the repository already exists"));
    }
    let mut response = shown(&name, &made);
    response["@type"] = json!("type.googleapis.com/google.devtools.artifactregistry.v1.Repository");
    Ok(done(cloud, &parent, &response))
}

fn one(cloud: &Cloud, call: &Call, project: &str, location: &str, id: &str) -> Answer {
    let resource = Resource::Repository {
        project: project.to_owned(),
        location: location.to_owned(),
        name: id.to_owned(),
    };
    let name = resource.name();
    let found = cloud.read(|state| state.repositories.get(&name).cloned());
    let policies = Policies {
        resource: &resource,
        prefix: "artifactregistry.repositories",
        name: &name,
    };
    if call.verb.as_deref() == Some("testIamPermissions") && found.is_none() {
        return Ok(json!({}));
    }
    let permission = match (call.method.as_str(), call.verb.as_deref()) {
        ("GET", None) => "get",
        ("PATCH", None) => "update",
        ("DELETE", None) => "delete",
        (_, Some(verb @ ("getIamPolicy" | "setIamPolicy"))) => verb,
        ("POST", Some("testIamPermissions")) => {
            return policies
                .handle(cloud, call)
                .unwrap_or_else(|| Err(call.unserved()));
        }
        _ => return Err(call.unserved()),
    };
    call.needs(
        cloud,
        &format!("artifactregistry.repositories.{permission}"),
        &resource,
    )?;
    let repository = found.ok_or_else(missing)?;
    if let Some(answer) = policies.handle(cloud, call) {
        return answer;
    }
    match permission {
        "get" => Ok(shown(&name, &repository)),
        "update" => {
            let mut changed = repository;
            for key in ["description", "labels"] {
                if let Some(value) = call.body.get(key) {
                    changed[key] = value.clone();
                }
            }
            changed["updateTime"] = json!(cloud.now());
            cloud.write(|state| state.repositories.insert(name.clone(), changed.clone()));
            Ok(shown(&name, &changed))
        }
        _ => {
            cloud.write(|state| state.repositories.remove(&name));
            cloud.identity().forget_policy(&resource);
            let parent = format!("projects/{project}/locations/{location}");
            Ok(done(
                cloud,
                &parent,
                &json!({"@type": "type.googleapis.com/google.protobuf.Empty"}),
            ))
        }
    }
}

impl Cloud {
    /// Creates a Docker repository, as a first push to a `gcr.io` name does. An existing one is
    /// left unchanged.
    pub fn create_repository(&self, project: &str, location: &str, name: &str) {
        let name = format!("projects/{project}/locations/{location}/repositories/{name}");
        let made = new_repository(self, &name, &Value::Null);
        self.write(|state| {
            state.repositories.entry(name).or_insert(made);
        });
    }
}

/// Returns a repository in its stored form, from a request's body.
fn new_repository(cloud: &Cloud, name: &str, body: &Value) -> Value {
    let mut out = Map::new();
    let format = body
        .get("format")
        .and_then(|f| enums::name(f, &enums::FORMAT))
        .unwrap_or("DOCKER");
    out.insert("name".into(), json!(name));
    out.insert("format".into(), json!(format));
    out.insert("mode".into(), json!("STANDARD_REPOSITORY"));
    for key in ["description", "labels", "dockerConfig", "kmsKeyName"] {
        if let Some(value) = body.get(key).filter(|v| !v.is_null()) {
            out.insert(key.into(), value.clone());
        }
    }
    let now = cloud.now();
    out.insert("createTime".into(), json!(now));
    out.insert("updateTime".into(), json!(now));
    Value::Object(out)
}

fn shown(name: &str, repository: &Value) -> Value {
    let mut out = repository.clone();
    out["name"] = json!(name);
    if let Some(repository) = Repository::from_resource(name) {
        out["registryUri"] = json!(repository.image_prefix());
    }
    out
}

fn location(project: &str, id: &str) -> Value {
    json!({"name": format!("projects/{project}/locations/{id}"), "locationId": id, "displayName": id})
}

fn done(cloud: &Cloud, parent: &str, response: &Value) -> Value {
    let name = format!("{parent}/operations/{}", random_hex());
    let operation = json!({
        "name": name, "done": true, "response": response,
        "metadata": {"@type": "type.googleapis.com/google.devtools.artifactregistry.v1.OperationMetadata"},
    });
    cloud.finished(&name, &operation);
    operation
}

fn missing() -> ApiError {
    ApiError::not_found("Requested entity was not found.")
}
