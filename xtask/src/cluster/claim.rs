//! The claim on a cluster's folder: a lock beside the folder, which one process at a time may create,
//! fill and remove.
//!
//! The keeper passes the lock's descriptor to all processes of its cluster, so that it ends with the
//! last of them: a killed keeper's node still removes the folder.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::{FdFlags, fcntl_setfd};

use super::cluster_folder::ClusterFolder;
use crate::Result;

/// The end of a lock's name. No name of a cluster has a dot.
const SUFFIX: &str = ".lock";
/// How long a cluster without a keeper may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// The claim of this process on a cluster's folder.
pub(super) struct Claim {
    file: File,
    path: PathBuf,
}

/// Returns whether an entry of the clusters' folder is the lock of one.
pub(super) fn is_lock(name: &str) -> bool {
    name.ends_with(SUFFIX)
}

impl Claim {
    /// Claims the folder. Waits while the rest of a cluster without a keeper is removed. Returns
    /// `None` if the folder has a keeper.
    pub(super) fn take(place: &ClusterFolder) -> Result<Option<Self>> {
        let path = beside(place.folder());
        let error = |error: io::Error| format!("cannot lock {}: {error}", path.display());
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(error)?;
        }
        let started = Instant::now();
        loop {
            let file = File::create(&path).map_err(error)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => return Ok(Some(Self { file, path })),
                // Its holder has removed the file since it was opened.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if place.is_live() => return Ok(None),
                Err(TryLockError::WouldBlock) if started.elapsed() > PATIENCE => {
                    return Err(format!(
                        "the processes of the cluster in {} do not end",
                        place.folder().display()
                    ));
                }
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(10)),
                Err(TryLockError::Error(why)) => return Err(error(why)),
            }
        }
    }

    /// Lets the processes that this one starts hold the claim as well.
    pub(super) fn pass_on(&self) -> Result<()> {
        fcntl_setfd(&self.file, FdFlags::empty())
            .map_err(|error| format!("cannot pass on {}: {error}", self.path.display()))
    }

    /// Ends the claim, after the folder was removed or left to its user.
    pub(super) fn release(self) {
        remove(&self.path);
    }
}

/// Removes the lock of a folder whose keeper was killed. The caller removes the folder before.
pub(super) fn release_of(place: &ClusterFolder) {
    remove(&beside(place.folder()));
}

fn remove(path: &Path) {
    // A lock that stays is empty, and is taken by the next start.
    let _ = fs::remove_file(path);
}

/// Returns the path of the lock of a folder.
fn beside(folder: &Path) -> PathBuf {
    let mut name = OsString::from(folder);
    name.push(SUFFIX);
    name.into()
}

/// Returns whether the path still leads to the open file.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(there)) = (file.metadata(), fs::metadata(path)) else {
        return false;
    };
    (open.dev(), open.ino()) == (there.dev(), there.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_a_keeper_cannot_be_claimed() {
        let folder = std::env::temp_dir().join(format!("xtask-claim-{}", std::process::id()));
        let place = ClusterFolder::at(folder);
        let claim = Claim::take(&place).expect("no error").expect("free");
        place.create().expect("created");
        let keeper = place.lock().expect("locked");
        assert!(Claim::take(&place).expect("no error").is_none());
        drop(keeper);
        // Without a keeper, the next waits for the end of the claim.
        let next = thread::scope(|scope| {
            let next = scope.spawn(|| Claim::take(&place));
            place.remove().expect("removed");
            claim.release();
            next.join().expect("no panic")
        });
        let next = next.expect("no error").expect("free");
        let path = next.path.clone();
        assert!(is_at(&next.file, &path));
        next.release();
        assert!(!path.exists());
    }
}
