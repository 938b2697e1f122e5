//! Cleans up runs with a damaged journal. They can't be resumed, and the journal may not name all
//! of their objects. All objects that can be found are removed, and the run is set aside, so that
//! its id can be used again.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use sidestep_state::{History, Journal, RunFolder, StateError, Writer};

use super::expired::{spots_of_plan, sweep_run};
use super::{Spot, Sweep};
use crate::cloud::Clients;
use crate::finding::{Fate, Finding};
use crate::locked_run::read_plan;

/// The reason for a finding about a journal that can't be used.
const UNKNOWN: &str = "it can't be used, so the objects of its run are not known";

/// Returns the reason for removing a damaged run's objects, even those of a detached run.
pub(super) fn why(run: &str) -> String {
    format!("the journal of run {run} is damaged, so the run can't be resumed")
}

/// Removes the objects that carry the run's mark and are not in `swept`, which holds those found by
/// the journal. Sets the run aside once no objects are left.
pub(super) async fn sweep(
    sweep: &Sweep<'_>,
    clients: &Clients,
    folder: &RunFolder,
    journal: &Journal,
    swept: &[Finding],
) -> Vec<Finding> {
    if matches!(folder.writer(), Writer::Alive(_)) {
        return Vec::new();
    }
    let run = folder.id().to_string();
    let mut spots: BTreeSet<Spot> = Spot::of_records(&journal.records).collect();
    // The lost record may have been the only one that named this namespace.
    if let Ok(plan) = read_plan(folder) {
        spots.extend(spots_of_plan(&plan));
    }
    let header = &journal.header;
    let mut found = Vec::new();
    for spot in &spots {
        sweep_run(clients, spot, header, &why(&run), sweep.dry_run, &mut found).await;
    }
    // Skip the pods that the journal named.
    found.retain(|pod| !swept.iter().any(|known| known.is_about_the_object_of(pod)));
    let ended = History::of(&journal.records).finished.is_some();
    let failed = |finding: &Finding| matches!(finding.fate, Fate::Failed(_));
    let there = folder.path().exists();
    if there && !ended && !swept.iter().chain(&found).any(failed) {
        found.push(set_aside(folder, sweep.dry_run));
    }
    found
}

fn set_aside(folder: &RunFolder, dry_run: bool) -> Finding {
    let mut why = "its journal is damaged; setting it aside frees its id".to_owned();
    let fate = if dry_run {
        Fate::WouldSetAside
    } else {
        let aside = folder.lock().and_then(|lock| folder.set_aside(&lock));
        match aside {
            Ok(aside) => {
                why = format!(
                    "its journal is damaged; its folder was moved to {}",
                    aside.display()
                );
                Fate::SetAside
            }
            Err(error) => Fate::Failed(error.into()),
        }
    };
    Finding::of_run(folder, why, fate)
}

/// Returns the finding for a run whose journal can't be read; `None` if another process has removed
/// the run.
pub(super) fn unreadable(error: StateError) -> Option<Finding> {
    let (name, why) = match &error {
        StateError::NotFound { .. } => return None,
        StateError::Io { source, .. } if source.kind() == ErrorKind::NotFound => return None,
        StateError::NotAJournal(path) => (
            path.display().to_string(),
            "it is not a journal, or its header is damaged: the objects of its run are not known"
                .to_owned(),
        ),
        StateError::NewerFormat { run, .. } => (run.clone(), error.to_string()),
        StateError::NotOwn(found) => (found.path().display().to_string(), UNKNOWN.to_owned()),
        StateError::Io { path, .. } | StateError::OtherRun { path, .. } => {
            (path.display().to_string(), UNKNOWN.to_owned())
        }
        error => (String::new(), error.to_string()),
    };
    let fate = match error {
        // Nothing can be done about the first, and only a newer version about the second.
        StateError::NotAJournal(_) | StateError::NewerFormat { .. } => Fate::Kept,
        error => Fate::Failed(error.into()),
    };
    Some(Finding {
        kind: "journal".into(),
        name: name.into(),
        cluster: None,
        run: None,
        why: why.into(),
        fate,
    })
}
