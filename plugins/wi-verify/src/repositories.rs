//! Link 10, besides permissions: a repository that takes images at all.
//! <https://cloud.google.com/artifact-registry/docs/repositories>

use sidestep::gcp::artifact_registry::Repository;
use sidestep::{Class, Error, Owner, codes};

use crate::targets::Target;

/// The permission to push.
const PUSH: &str = "artifactregistry.repositories.uploadArtifacts";

/// Returns why the repository can't serve the target, even with all permissions.
pub(crate) fn unfit(target: &Target, facts: &Repository) -> Option<Error> {
    let place = target.resource.shown();
    let error = |message: String| {
        Error::new(
            Class::InvalidInput,
            codes::identity::TARGET_UNFIT,
            Owner::Author,
            message,
        )
    };
    if facts.format != "DOCKER" {
        return Some(
            error(format!(
                "{place} contains packages of format {}, not images",
                facts.format
            ))
            .help("name a repository of format DOCKER"),
        );
    }
    let pushes = target
        .permissions
        .iter()
        .any(|permission| permission == PUSH);
    let what = match facts.mode.as_str() {
        "REMOTE_REPOSITORY" => "is a mirror of another registry",
        "VIRTUAL_REPOSITORY" => "is a view of other repositories",
        _ => return None,
    };
    pushes.then(|| {
        error(format!("{place} {what}: it does not accept pushes"))
            .help("name a standard repository, or set `permissions` to what a pull needs")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sidestep::google::{self, Resource};

    #[test]
    fn only_a_standard_repository_of_images_takes_a_push() {
        let judge = |format: &str, mode: &str, permission: &str| {
            let target = Target {
                resource: Resource::Repository(google::Repository {
                    project: "p".to_owned(),
                    location: "l".to_owned(),
                    name: "r".to_owned(),
                }),
                permissions: vec![permission.to_owned()],
                object: None,
            };
            let facts = Repository {
                name: "projects/p/locations/l/repositories/r".to_owned(),
                format: format.to_owned(),
                mode: mode.to_owned(),
                immutable_tags: false,
                kms_key: None,
                created: 0,
            };
            unfit(&target, &facts).map(|error| error.message)
        };
        let pull = "artifactregistry.repositories.downloadArtifacts";
        assert_eq!(judge("DOCKER", "STANDARD_REPOSITORY", PUSH), None);
        assert_eq!(judge("DOCKER", "REMOTE_REPOSITORY", pull), None);
        assert!(
            judge("MAVEN", "STANDARD_REPOSITORY", pull).is_some_and(|why| why.contains("MAVEN"))
        );
        assert!(
            judge("DOCKER", "VIRTUAL_REPOSITORY", PUSH)
                .is_some_and(|why| why.contains("does not accept pushes"))
        );
    }
}
