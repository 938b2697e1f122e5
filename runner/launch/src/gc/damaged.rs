//! Runs whose journal is damaged: nobody can go on with them, and the journal may not name all that
//! they made. What can be found of it is removed, and the run is set aside, so that its id is free.

use std::collections::BTreeSet;

use sidestep_state::{History, Journal, RunFolder, StateError, Writer};

use super::expired::{spots_of_plan, sweep_run};
use super::{Fate, Finding, Spot, Sweep};
use crate::cloud::Clients;
use crate::place::read_plan;

/// Why what a damaged run made is removed, even what it left on purpose.
pub(super) fn why(run: &str) -> String {
    format!("the journal of run {run} is damaged, so nobody can go on with it")
}

/// Removes what carries the run's mark and was not found by its journal (`swept`), and sets the
/// run aside once nothing is left.
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
    // The record that is lost may have been the only one to name its namespace.
    if let Ok(plan) = read_plan(folder) {
        spots.extend(spots_of_plan(&plan));
    }
    let mut found = Vec::new();
    for spot in &spots {
        let pods = sweep_run(clients, spot, &run, &why(&run), sweep.dry_run).await;
        found.extend(pods.into_iter().filter(|pod| {
            // Its journal named it.
            let same = |known: &Finding| known.kind == pod.kind && known.name == pod.name;
            !swept.iter().any(same)
        }));
    }
    let ended = History::of(&journal.records).finished.is_some();
    let failed = |finding: &Finding| matches!(finding.fate, Fate::Failed(_));
    let there = folder.path().exists();
    if there && !ended && !swept.iter().chain(&found).any(failed) {
        found.push(set_aside(folder, sweep.dry_run));
    }
    found
}

fn set_aside(folder: &RunFolder, dry_run: bool) -> Finding {
    let mut why = "its journal is damaged, so its id is made free".to_owned();
    let fate = if dry_run {
        Fate::WouldSetAside
    } else {
        let aside = folder.lock().and_then(|lock| folder.set_aside(&lock));
        match aside {
            Ok(aside) => {
                why = format!(
                    "its journal is damaged: all of it is now {}",
                    aside.display()
                );
                Fate::SetAside
            }
            Err(error) => Fate::Failed(error.into()),
        }
    };
    Finding {
        kind: "run".into(),
        name: folder.path().into(),
        run: Some(folder.id().as_str().into()),
        why: why.into(),
        fate,
    }
}

/// A run that is left alone here.
pub(super) fn kept(folder: &RunFolder, why: String) -> Finding {
    Finding {
        kind: "run".into(),
        name: folder.path().into(),
        run: Some(folder.id().as_str().into()),
        why: why.into(),
        fate: Fate::Kept,
    }
}

/// A run of which not even the beginning can be read.
pub(super) fn unreadable(error: &StateError) -> Finding {
    let (name, why) = match error {
        StateError::NotAJournal(path) => (
            path.display().to_string(),
            "it is no journal, or its beginning is damaged: what its run made is not known"
                .to_owned(),
        ),
        StateError::NewerFormat { run, .. } => (run.clone(), error.to_string()),
        StateError::NotOwn(found) => (found.path().display().to_string(), error.to_string()),
        StateError::Io { path, .. } => (path.display().to_string(), error.to_string()),
        error => (String::new(), error.to_string()),
    };
    Finding {
        kind: "journal".into(),
        name: name.into(),
        run: None,
        why: why.into(),
        fate: Fate::Kept,
    }
}
