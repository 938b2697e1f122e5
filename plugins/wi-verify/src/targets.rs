//! What the identity has to reach.

use sidestep::gcp::iam::PolicyResource;
use sidestep::{Error, ImageRef, Result};

use crate::inputs::{Goal, Inputs};

/// A resource and the permissions that are needed on it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    pub(crate) place: Place,
    pub(crate) permissions: Vec<String>,
}

/// A resource with a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Bucket(String),
    Repository {
        project: String,
        location: String,
        name: String,
    },
    Secret {
        project: String,
        name: String,
    },
    Project(String),
}

impl Place {
    /// Its name for people.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Bucket(name) => format!("gs://{name}"),
            Self::Repository {
                project,
                location,
                name,
            } => format!("repository {name} in {location} of {project}"),
            Self::Secret { .. } => format!("secret {}", self.name()),
            Self::Project(id) => format!("project {id}"),
        }
    }

    /// The project whose policy says who may create the repository by a push, for those of
    /// Container Registry's hosts
    /// (<https://cloud.google.com/artifact-registry/docs/transition/setup-gcr-repo>).
    pub(crate) fn created_on_push(&self) -> Option<&str> {
        match self {
            Self::Repository { project, name, .. } if name.ends_with("gcr.io") => Some(project),
            _ => None,
        }
    }

    /// Its name in the contract.
    pub(crate) fn resource(&self) -> PolicyResource {
        match self {
            Self::Bucket(name) => PolicyResource::Bucket(name.clone()),
            Self::Repository { .. } => PolicyResource::Repository(self.name()),
            Self::Secret { .. } => PolicyResource::Secret(self.name()),
            Self::Project(id) => PolicyResource::Project(id.clone()),
        }
    }

    /// Its resource name.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Bucket(name) => name.clone(),
            Self::Repository {
                project,
                location,
                name,
            } => format!("projects/{project}/locations/{location}/repositories/{name}"),
            Self::Secret { project, name } => format!("projects/{project}/secrets/{name}"),
            Self::Project(id) => format!("projects/{id}"),
        }
    }

    /// The API that serves it and the project in which that has to be enabled; none where every
    /// project has it.
    pub(crate) fn api(&self) -> Option<(&str, &'static str)> {
        match self {
            Self::Repository { project, .. } => Some((project, "artifactregistry.googleapis.com")),
            Self::Secret { project, .. } => Some((project, "secretmanager.googleapis.com")),
            Self::Bucket(_) | Self::Project(_) => None,
        }
    }

    /// What a build needs there.
    fn permissions(&self) -> &'static [&'static str] {
        match self {
            Self::Bucket(_) => &["storage.objects.get"],
            Self::Repository { .. } => &[
                "artifactregistry.repositories.uploadArtifacts",
                "artifactregistry.repositories.downloadArtifacts",
            ],
            Self::Secret { .. } => &["secretmanager.versions.access"],
            Self::Project(_) => &[],
        }
    }
}

/// What the inputs name, each once.
pub(crate) fn targets(inputs: &Inputs) -> Result<Vec<Target>> {
    let short = Goal {
        bucket: inputs.bucket.clone(),
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
        let target = target(goal).map_err(|why| Error::invalid_input("identity.target", why))?;
        if !found.contains(&target) {
            found.push(target);
        }
    }
    Ok(found)
}

/// What one entry names; an error says what is wrong with it.
pub(crate) fn target(goal: &Goal) -> Result<Target, String> {
    let places = [
        goal.bucket
            .as_ref()
            .map(|bucket| Ok(Place::Bucket(bucket.as_str().to_owned()))),
        goal.image.as_ref().map(of_image),
        goal.repository.as_deref().map(of_repository),
        goal.secret.as_deref().map(of_secret),
        goal.project
            .as_ref()
            .map(|project| Ok(Place::Project(project.clone()))),
    ];
    let mut places = places.into_iter().flatten();
    let (Some(place), None) = (places.next(), places.next()) else {
        return Err("a target has one of `bucket`, `image`, `repository`, `secret` and `project`, and no other of these".to_owned());
    };
    let place = place?;
    let permissions: Vec<String> = match goal.permissions.as_slice() {
        [] => place
            .permissions()
            .iter()
            .map(ToString::to_string)
            .collect(),
        given => given.to_vec(),
    };
    if permissions.is_empty() {
        return Err(format!(
            "the target {} needs `permissions`: what is to be allowed there",
            place.shown()
        ));
    }
    Ok(Target { place, permissions })
}

fn of_image(image: &ImageRef) -> Result<Place, String> {
    let path = image.repository();
    let host = path.split('/').next().unwrap_or_default();
    if host.ends_with("-docker.pkg.dev") && path.split('/').count() < 4 {
        return Err(format!(
            "{image} names no repository: an image of Artifact Registry is {host}/PROJECT/REPOSITORY/NAME"
        ));
    }
    repository(image.repository()).ok_or_else(|| {
        format!("{image} does not lie in Artifact Registry (LOCATION-docker.pkg.dev/P/R/NAME or gcr.io/P/NAME)")
    })
}

fn of_repository(text: &str) -> Result<Place, String> {
    let found = match text.split('/').collect::<Vec<_>>()[..] {
        [
            "projects",
            project,
            "locations",
            location,
            "repositories",
            name,
        ] => Some(Place::Repository {
            project: project.to_owned(),
            location: location.to_owned(),
            name: name.to_owned(),
        }),
        _ => repository(text),
    };
    found.ok_or_else(|| {
        format!("`{text}` is not projects/P/locations/L/repositories/R nor HOST/P/R of Artifact Registry")
    })
}

fn of_secret(text: &str) -> Result<Place, String> {
    match text.split('/').collect::<Vec<_>>()[..] {
        ["projects", project, "secrets", name]
        | ["projects", project, "secrets", name, "versions", _] => Ok(Place::Secret {
            project: project.to_owned(),
            name: name.to_owned(),
        }),
        _ => Err(format!("`{text}` is not projects/P/secrets/S")),
    }
}

/// The repository behind `HOST/PATH`. The hosts of Container Registry are repositories of Artifact
/// Registry by now, named like the host
/// (<https://cloud.google.com/artifact-registry/docs/transition/setup-gcr-repo>).
fn repository(path: &str) -> Option<Place> {
    let mut parts = path.split('/');
    let (host, project) = (parts.next()?, parts.next()?);
    let (location, name) = match host {
        "gcr.io" | "us.gcr.io" => ("us", host),
        "eu.gcr.io" => ("europe", host),
        "asia.gcr.io" => ("asia", host),
        _ => (host.strip_suffix("-docker.pkg.dev")?, parts.next()?),
    };
    Some(Place::Repository {
        project: project.to_owned(),
        location: location.to_owned(),
        name: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
    use crate::inputs::example;

    fn names(more: &sidestep::serde_json::Value) -> Vec<String> {
        let targets = targets(&example(more)).expect("targets");
        targets.iter().map(|target| target.place.name()).collect()
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
        assert!(why(json!({ "bucket": "abc", "project": "p" })).contains("no other"));
        assert!(why(json!({ "project": "p" })).contains("permissions"));
        assert!(why(json!({ "image": "ghcr.io/a/b" })).contains("Artifact Registry"));
        assert!(
            why(json!({ "image": "europe-docker.pkg.dev/p/api:1" }))
                .contains("names no repository")
        );
        assert!(why(json!({ "secret": "s" })).contains("projects/P/secrets/S"));
        assert!(why(json!({ "repository": "r" })).contains("HOST/P/R"));
    }
}
