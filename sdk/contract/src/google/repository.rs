//! Artifact Registry repositories.

use super::project;
use crate::Command;
use crate::registry::{self, Google};

/// An Artifact Registry repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repository {
    /// The project's id.
    pub project: String,
    /// The location, such as `europe` or `us-central1`.
    pub location: String,
    /// The repository's short name.
    pub name: String,
}

impl Repository {
    /// Parses `projects/P/locations/L/repositories/R`.
    pub fn from_resource(name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.split('/').collect();
        let [
            "projects",
            project,
            "locations",
            location,
            "repositories",
            name,
        ] = parts[..]
        else {
            return None;
        };
        let filled = project::is_project(project) && !location.is_empty() && !name.is_empty();
        filled.then(|| Self {
            project: project.to_owned(),
            location: location.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Returns the repository of an image, `LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/…`. The
    /// hosts of Container Registry are now repositories too, with the same name as the host.
    pub fn of_image(path: &str) -> Option<Self> {
        let mut segments = path.split('/');
        let host = Google::read(segments.next()?)?;
        let project = project::take(&mut segments)?;
        let name = match host {
            Google::ContainerRegistry { repository, .. } => repository,
            Google::Location(_) => segments.next().filter(|name| !name.is_empty())?,
        };
        Some(Self {
            project,
            location: host.location().to_owned(),
            name: name.to_owned(),
        })
    }

    /// Returns whether an image is in Artifact Registry but its name has no repository, such as
    /// `europe-docker.pkg.dev/PROJECT/NAME`. Such an image cannot be pushed.
    pub fn is_left_out(path: &str) -> bool {
        let mut segments = path.split('/');
        let host = Google::read(segments.next().unwrap_or_default());
        if !matches!(host, Some(Google::Location(_))) {
            return false;
        }
        let project = project::take(&mut segments);
        project.is_none() || segments.count() < 2
    }

    /// Returns the common prefix of its image names: `LOCATION-docker.pkg.dev/PROJECT/REPOSITORY`,
    /// or `HOST/PROJECT` if it replaces a Container Registry host. This reverses
    /// [`Self::of_image`].
    pub fn image_prefix(&self) -> String {
        let project = self.project.replace(':', "/");
        if self.is_created_on_push() {
            format!("{}/{project}", self.name)
        } else {
            format!(
                "{}/{project}/{}",
                registry::host_of(&self.location),
                self.name
            )
        }
    }

    /// Returns `projects/P/locations/L/repositories/R`.
    pub fn resource(&self) -> String {
        let Self {
            project,
            location,
            name,
        } = self;
        format!("projects/{project}/locations/{location}/repositories/{name}")
    }

    /// Returns whether a first push may create the repository, as for the hosts of Container
    /// Registry.
    pub fn is_created_on_push(&self) -> bool {
        registry::is_container_registry(&self.name)
    }

    /// Returns the command that creates the repository.
    pub fn create(&self) -> Option<Command> {
        Command::new(&["gcloud", "artifacts", "repositories", "create"])
            .value(&self.name)
            .words(&["--repository-format=docker"])
            .option("--location", &self.location)
            .option("--project", &self.project)
            .build()
    }
}
