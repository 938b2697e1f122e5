//! Finds what crashed runs left behind: by their journals, by the marks on pods, and on disk.
//! Objects that a live runner uses are never touched.

mod damaged;
mod disk;
mod expired;
mod journals;

use sidestep_events::{Exit, Failure};

use crate::cloud::Cloud;
use crate::finding::{Fate, Finding};
use crate::site::Site;

pub use expired::Spot;
pub(crate) use expired::sweep_expired;

/// The parameters of a cleanup.
pub struct Sweep<'a> {
    /// The folders of runs and their files.
    pub site: &'a Site,
    /// The cloud in which external objects are searched.
    pub cloud: &'a Cloud,
    /// Whether to only search and remove nothing.
    pub dry_run: bool,
    /// Namespaces to search for pods, in addition to those in journals.
    pub spots: Vec<Spot>,
}

impl Sweep<'_> {
    /// Searches everywhere and, unless it is a dry run, removes what it finds. An error about one
    /// run, namespace or file is a finding, and does not end the search.
    pub async fn run(self) -> Result<Vec<Finding>, Failure> {
        let clients = self.cloud.clients()?;
        let runs = self.site.runs()?;
        let (mut found, mut spots) = journals::sweep(&self, &clients, &runs).await;
        spots.extend(self.spots.iter().cloned());
        for spot in &spots {
            let mut pods = Vec::new();
            expired::sweep_spot(&clients, &runs, spot, self.dry_run, &mut pods).await;
            // Report a pod only once if its journal already led to it.
            pods.retain(|pod| !found.iter().any(|known| known.is_about_the_object_of(pod)));
            found.extend(pods);
        }
        found.extend(disk::sweep(self.site, &runs, self.dry_run));
        Ok(found)
    }
}

/// Returns the exit code of the process.
pub fn exit(found: &[Finding]) -> Exit {
    Exit::first(found.iter().filter_map(|finding| match &finding.fate {
        Fate::Failed(failure) => Some(Exit::of_failure(failure)),
        _ => None,
    }))
}
