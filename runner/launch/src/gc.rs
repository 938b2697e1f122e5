//! Finds what crashed runs left behind: by their journals, by the marks on pods, and on disk.
//! Objects that a live runner uses are never touched.

mod damaged;
mod disk;
mod expired;
mod journals;

use sidestep_capabilities::kubernetes::Deletion;
use sidestep_events::{Exit, Failure, Foreign, Going};

use crate::cloud::Cloud;
use crate::site::Site;

pub use expired::Spot;
pub(crate) use expired::sweep_expired;

/// An object or file that was left behind, and what happened to it.
#[derive(Debug)]
pub struct Finding {
    /// The kind: `pod`, `object`, `folder`, `lock`, `compiled plugin`.
    pub kind: Foreign,
    /// The name and location.
    pub name: Foreign,
    /// The run that it belongs to, if known.
    pub run: Option<Foreign>,
    /// The reason why it counts as left behind, or why it is kept.
    pub why: Foreign,
    /// The action that was taken.
    pub fate: Fate,
}

/// The action that was taken on a finding.
#[derive(Debug)]
pub enum Fate {
    /// The object was removed.
    Removed,
    /// The object's deletion was accepted and is still in progress.
    Going(Going),
    /// The object would be removed if this were not a dry run.
    WouldRemove,
    /// The run was moved to a name that no command looks for.
    SetAside,
    /// The run would be set aside if this were not a dry run.
    WouldSetAside,
    /// The object was kept.
    Kept,
    /// The object could not be removed or checked.
    Failed(Failure),
}

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
    /// Searches everywhere and, unless it is a dry run, removes what it finds.
    pub async fn run(self) -> Result<Vec<Finding>, Failure> {
        let clients = self.cloud.clients()?;
        let runs = self.site.runs()?;
        let (mut found, mut spots) = journals::sweep(&self, &clients).await?;
        spots.extend(self.spots.iter().cloned());
        for spot in &spots {
            let pods = expired::sweep_spot(&clients, &runs, spot, self.dry_run).await;
            // Report a pod only once if its journal already led to it.
            let new = pods.into_iter().filter(|pod| {
                let same = |known: &Finding| known.kind == pod.kind && known.name == pod.name;
                !found.iter().any(same)
            });
            let new: Vec<_> = new.collect();
            found.extend(new);
        }
        found.extend(disk::sweep(self.site, &runs, self.dry_run));
        Ok(found)
    }
}

impl Finding {
    fn fate_of(dry_run: bool, removed: Result<(), Failure>) -> Fate {
        match removed {
            Err(failure) => Fate::Failed(failure),
            Ok(()) if dry_run => Fate::WouldRemove,
            Ok(()) => Fate::Removed,
        }
    }

    fn fate_of_pod(deletion: Result<Deletion, Failure>) -> Fate {
        match deletion {
            Err(failure) => Fate::Failed(failure),
            Ok(Deletion::Gone) => Fate::Removed,
            Ok(Deletion::Going { object, .. }) => Fate::Going(object),
        }
    }
}

/// Returns the exit code of the process.
pub fn exit(found: &[Finding]) -> Exit {
    Exit::first(found.iter().filter_map(|finding| match &finding.fate {
        Fate::Failed(failure) => Some(Exit::of_failure(failure)),
        _ => None,
    }))
}
