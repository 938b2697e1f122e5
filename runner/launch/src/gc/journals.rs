//! Removes the objects of runs whose process is gone, if their journals say that they created the
//! objects and did not remove them.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use sidestep_engine::{Ceilings, Recorder, Removal, Stop, collect, name_of, was_detached};
use sidestep_events::{Failure, Intent, Location, OnExit, commands, show};
use sidestep_state::{History, Journal, RunFolder, RunId, Runs, StateError, Writer};

use super::disk::remove_run;
use super::{Spot, Sweep, damaged};
use crate::cleaner::OutsideCleaner;
use crate::cloud::Clients;
use crate::finding::{Fate, Finding};
use crate::origin;

/// The timeout for removing the objects of one run.
const PATIENCE: Duration = Duration::from_mins(1);
/// The age at which an unfinished run without external objects is deleted.
const FORGET: Duration = Duration::from_hours(30 * 24);

/// Checks all runs. Returns the findings, and the namespaces in which runs worked.
pub(super) async fn sweep(
    sweep: &Sweep<'_>,
    clients: &Clients,
    runs: &Runs,
) -> (Vec<Finding>, BTreeSet<Spot>) {
    let (mut found, mut spots) = (Vec::new(), BTreeSet::new());
    let (all, wrong) = runs
        .list()
        .unwrap_or_else(|error| (Vec::new(), vec![error]));
    found.extend(wrong.into_iter().filter_map(damaged::unreadable));
    for summary in all {
        let (folder, journal) = match read(runs, &summary.id) {
            Ok(read) => read,
            Err(error) => {
                found.extend(damaged::unreadable(error));
                continue;
            }
        };
        let here = sweep.cloud.scenario() == journal.header.sandbox.as_deref();
        if here {
            spots.extend(Spot::of_records(&journal.records));
        }
        let swept = run(sweep, here.then_some(clients), &folder, &journal).await;
        if here && !journal.damage.is_empty() {
            let damaged = damaged::sweep(sweep, clients, &folder, &journal, &swept).await;
            found.extend(damaged);
        }
        found.extend(swept);
    }
    (found, spots)
}

/// Reads a run's journal.
fn read(runs: &Runs, id: &RunId) -> Result<(RunFolder, Journal), StateError> {
    let folder = runs.open(id)?;
    let journal = folder.read()?;
    folder.check(&journal.header)?;
    Ok((folder, journal))
}

async fn run(
    sweep: &Sweep<'_>,
    clients: Option<&Clients>,
    folder: &RunFolder,
    journal: &Journal,
) -> Vec<Finding> {
    let id = folder.id().to_string();
    let writer = folder.writer();
    let history = History::of(&journal.records);
    let left: Vec<&Intent> = history
        .open_intents
        .values()
        .filter(|intent| intent.on_exit == OnExit::Delete)
        .collect();
    let all = |why: &str| -> Vec<Finding> {
        let kept = |intent: &&Intent| finding(intent, &id, why, Fate::Kept);
        left.iter().map(kept).collect()
    };
    if let Writer::Alive(pid) = writer {
        let pid = pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
        return all(&format!("run {id} is in progress{pid}"));
    }
    let mut found = Vec::new();
    let detached = history.finished.is_none()
        && journal.damage.is_empty()
        && was_detached(journal.records.iter());
    let why = match (writer, &history.finished) {
        (_, None) if !journal.damage.is_empty() => damaged::why(&id),
        (_, Some(_)) => format!("run {id} ended without removing it"),
        (Writer::Gone(pid), None) => format!("the runner of {id} (process {pid}) is gone"),
        (_, None) => format!("run {id} is unfinished, and no process executes it"),
    };
    if let Some(clients) = clients {
        let expired = |intent: &Intent| {
            let now = Timestamp::now();
            !detached || intent.expiry.is_some_and(|expiry| expiry < now)
        };
        let cleaner = OutsideCleaner::new(clients, &journal.header);
        for intent in left.iter().filter(|intent| !expired(intent)) {
            found.push(finding(
                intent,
                &id,
                &format!(
                    "run {id} was detached; to resume it: {}",
                    show::command_or_nothing(
                        origin::how_to_resume(&sweep.site.workspace, &journal.header).as_ref()
                    )
                ),
                Fate::Kept,
            ));
        }
        if sweep.dry_run {
            for intent in left.iter().filter(|intent| expired(intent)) {
                match cleaner.is_there(intent).await {
                    Ok(false) => {}
                    Ok(true) => found.push(finding(intent, &id, &why, Fate::WouldRemove)),
                    Err(failure) => found.push(finding(intent, &id, &why, Fate::Failed(failure))),
                }
            }
        } else if left.iter().any(|intent| expired(intent)) {
            match remove(folder, &cleaner, expired).await {
                Ok(gone) => found.extend(gone.into_iter().filter_map(|(intent, removed)| {
                    let fate = match removed {
                        Ok(Removal::Absent) => return None,
                        Ok(Removal::Gone) => Fate::Removed,
                        Ok(Removal::Going(object)) => Fate::Going(object),
                        Err(failure) => Fate::Failed(failure),
                    };
                    Some(finding(&intent, &id, &why, fate))
                })),
                // Another process has resumed the run in the meantime.
                Err(StateError::Locked { .. }) => {
                    return all(&format!("run {id} is in progress"));
                }
                Err(error) => {
                    let why = "its objects could not be removed";
                    return vec![Finding::of_run(folder, why, Fate::Failed(error.into()))];
                }
            }
        }
    } else if let Some(scenario) = &journal.header.sandbox {
        let there = format!(
            "the sandbox `{scenario}`: {}",
            show::command_or_nothing(commands::gc(Some(scenario)).as_ref())
        );
        if !left.is_empty() {
            return all(&format!("it is in {there}"));
        }
        if !journal.damage.is_empty() {
            let why = format!("it is damaged, and the run's objects are in {there}");
            return vec![Finding::of_run(folder, why, Fate::Kept)];
        }
    }
    found.extend(on_disk(sweep.dry_run, folder, writer, journal, &history));
    found
}

