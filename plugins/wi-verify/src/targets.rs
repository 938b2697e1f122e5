//! The resources that the identity needs access to.

use sidestep::gcp::iam::PolicyResource;
use sidestep::google::{Resource, roles, target};
use sidestep::{Error, Result, codes};

use crate::inputs::{Goal, Inputs};

/// A resource and the permissions that are needed on it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    pub(crate) resource: Resource,
    pub(crate) permissions: Vec<String>,
    /// An object of the bucket that is read as the workload.
    pub(crate) object: Option<String>,
}

impl Target {
    /// Returns the object's URI.
    pub(crate) fn object_uri(&self) -> Option<String> {
        let Resource::Objects { bucket, .. } = &self.resource else {
            return None;
        };
        Some(format!("gs://{bucket}/{}", self.object.as_deref()?))
    }
}

/// Returns its name in the contract.
pub(crate) fn resource(resource: &Resource) -> PolicyResource {
    match resource {
        Resource::Objects { bucket, .. } => PolicyResource::Bucket(bucket.clone()),
        Resource::Repository(repository) => PolicyResource::Repository(repository.resource()),
        Resource::Secret { project, name } => {
            PolicyResource::Secret(format!("projects/{project}/secrets/{name}"))
        }
        Resource::Project(id) => PolicyResource::Project(id.clone()),
    }
}

/// Returns the project whose policy decides who may create the repository by a push, for a
/// repository of Container Registry's hosts.
pub(crate) fn created_on_push(resource: &Resource) -> Option<&str> {
    match resource {
        Resource::Repository(repository) if repository.is_created_on_push() => {
            Some(&repository.project)
        }
        _ => None,
    }
}

/// Returns the API that serves it and the project in which it must be enabled; none if every
/// project has it.
pub(crate) fn api(resource: &Resource) -> Option<(&str, &'static str)> {
    match resource {
        Resource::Repository(repository) => {
            Some((&repository.project, "artifactregistry.googleapis.com"))
        }
        Resource::Secret { project, .. } => Some((project, "secretmanager.googleapis.com")),
        Resource::Objects { .. } | Resource::Project(_) => None,
    }
}

/// Returns the project whose hierarchy the resource is in; none for a bucket, whose name does not
/// show it.
pub(crate) fn project(resource: &Resource) -> Option<&str> {
    match resource {
        Resource::Repository(repository) => Some(&repository.project),
        Resource::Secret { project, .. } | Resource::Project(project) => Some(project),
        Resource::Objects { .. } => None,
    }
}

/// Returns the targets of the inputs, each once.
pub(crate) fn targets(inputs: &Inputs) -> Result<Vec<Target>> {
    let short = Goal {
        bucket: inputs.bucket.clone(),
        prefix: inputs.prefix.clone(),
        ..Goal::default()
    };
    let image = Goal {
        image: inputs.image.clone(),
        ..Goal::default()
    };
    let mut found: Vec<Target> = Vec::new();
    let short = [
        (short, inputs.bucket.is_some()),
        (image, inputs.image.is_some()),
    ];
    let short = short.iter().filter(|(_, given)| *given).map(|(g, _)| g);
    for goal in short.chain(&inputs.targets) {
        let target =
            target(goal).map_err(|why| Error::invalid_input(codes::identity::TARGET, why))?;
        if !found.contains(&target) {
            found.push(target);
        }
    }
    Ok(found)
}

