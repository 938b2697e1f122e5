//! GKE clusters.

use super::project::{is_number, is_project};
use crate::{Builder, Command, Value};

/// A GKE cluster, by its resource name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cluster {
    /// The project's id.
    pub project: String,
    /// The region or zone.
    pub location: String,
    /// The cluster's short name.
    pub name: String,
}

impl Cluster {
    /// Parses `projects/P/locations/L/clusters/C`.
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

    /// Parses a resource name, or the path of a self link, `projects/P/zones/Z/clusters/C`.
    pub fn read_link(text: &str) -> Option<Self> {
        Self::read(&text.replacen("/zones/", "/locations/", 1))
    }

    /// Returns whether a text can name a cluster: by its resource name, or by a name that the
    /// operator's settings map to a cluster.
    pub fn is_named_by(text: &str) -> bool {
        Self::read(text).is_some() || (!text.is_empty() && !text.contains(['/', ' ']))
    }

    /// Returns the workload pool that GKE will create for the project. Returns `None` if the
    /// project is given by number or belongs to a domain, because then only GKE knows the name.
    pub fn pool_to_be(&self) -> Option<String> {
        let plain = !is_number(&self.project) && !self.project.contains(':');
        plain.then(|| format!("{}.svc.id.goog", self.project))
    }

    /// Returns the command that enables Workload Identity.
    pub fn make_pool(&self) -> Option<Command> {
        Command::new(&["gcloud", "container", "clusters", "update"])
            .value(&self.name)
            .option("--location", &self.location)
            .option("--project", &self.project)
            .joined(["--workload-pool=".into(), self.pool_to_be().into()])
            .build()
    }

    /// Returns the command that opens the DNS endpoint to callers outside of Google Cloud's services
    /// (Kubernetes Engine, `dnsEndpointConfig.allowExternalTraffic`).
    pub fn open_dns(&self) -> Option<Command> {
        Command::new(&["gcloud", "container", "clusters", "update"])
            .value(&self.name)
            .option("--location", &self.location)
            .option("--project", &self.project)
            .words(&["--enable-dns-access"])
            .build()
    }

    /// Returns the command that shows the workload pool.
    pub fn show_pool(&self) -> Option<Command> {
        Command::new(&["gcloud", "container", "clusters", "describe"])
            .value(&self.name)
            .option("--location", &self.location)
            .option("--project", &self.project)
            .words(&["--format=value(workloadIdentityConfig.workloadPool)"])
            .build()
    }

    /// Returns the command that shows the project's number.
    pub fn show_number(&self) -> Option<Command> {
        Command::new(&["gcloud", "projects", "describe"])
            .value(&self.project)
            .words(&["--format=value(projectNumber)"])
            .build()
    }

    /// Returns the command that enables workload identities on a node pool.
    pub fn serve_identities(&self, pool: &str) -> Option<Command> {
        let update = Command::new(&["gcloud", "container", "node-pools", "update"]);
        self.serving(update.value(pool)).build()
    }

    /// Returns the command that enables workload identities on every node pool that does not have
    /// them yet.
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
