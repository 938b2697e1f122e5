//! Resources that roles are granted on.

use super::condition;
use super::member::Member;
use super::repository::Repository;
use crate::{Builder, Command};

/// A resource with a policy, or the objects of a bucket under one prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// The objects of a bucket whose names begin with a prefix, or all objects if the prefix is
    /// empty.
    Objects {
        /// The bucket's name.
        bucket: String,
        /// The prefix of the objects' names.
        prefix: String,
    },
    /// A repository of Artifact Registry.
    Repository(Repository),
    /// A secret.
    Secret {
        /// The project's id.
        project: String,
        /// The secret's name.
        name: String,
    },
    /// A project, by its id.
    Project(String),
}

impl Resource {
    /// Returns the folder of an object, `gs://BUCKET/FOLDER/OBJECT`: the objects next to it.
    /// Returns `None` for an object outside any folder, because its folder would be the whole
    /// bucket.
    pub fn folder_of(uri: &str) -> Option<Self> {
        let (bucket, object) = uri.strip_prefix("gs://")?.split_once('/')?;
        let end = object.rfind('/')? + 1;
        (!bucket.is_empty()).then(|| Self::Objects {
            bucket: bucket.to_owned(),
            prefix: object[..end].to_owned(),
        })
    }

    /// Returns the display name.
    pub fn shown(&self) -> String {
        match self {
            Self::Objects { bucket, prefix } if prefix.is_empty() => format!("gs://{bucket}"),
            Self::Objects { bucket, prefix } => format!("gs://{bucket}/{prefix}*"),
            Self::Repository(Repository {
                project,
                location,
                name,
            }) => format!("repository {name} in {location} of {project}"),
            Self::Secret { project, name } => format!("secret projects/{project}/secrets/{name}"),
            Self::Project(id) => format!("project {id}"),
        }
    }

    /// Returns the display name of the resource that carries the policy. For objects, this is their
    /// bucket.
    pub fn carrier(&self) -> String {
        match self {
            Self::Objects { bucket, .. } => format!("gs://{bucket}"),
            other => other.shown(),
        }
    }

    /// Returns the command that creates the resource, or `None` for a project. A bucket is created in
    /// `project`, in the region of `location`.
    pub fn create(&self, project: &str, location: &str) -> Option<Command> {
        match self {
            Self::Objects { bucket, .. } => {
                Command::new(&["gcloud", "storage", "buckets", "create"])
                    .joined(["gs://".into(), bucket.into()])
                    .option("--project", project)
                    .option("--location", region(location))
                    .words(&["--uniform-bucket-level-access"])
                    .build()
            }
            Self::Repository(repository) => repository.create(),
            Self::Secret { project, name } => Command::new(&["gcloud", "secrets", "create"])
                .value(name)
                .words(&["--replication-policy=automatic"])
                .option("--project", project)
                .build(),
            Self::Project(_) => None,
        }
    }

    /// Starts a command for the policy.
    fn policy(&self, verb: &'static str) -> Builder {
        match self {
            Self::Objects { bucket, .. } => Command::new(&["gcloud", "storage", "buckets"])
                .words(&[verb])
                .joined(["gs://".into(), bucket.into()]),
            Self::Repository(repository) => Command::new(&["gcloud", "artifacts", "repositories"])
                .words(&[verb])
                .value(&repository.name)
                .option("--location", &repository.location)
                .option("--project", &repository.project),
            Self::Secret { project, name } => Command::new(&["gcloud", "secrets"])
                .words(&[verb])
                .value(name)
                .option("--project", project),
            Self::Project(id) => Command::new(&["gcloud", "projects"])
                .words(&[verb])
                .value(id),
        }
    }
}

/// Returns the command that grants a role. On objects with a prefix, the role is granted under a
/// condition on the prefix, and never on the whole bucket. Returns `None` for a role that contains
/// more than object permissions.
///
/// The command always has `--condition`, because gcloud asks interactively if the policy already
/// has conditions.
pub fn grant(resource: &Resource, member: &Member, role: &str) -> Option<Command> {
    change("add-iam-policy-binding", resource, member, role)
}

/// Returns the command that takes back a role that [`grant`] gave.
pub fn revoke(resource: &Resource, member: &Member, role: &str) -> Option<Command> {
    change("remove-iam-policy-binding", resource, member, role)
}

/// The title of the condition of a grant on a prefix.
pub const PREFIX_TITLE: &str = "objects-of-a-prefix";

fn change(verb: &'static str, resource: &Resource, member: &Member, role: &str) -> Option<Command> {
    let command = resource
        .policy(verb)
        .option("--member", member)
        .option("--role", role);
    match resource {
        Resource::Objects { bucket, prefix } if !prefix.is_empty() => {
            if !condition::is_role_of_objects(role) {
                return None;
            }
            let expression = condition::of_prefix(bucket, prefix);
            let value = condition::entries(&[("expression", &expression), ("title", PREFIX_TITLE)]);
            command.joined(["--condition=".into(), value.into()])
        }
        _ => command.words(&["--condition=None"]),
    }
    .build()
}

/// Returns the command that shows the policy.
pub fn show_policy(resource: &Resource) -> Option<Command> {
    resource.policy("get-iam-policy").build()
}

/// Returns the command that enables uniform bucket-level access.
pub fn make_uniform(bucket: &str) -> Option<Command> {
    Command::new(&["gcloud", "storage", "buckets", "update"])
        .joined(["gs://".into(), bucket.into()])
        .words(&["--uniform-bucket-level-access"])
        .build()
}

/// Returns the region of a zone (`europe-west1-b`), or the region itself.
fn region(location: &str) -> &str {
    match location.rsplit_once('-') {
        Some((region, zone)) if zone.len() == 1 => region,
        _ => location,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_lies_in_a_region() {
        assert_eq!(region("europe-west1-b"), "europe-west1");
        assert_eq!(region("europe-west1"), "europe-west1");
    }
}