/// Returns the target of one entry, or what is wrong with the entry.
pub(crate) fn target(goal: &Goal) -> Result<Target, String> {
    let places = [
        goal.bucket.as_ref().map(|bucket| {
            Ok(Resource::Objects {
                bucket: bucket.as_str().to_owned(),
                prefix: goal.prefix.clone(),
            })
        }),
        goal.image
            .as_ref()
            .map(|image| target::of_image(&image.to_string(), image.repository())),
        goal.repository.as_deref().map(target::of_repository),
        goal.secret.as_deref().map(target::of_secret),
        goal.project
            .as_ref()
            .map(|project| Ok(Resource::Project(project.clone()))),
    ];
    let mut places = places.into_iter().flatten();
    let (Some(resource), None) = (places.next(), places.next()) else {
        return Err(
            "a target needs exactly one of `bucket`, `image`, `repository`, `secret` and `project`"
                .to_owned(),
        );
    };
    let resource = resource?;
    if !goal.prefix.is_empty() && goal.bucket.is_none() {
        return Err("`prefix` needs a `bucket`".to_owned());
    }
    if let Some(object) = &goal.object {
        if goal.bucket.is_none() {
            return Err("`object` needs a `bucket`".to_owned());
        }
        if object.is_empty() || !object.starts_with(&goal.prefix) {
            return Err(format!(
                "`object` is `{object}`, which is not the name of an object under `prefix`"
            ));
        }
    }
    let permissions: Vec<String> = match goal.permissions.as_slice() {
        [] => roles::needed(&resource)
            .iter()
            .map(ToString::to_string)
            .collect(),
        given => given.to_vec(),
    };
    if permissions.is_empty() {
        return Err(format!(
            "the target {} needs `permissions`, the permissions to check on it",
            resource.shown()
        ));
    }
    Ok(Target {
        resource,
        permissions,
        object: goal.object.clone(),
    })
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
    use crate::inputs::example;

    fn names(more: &sidestep::serde_json::Value) -> Vec<String> {
        let targets = targets(&example(more)).expect("targets");
        let name = |target: &Target| match resource(&target.resource) {
            PolicyResource::Bucket(name)
            | PolicyResource::Repository(name)
            | PolicyResource::Secret(name)
            | PolicyResource::Project(name)
            | PolicyResource::ServiceAccount(name) => name,
        };
        targets.iter().map(name).collect()
    }

    #[test]
    fn images_lie_in_repositories() {
        let given = json!({
            "bucket": "contexts",
            "targets": [
                { "bucket": "contexts" },
                { "image": "europe-docker.pkg.dev/p/r/team/api:1" },
                { "repository": "europe-docker.pkg.dev/p/r" },
                { "image": "gcr.io/p/api" },
                { "image": "eu.gcr.io/p/api" },
                { "secret": "projects/p/secrets/s/versions/latest" },
            ],
        });
        assert_eq!(
            names(&given),
            [
                "contexts",
                "projects/p/locations/europe/repositories/r",
                "projects/p/locations/us/repositories/gcr.io",
                "projects/p/locations/europe/repositories/eu.gcr.io",
                "projects/p/secrets/s",
            ]
        );
    }

    #[test]
    fn what_is_no_target_is_named() {
        let why = |goal| {
            target(&sidestep::serde_json::from_value(goal).expect("a target")).expect_err("wrong")
        };
        assert!(why(json!({})).contains("one of"));
        assert!(why(json!({ "bucket": "abc", "project": "p" })).contains("exactly one"));
        assert!(why(json!({ "project": "p" })).contains("permissions"));
        assert!(why(json!({ "image": "ghcr.io/a/b" })).contains("Artifact Registry"));
        assert!(
            why(json!({ "image": "europe-docker.pkg.dev/p/api:1" }))
                .contains("does not name a repository")
        );
        assert!(
            why(json!({ "project": "p", "permissions": ["a.b.c"], "prefix": "x/" }))
                .contains("`prefix` needs a `bucket`")
        );
        assert!(
            why(json!({ "project": "p", "object": "x" })).contains("`object` needs a `bucket`")
        );
        assert!(
            why(json!({ "bucket": "abc", "prefix": "a/", "object": "b" }))
                .contains("not the name of an object under `prefix`")
        );
        assert!(why(json!({ "secret": "s" })).contains("projects/P/secrets/S"));
        assert!(why(json!({ "repository": "r" })).contains("HOST/P/R"));
    }
}
