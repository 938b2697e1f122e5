//! Clusters of GKE.

use super::project::{is_number, is_project};
use crate::{Builder, Command, Value};

/// A cluster of GKE, by its resource name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cluster {
    /// The project's id.
    pub project: String,
    /// The region or zone.
    pub location: String,
    /// The cluster's own name.
    pub name: String,
}

impl Cluster {
    /// Reads `projects/P/locations/L/clusters/C`.
    pub fn read(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let ["projects", project, "locations", location, "clusters", name] = parts[..] else {
            return None;
        };
        let filled = is_project(project) && !location.is_empty() && !name.is_empty();
        filled.then(|| Self {
            project: project.to_owned(),
            location: location.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Returns the workload pool that GKE creates for the project. None where the project is given
    /// by number or belongs to a domain: then only GKE knows the name.
    pub fn pool_to_be(&self) -> Option<String> {
        let plain = !is_number(&self.project) && !self.project.contains(':');
        plain.then(|| format!("{}.svc.id.goog", self.project))
    }

    /// Switches Workload Identity on.
    pub fn make_pool(&self) -> Option<Command> {
        Command::new(&["gcloud", "container", "clusters", "update"])
            .value(&self.name)
            .option("--location", &self.location)
            .option("--project", &self.project)
            .joined(["--workload-pool=".into(), self.pool_to_be().into()])
            .build()
    }

    /// Shows the workload pool.
    pub fn show_pool(&self) -> Option<Command> {
        Command::new(&["gcloud", "container", "clusters", "describe"])
            .value(&self.name)
            .option("--location", &self.location)
            .option("--project", &self.project)
            .words(&["--format=value(workloadIdentityConfig.workloadPool)"])
            .build()
    }

    /// Shows the number of the project.
    pub fn show_number(&self) -> Option<Command> {
        Command::new(&["gcloud", "projects", "describe"])
            .value(&self.project)
            .words(&["--format=value(projectNumber)"])
            .build()
    }

    /// Lets the nodes of a pool serve workload identities.
    pub fn serve_identities(&self, pool: &str) -> Option<Command> {
        let update = Command::new(&["gcloud", "container", "node-pools", "update"]);
        self.serving(update.value(pool)).build()
    }

    /// Lets the nodes of every pool that does not yet serve workload identities do so.
    pub fn serve_all_identities(&self) -> Option<Command> {
        let list = self
            .of(Command::new(&["gcloud", "container", "node-pools", "list"]))
            .words(&[
                "--filter=NOT config.workloadMetadataConfig.mode=GKE_METADATA",
                "--format=value(name)",
            ]);
        let each = Command::new(&["xargs", "-I", "{}"]).words(&[
            "gcloud",
            "container",
            "node-pools",
            "update",
            "{}",
        ]);
        self.serving(each).reading(list.build()).build()
    }

    fn serving(&self, update: Builder) -> Builder {
        self.of(update).words(&["--workload-metadata=GKE_METADATA"])
    }

    fn of(&self, command: Builder) -> Builder {
        command
            .option("--cluster", &self.name)
            .option("--location", &self.location)
            .option("--project", &self.project)
    }
}

impl From<&Cluster> for Value {
    /// Writes the resource name.
    fn from(cluster: &Cluster) -> Self {
        let Cluster {
            project,
            location,
            name,
        } = cluster;
        format!("projects/{project}/locations/{location}/clusters/{name}").into()
    }
}
