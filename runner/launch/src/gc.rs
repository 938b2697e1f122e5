//! What crashed runs left behind: found by the records that resume reads, by the marks on pods,
//! and on disk. What a live runner still uses is never touched.

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

/// Something that was left behind, and what became of it.
#[derive(Debug)]
pub struct Finding {
    /// What it is: `pod`, `object`, `folder`, `lock`, `compiled plugin`.
    pub kind: Foreign,
    /// Its name and place.
    pub name: Foreign,
    /// The run that it belongs to, where that is known.
    pub run: Option<Foreign>,
    /// Why it counts as left behind, or why it is left alone.
    pub why: Foreign,
    /// What became of it.
    pub fate: Fate,
}

/// What becomes of something that was found.
#[derive(Debug)]
pub enum Fate {
    /// It is gone.
    Removed,
    /// Its deletion was accepted; it goes by itself.
    Going(Going),
    /// It would be removed, were this no dry run.
    WouldRemove,
    /// It is there still, where nothing looks for it.
    SetAside,
    /// It would be set aside, were this no dry run.
    WouldSetAside,
    /// It is left alone.
    Kept,
    /// It could not be removed, or not even looked at.
    Failed(Failure),
}

/// What is to be swept.
pub struct Sweep<'a> {
    /// The folders of runs and of what they keep.
    pub site: &'a Site,
    /// Where outside objects are looked for.
    pub cloud: &'a Cloud,
    /// Whether nothing is removed, only looked for.
    pub dry_run: bool,
    /// Where to look for pods besides the places that journals name.
    pub spots: Vec<Spot>,
}

impl Sweep<'_> {
    /// Looks everywhere and, unless it is a dry run, removes what is found.
    pub async fn run(self) -> Result<Vec<Finding>, Failure> {
        let clients = self.cloud.clients()?;
        let runs = self.site.runs()?;
        let (mut found, mut spots) = journals::sweep(&self, &clients).await?;
        spots.extend(self.spots.iter().cloned());
        for spot in &spots {
            let pods = expired::sweep_spot(&clients, &runs, spot, self.dry_run).await;
            // A pod that its journal led to is told once.
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

/// Returns what the process ends with.
pub fn exit(found: &[Finding]) -> Exit {
    Exit::first(found.iter().filter_map(|finding| match &finding.fate {
        Fate::Failed(failure) => Some(Exit::of_failure(failure)),
        _ => None,
    }))
}
