//! The full names of resources, which are the keys of policies and visible to conditions.

use crate::Resource;
use crate::accounts::policy_key;
use crate::state::State;

impl Resource {
    /// Returns the resource's service, as conditions see it.
    pub fn service(&self) -> &'static str {
        match self {
            Self::Organization(_) | Self::Folder(_) | Self::Project(_) => {
                "cloudresourcemanager.googleapis.com"
            }
            Self::ServiceAccount { .. } => "iam.googleapis.com",
            Self::Bucket(_) | Self::Object { .. } => "storage.googleapis.com",
            Self::Repository { .. } => "artifactregistry.googleapis.com",
            Self::Secret { .. } => "secretmanager.googleapis.com",
        }
    }

    /// Returns the resource's type, as conditions see it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Organization(_) => "cloudresourcemanager.googleapis.com/Organization",
            Self::Folder(_) => "cloudresourcemanager.googleapis.com/Folder",
            Self::Project(_) => "cloudresourcemanager.googleapis.com/Project",
            Self::ServiceAccount { .. } => "iam.googleapis.com/ServiceAccount",
            Self::Bucket(_) => "storage.googleapis.com/Bucket",
            Self::Object { .. } => "storage.googleapis.com/Object",
            Self::Repository { .. } => "artifactregistry.googleapis.com/Repository",
            Self::Secret { .. } => "secretmanager.googleapis.com/Secret",
        }
    }

    /// Returns the resource's relative name, as in its API and in conditions: `projects/demo/…`.
    pub fn name(&self) -> String {
        match self {
            Self::Organization(id) => format!("organizations/{id}"),
            Self::Folder(id) => format!("folders/{id}"),
            Self::Project(id) => format!("projects/{id}"),
            Self::ServiceAccount { project, email } => {
                format!("projects/{project}/serviceAccounts/{email}")
            }
            Self::Bucket(name) => format!("projects/_/buckets/{name}"),
            Self::Object { bucket, name } => format!("projects/_/buckets/{bucket}/objects/{name}"),
            Self::Repository {
                project,
                location,
                name,
            } => {
                format!("projects/{project}/locations/{location}/repositories/{name}")
            }
            Self::Secret { project, name } => format!("projects/{project}/secrets/{name}"),
        }
    }

    /// Returns the resource's full name, `//SERVICE/NAME`, as in permission errors.
    pub fn full_name(&self) -> String {
        format!("//{}/{}", self.service(), self.name())
    }
}

impl State {
    /// Returns the key of the resource's policy.
    pub(crate) fn policy_key(&self, resource: &Resource) -> String {
        if let Resource::ServiceAccount { email, .. } = resource
            && let Some(account) = self.live_account(email)
        {
            return policy_key(account);
        }
        if let Resource::Object { bucket, .. } = resource {
            return Resource::Bucket(bucket.clone()).full_name();
        }
        resource.full_name()
    }

    /// Returns the project of a resource, if it is known.
    pub(crate) fn project_of<'a>(&'a self, resource: &'a Resource) -> Option<&'a str> {
        match resource {
            Resource::Organization(_) | Resource::Folder(_) | Resource::Project(_) => None,
            Resource::ServiceAccount { email, project } => Some(
                self.live_account(email)
                    .map_or(project.as_str(), |a| a.project.as_str()),
            ),
            Resource::Bucket(name) | Resource::Object { bucket: name, .. } => {
                self.bucket_projects.get(name).map(String::as_str)
            }
            Resource::Repository { project, .. } | Resource::Secret { project, .. } => {
                Some(project)
            }
        }
    }

    /// Returns the resources whose policies apply to a resource: itself, its project, and the
    /// folders and the organisation above it.
    pub(crate) fn levels(&self, resource: &Resource) -> Vec<Resource> {
        let mut levels = vec![resource.clone()];
        if let Some(project) = self.project_of(resource) {
            levels.push(Resource::Project(project.to_owned()));
        }
        while let Some(above) = levels
            .last()
            .and_then(|last| self.parents.get(&last.name()))
            && let Some(above) = above_project(above)
            && !levels.contains(&above)
        {
            levels.push(above);
        }
        levels
    }
}

/// Reads `folders/N` or `organizations/N`.
fn above_project(name: &str) -> Option<Resource> {
    match name.split_once('/')? {
        ("folders", id) => Some(Resource::Folder(id.to_owned())),
        ("organizations", id) => Some(Resource::Organization(id.to_owned())),
        _ => None,
    }
}