/// Removes a run's objects, and journals that.
async fn remove(
    folder: &RunFolder,
    cleaner: &OutsideCleaner,
    wanted: impl Fn(&Intent) -> bool,
) -> Result<Vec<(Intent, Result<Removal, Failure>)>, StateError> {
    let lock = folder.lock()?;
    // Read again under the lock, since the earlier result may be outdated.
    let (journal, account) = folder.clean_up(&lock)?;
    let history = account.history;
    let (recorder, _events) = Recorder::new(
        folder.clone(),
        journal,
        &history,
        None,
        Stop::new(),
        Ceilings::default(),
        0,
    );
    let gone = collect(&recorder, cleaner, PATIENCE, wanted).await;
    Ok(gone
        .into_iter()
        .map(|left| (left.intent, left.removed))
        .collect())
}

/// Cleans up the run's own folder: a stale lock, and a run that is too old to be resumed.
fn on_disk(
    dry_run: bool,
    folder: &RunFolder,
    writer: Writer,
    journal: &Journal,
    history: &History,
) -> Option<Finding> {
    let run = Some(folder.id().as_str().into());
    let age = match folder.last_written() {
        Ok(written) => written.elapsed().unwrap_or_default(),
        Err(error) => {
            let fate = Fate::Failed(error.into());
            return Some(Finding::of_run(folder, "its age is not known", fate));
        }
    };
    // A lost record may have named an external object, so a damaged run is set aside instead.
    let forgotten = history.finished.is_none()
        && journal.damage.is_empty()
        && history
            .open_intents
            .values()
            .all(|i| i.on_exit == OnExit::Keep)
        && age >= FORGET;
    if forgotten {
        let days = age.as_secs() / 86_400;
        return Some(Finding {
            kind: "folder".into(),
            name: folder.path().into(),
            cluster: None,
            run,
            why: format!("the run is unfinished and was last written {days} days ago").into(),
            fate: Finding::fate_of(dry_run, remove_run(folder, dry_run)),
        });
    }
    let Writer::Gone(pid) = writer else {
        return None;
    };
    let removed = || -> Result<(), Failure> {
        if !dry_run {
            // Releasing a lock empties its file.
            drop(folder.lock()?);
        }
        Ok(())
    };
    Some(Finding {
        kind: "lock".into(),
        name: folder.path().join("lock").as_path().into(),
        cluster: None,
        run,
        why: format!("process {pid}, which held it, is gone").into(),
        fate: Finding::fate_of(dry_run, removed()),
    })
}

fn finding(intent: &Intent, run: &str, why: &str, fate: Fate) -> Finding {
    let cluster = match &intent.location {
        Location::Cluster { cluster, .. } => Some(cluster.clone()),
        _ => None,
    };
    Finding {
        kind: intent.kind.clone(),
        name: name_of(intent),
        cluster,
        run: Some(run.into()),
        why: why.into(),
        fate,
    }
}

impl Spot {
    /// Returns the namespaces in which a run created objects.
    pub(super) fn of_records(records: &[sidestep_events::Record]) -> impl Iterator<Item = Self> {
        records.iter().filter_map(|record| match record {
            sidestep_events::Record::Intent(Intent {
                location: Location::Cluster { cluster, namespace },
                ..
            }) if !namespace.is_empty() => Some(Self {
                cluster: cluster.clone(),
                namespace: namespace.clone(),
            }),
            _ => None,
        })
    }
}
