//! Removes the files that killed processes left on this disk: folders of runs that never began,
//! drafts, and compiled plugins that are no longer used.

use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sidestep_events::{Class, Failure, Owner, codes};

use sidestep_state::{RunFolder, Runs};

use crate::finding::Finding;
use crate::site::Site;

/// The maximum time for which a process needs a draft.
const DRAFT: Duration = Duration::from_hours(1);
/// The maximum time for which a step needs the files that it adds to its context while packing it.
const SCRATCH: Duration = Duration::from_hours(24);
/// The time without use after which compiled code counts as another build's or another plugin's.
const UNUSED: Duration = Duration::from_hours(30 * 24);

pub(super) fn sweep(site: &Site, runs: &Runs, dry_run: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    for folder in runs.stillborn(DRAFT) {
        found.push(Finding {
            kind: "folder".into(),
            name: folder.path().into(),
            run: Some(folder.id().as_str().into()),
            why: "the process ended before the run started".into(),
            fate: Finding::fate_of(dry_run, remove_run(&folder, dry_run)),
        });
    }
    let draft = |entry: &DirEntry| name(entry).starts_with(".tmp");
    let compiled = |entry: &DirEntry| name(entry).ends_with(".cwasm");
    type Wanted<'a> = &'a dyn Fn(&DirEntry) -> bool;
    let rows: [(&Option<PathBuf>, Wanted<'_>, Duration, &str, &str); 3] = [
        (
            &site.compiled,
            &draft,
            DRAFT,
            "draft",
            "the process that wrote it ended early",
        ),
        (
            &site.compiled,
            &compiled,
            UNUSED,
            "compiled plugin",
            "it was not used for 30 days",
        ),
        (
            &site.scratch,
            &draft,
            SCRATCH,
            "scratch",
            "the process that packed it ended early",
        ),
    ];
    for (folder, wanted, age, kind, why) in rows {
        let Some(folder) = folder else { continue };
        for entry in old(folder, wanted, age) {
            let path = entry.path();
            let removed = if dry_run { Ok(()) } else { remove(&path) };
            found.push(Finding {
                kind: kind.into(),
                name: path.as_path().into(),
                run: None,
                why: why.into(),
                fate: Finding::fate_of(dry_run, removed),
            });
        }
    }
    found
}

/// Removes the folder of a run, unless it is a dry run.
pub(super) fn remove_run(folder: &RunFolder, dry_run: bool) -> Result<(), Failure> {
    if !dry_run {
        let lock = folder.lock()?;
        folder.remove(&lock)?;
    }
    Ok(())
}

fn name(entry: &DirEntry) -> String {
    entry.file_name().to_string_lossy().into_owned()
}

/// Returns the wanted entries of a folder that were not modified for `age`.
fn old(folder: &Path, wanted: &dyn Fn(&DirEntry) -> bool, age: Duration) -> Vec<DirEntry> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_old = |entry: &DirEntry| {
        let touched = entry.metadata().and_then(|metadata| metadata.modified());
        touched.is_ok_and(|touched| touched.elapsed().is_ok_and(|elapsed| elapsed >= age))
    };
    let mut entries: Vec<_> = entries
        .filter(|entry| wanted(entry) && is_old(entry))
        .collect();
    entries.sort_by_key(DirEntry::file_name);
    entries
}

fn remove(path: &Path) -> Result<(), Failure> {
    // Does not follow links, since a link's target does not belong to the run.
    let folder = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let removed = if folder {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    removed.map_err(|error| {
        let message = format!("can't remove {}: {error}", path.display());
        Failure::new(Class::Failed, codes::state::IO, Owner::Operator, message)
    })
}
