//! Resources by their full names, which policies are kept under and conditions see.

use crate::Resource;
use crate::accounts::policy_key;
use crate::state::State;

impl Resource {
    /// The service that owns it, as conditions see it.
    pub fn service(&self) -> &'static str {
        match self {
            Self::Project(_) => "cloudresourcemanager.googleapis.com",
            Self::ServiceAccount { .. } => "iam.googleapis.com",
            Self::Bucket(_) | Self::Object { .. } => "storage.googleapis.com",
            Self::Repository { .. } => "artifactregistry.googleapis.com",
            Self::Secret { .. } => "secretmanager.googleapis.com",
        }
    }

    /// Its type, as conditions see it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Project(_) => "cloudresourcemanager.googleapis.com/Project",
            Self::ServiceAccount { .. } => "iam.googleapis.com/ServiceAccount",
            Self::Bucket(_) => "storage.googleapis.com/Bucket",
            Self::Object { .. } => "storage.googleapis.com/Object",
            Self::Repository { .. } => "artifactregistry.googleapis.com/Repository",
            Self::Secret { .. } => "secretmanager.googleapis.com/Secret",
        }
    }

    /// Its relative name, as its API and conditions have it: `projects/demo/…`.
    pub fn name(&self) -> String {
        match self {
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

    /// Its full name, `//SERVICE/NAME`, as permission errors give it.
    pub fn full_name(&self) -> String {
        format!("//{}/{}", self.service(), self.name())
    }
}

impl State {
    /// What the resource's policy is kept under.
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

    /// The project that a resource belongs to, where it is known.
    pub(crate) fn project_of<'a>(&'a self, resource: &'a Resource) -> Option<&'a str> {
        match resource {
            Resource::Project(_) => None,
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
}
