//! The configuration of a cluster.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::pods::faults::Faults;

/// The options of a cluster.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder of the cluster's state; readable only by its owner.
    pub dir: PathBuf,
    /// The id of the cluster's project.
    pub project: String,
    /// The cluster's location, such as `europe-west1`.
    pub location: String,
    /// The cluster's name.
    pub cluster: String,
    /// The cluster's version, such as `v1.33.2-gke.1240000`.
    pub version: String,
    /// Objects that are created in a new folder; each with kind, name and namespace.
    pub seed: Vec<Value>,
    /// The faults of the cluster's pods.
    pub faults: Faults,
    /// The durations of the cluster's delays and intervals.
    pub timing: Timing,
    /// The number of changes that a watch can go back.
    pub history: usize,
}

impl Config {
    /// Creates the options of a healthy cluster with the default seed.
    pub fn new(dir: impl Into<PathBuf>, project: &str, location: &str, cluster: &str) -> Self {
        Self {
            dir: dir.into(),
            project: project.to_owned(),
            location: location.to_owned(),
            cluster: cluster.to_owned(),
            version: "v1.33.5-gke.1080000".to_owned(),
            seed: crate::seed::default_objects(),
            faults: Faults::default(),
            timing: Timing::default(),
            history: 4096,
        }
    }

    /// Returns the issuer of the cluster's service-account tokens, in GKE's format.
    pub fn issuer(&self) -> String {
        format!(
            "https://container.googleapis.com/v1/projects/{}/locations/{}/clusters/{}",
            self.project, self.location, self.cluster
        )
    }
}

/// Delays and intervals. The defaults are those of Kubernetes, where it has one.
#[derive(Debug, Clone)]
pub struct Timing {
    /// The initial back-off after a failed image pull or container; it doubles with each retry.
    pub back_off: Duration,
    /// The maximum back-off.
    pub most_back_off: Duration,
    /// The interval between a watch's bookmarks.
    pub bookmarks: Duration,
    /// The age at which events are deleted.
    pub events: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            back_off: Duration::from_secs(10),
            most_back_off: Duration::from_mins(5),
            bookmarks: Duration::from_secs(20),
            events: Duration::from_hours(1),
        }
    }
}
