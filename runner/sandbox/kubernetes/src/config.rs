//! What a cluster is opened with.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::pods::faults::Faults;

/// How a cluster is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it keeps everything; only its owner may read it.
    pub dir: PathBuf,
    /// The project that the cluster belongs to, by id.
    pub project: String,
    /// Its location, such as `europe-west1`.
    pub location: String,
    /// Its name.
    pub cluster: String,
    /// The version that it claims, such as `v1.33.2-gke.1240000`.
    pub version: String,
    /// Objects that are made when the folder is new; each with kind, name and namespace.
    pub seed: Vec<Value>,
    /// What its pods meet.
    pub faults: Faults,
    /// How long things take.
    pub timing: Timing,
    /// How many changes a watch can go back.
    pub history: usize,
}

impl Config {
    /// A healthy cluster with the default seed.
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

    /// The issuer of its service-account tokens, as GKE names it.
    pub fn issuer(&self) -> String {
        format!(
            "https://container.googleapis.com/v1/projects/{}/locations/{}/clusters/{}",
            self.project, self.location, self.cluster
        )
    }
}

/// How long things take; the defaults are Kubernetes' own where it has one.
#[derive(Debug, Clone)]
pub struct Timing {
    /// First wait before a failed image pull or container is tried again; doubles each time.
    pub back_off: Duration,
    /// Longest such wait.
    pub most_back_off: Duration,
    /// Between a watch's bookmarks.
    pub bookmarks: Duration,
    /// Age at which events go.
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
