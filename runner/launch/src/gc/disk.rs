//! Removes the files that killed processes left on this disk: folders of runs that never began,
//! drafts, and compiled plugins that are no longer used.

use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sidestep_events::{Class, Failure, Owner, codes};

use sidestep_state::{RunFolder, Runs};

use super::damaged;
use crate::finding::{Fate, Finding};
use crate::site::Site;

/// The maximum time for which a process needs a draft.
const DRAFT: Duration = Duration::from_hours(1);
/// The maximum time for which a step needs the files that it adds to its context while packing it.
const SCRATCH: Duration = Duration::from_hours(24);
/// The time without use after which compiled code counts as another build's or another plugin's.
const UNUSED: Duration = Duration::from_hours(30 * 24);

pub(super) fn sweep(site: &Site, runs: &Runs, dry_run: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let (stillborn, unreadable) = runs.stillborn(DRAFT);
    found.extend(unreadable.into_iter().filter_map(damaged::unreadable));
    for folder in stillborn {
        found.push(Finding {
            kind: "folder".into(),
            name: folder.path().into(),
            cluster: None,
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
        let (entries, unreadable) = old(folder, wanted, age);
        found.extend(unreadable);
        for path in entries {
            let removed = if dry_run { Ok(()) } else { remove(&path) };
            found.push(Finding {
                kind: kind.into(),
                name: path.as_path().into(),
                cluster: None,
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

/// Returns the paths of a folder's wanted entries that were not modified for `age`, and a finding
/// if they are not all known.
fn old(
    folder: &Path,
    wanted: &dyn Fn(&DirEntry) -> bool,
    age: Duration,
) -> (Vec<PathBuf>, Option<Finding>) {
    let mut found = Vec::new();
    let mut read = || -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if !wanted(&entry) {
                continue;
            }
            match entry.metadata().and_then(|metadata| metadata.modified()) {
                Ok(modified) if modified.elapsed().is_ok_and(|elapsed| elapsed >= age) => {
                    found.push(entry.path());
                }
                Ok(_) => {}
                // Another process has removed it since.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    };
    let unread = match read() {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Some(Finding {
                kind: "folder".into(),
                name: folder.into(),
                cluster: None,
                run: None,
                why: "its files are not all known".into(),
                fate: Fate::Failed(failed("read", folder, &error)),
            })
        }
        _ => None,
    };
    found.sort();
    (found, unread)
}

fn remove(path: &Path) -> Result<(), Failure> {
    // Does not follow links, since a link's target does not belong to the run.
    let folder = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let removed = if folder {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    removed.map_err(|error| failed("remove", path, &error))
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> Failure {
    let message = format!("can't {doing} {}: {error}", path.display());
    Failure::new(Class::Failed, codes::state::IO, Owner::Operator, message)
}
