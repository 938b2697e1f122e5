//! Resources that have a policy: their names, the policy, and the permissions of a caller.
//!
//! The methods are Google's (`ControlPlane::policy` and related methods); here they have the form of
//! the contract.

pub mod permissions;
pub mod policy;

use sidestep_bindings::sidestep::gcp::types::PolicyResource;
use sidestep_control_plane::Policed;
use sidestep_events::Failure;
use sidestep_google::{Name, service_account};

/// Returns a project's name from its id or number.
pub fn project(project: &str) -> Result<Name, Failure> {
    Name::read("project", "projects/P", &format!("projects/{project}"))
}

/// Returns the name of a resource that has a policy; a bucket's is `buckets/B`.
pub fn name(resource: &PolicyResource) -> Result<Name, Failure> {
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

/// Returns the kind of a resource.
fn kind(resource: &PolicyResource) -> Policed {
    match resource {
        PolicyResource::Project(_) => Policed::Project,
        PolicyResource::ServiceAccount(_) => Policed::ServiceAccount,
        PolicyResource::Bucket(_) => Policed::Bucket,
        PolicyResource::Repository(_) => Policed::Repository,
        PolicyResource::Secret(_) => Policed::Secret,
    }
}

/// Returns the given text of the name.
pub fn given(resource: &PolicyResource) -> &String {
    match resource {
        PolicyResource::Project(text)
        | PolicyResource::ServiceAccount(text)
        | PolicyResource::Bucket(text)
        | PolicyResource::Repository(text)
        | PolicyResource::Secret(text) => text,
    }
}
