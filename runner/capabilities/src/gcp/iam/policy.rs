//! Policies of the resources that have one, each where its API keeps it.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sidestep_events::Failure;

use crate::bindings::sidestep::gcp::types::{self as wit, PolicyResource};
use crate::google::{Name, Rest, Service, service_account};

/// A project's name by its id or number.
pub(crate) fn project(project: &str) -> Result<Name, Failure> {
    Name::read("project", "projects/P", &format!("projects/{project}"))
}

/// The name of what has a policy; a bucket's is `buckets/B`.
pub(crate) fn name(resource: &PolicyResource) -> Result<Name, Failure> {
    match resource {
        PolicyResource::Project(id) => project(id),
        PolicyResource::ServiceAccount(email) => service_account(email),
        PolicyResource::Bucket(bucket) => {
            Name::read("bucket", "buckets/B", &format!("buckets/{bucket}"))
        }
        PolicyResource::Repository(name) => {
            Name::read("repository", "projects/P/locations/L/repositories/R", name)
        }
        PolicyResource::Secret(name) => Name::read("secret", "projects/P/secrets/S", name),
    }
}

/// What was given as its name.
pub(crate) fn given(resource: &PolicyResource) -> &String {
    match resource {
        PolicyResource::Project(text)
        | PolicyResource::ServiceAccount(text)
        | PolicyResource::Bucket(text)
        | PolicyResource::Repository(text)
        | PolicyResource::Secret(text) => text,
    }
}

/// Reads a policy at version 3, the only one in which conditions are seen.
pub(crate) async fn get(
    google: &Rest,
    resource: &PolicyResource,
    name: &Name,
) -> Result<wit::Policy, Failure> {
    let what = format!("read the policy of {}", name.as_str());
    let (service, path) = place(resource, name);
    let option = "options.requestedPolicyVersion=3";
    let found: Policy = match resource {
        PolicyResource::Project(_) => {
            let body = json!({ "options": { "requestedPolicyVersion": 3 } });
            let path = format!("{path}:getIamPolicy");
            google
                .read(&what, Method::POST, service, &path, Some(&body))
                .await?
        }
        PolicyResource::ServiceAccount(_) => {
            let path = format!("{path}:getIamPolicy?{option}");
            google
                .read(&what, Method::POST, service, &path, Some(&json!({})))
                .await?
        }
        PolicyResource::Bucket(_) => {
            let path = format!("{path}?optionsRequestedPolicyVersion=3");
            google.get(&what, service, &path).await?
        }
        PolicyResource::Repository(_) | PolicyResource::Secret(_) => {
            let path = format!("{path}:getIamPolicy?{option}");
            google.get(&what, service, &path).await?
        }
    };
    Ok(found.into())
}

/// Sets a policy's bindings, if its etag is still the one that is there. The APIs leave what a
/// policy holds besides bindings as it is.
pub(crate) async fn set(
    google: &Rest,
    resource: &PolicyResource,
    name: &Name,
    policy: &wit::Policy,
) -> Result<wit::Policy, Failure> {
    let what = format!("set the policy of {}", name.as_str());
    let (service, path) = place(resource, name);
    // Without version 3 a binding's condition would be lost.
    let policy = json!({
        "version": 3,
        "etag": policy.etag,
        "bindings": policy.bindings.iter().map(Binding::from).collect::<Vec<_>>(),
    });
    let found: Policy = if matches!(resource, PolicyResource::Bucket(_)) {
        google
            .read(&what, Method::PUT, service, &path, Some(&policy))
            .await?
    } else {
        let body = json!({ "policy": policy });
        let path = format!("{path}:setIamPolicy");
        google
            .read(&what, Method::POST, service, &path, Some(&body))
            .await?
    };
    Ok(found.into())
}

/// Where the API keeps a resource's policy: its verbs follow the path, except a bucket's.
pub(crate) fn place(resource: &PolicyResource, name: &Name) -> (Service, String) {
    let name = name.as_str();
    match resource {
        PolicyResource::Project(_) => (Service::CloudResourceManager, format!("/v3/{name}")),
        PolicyResource::ServiceAccount(_) => (Service::Iam, format!("/v1/{name}")),
        PolicyResource::Bucket(bucket) => (Service::Storage, format!("/storage/v1/b/{bucket}/iam")),
        PolicyResource::Repository(_) => (Service::ArtifactRegistry, format!("/v1/{name}")),
        PolicyResource::Secret(_) => (Service::SecretManager, format!("/v1/{name}")),
    }
}

/// A policy (`google.iam.v1.Policy`).
#[derive(Deserialize)]
struct Policy {
    #[serde(default)]
    etag: String,
    /// What is left out is 1.
    #[serde(default = "first")]
    version: u32,
    #[serde(default)]
    bindings: Vec<Binding>,
}

#[derive(Deserialize, Serialize)]
struct Binding {
    role: String,
    #[serde(default)]
    members: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Condition>,
}

#[derive(Deserialize, Serialize)]
struct Condition {
    #[serde(default)]
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default)]
    expression: String,
}

fn first() -> u32 {
    1
}

impl From<&wit::Binding> for Binding {
    fn from(binding: &wit::Binding) -> Self {
        Self {
            role: binding.role.clone(),
            members: binding.members.clone(),
            condition: binding.condition.as_ref().map(|condition| Condition {
                title: condition.title.clone(),
                description: condition.description.clone(),
                expression: condition.expression.clone(),
            }),
        }
    }
}

impl From<Policy> for wit::Policy {
    fn from(policy: Policy) -> Self {
        Self {
            etag: policy.etag,
            version: policy.version,
            bindings: policy
                .bindings
                .into_iter()
                .map(|binding| wit::Binding {
                    role: binding.role,
                    members: binding.members,
                    condition: binding.condition.map(|condition| wit::Condition {
                        title: condition.title,
                        description: condition.description,
                        expression: condition.expression,
                    }),
                })
                .collect(),
        }
    }
}
