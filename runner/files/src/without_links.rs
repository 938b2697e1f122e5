//! Opens a path without following links.

use std::ffi::OsStr;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::{Errno, Result};

/// The purpose of opening a path.
#[derive(Debug, Clone, Copy)]
pub(crate) enum For {
    /// Reading a file, without waiting for a pipe's writer.
    Reading,
    /// Listing a folder.
    Listing,
    /// Reading the metadata of an entry of a folder; needs no permission to list the folder.
    Passing,
}

impl For {
    fn flags(self) -> OFlags {
        let what = match self {
            Self::Reading => OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY,
            Self::Listing => OFlags::RDONLY | OFlags::DIRECTORY,
            Self::Passing => PASSING | OFlags::DIRECTORY,
        };
        what | OFlags::NOFOLLOW | OFlags::CLOEXEC
    }
}

#[cfg(target_os = "linux")]
const PASSING: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const PASSING: OFlags = OFlags::RDONLY;

/// Opens a path beneath a folder. A link anywhere on it is an error (`ELOOP` or `ENOTDIR`), and so
/// is a `..`.
pub(crate) fn open(folder: BorrowedFd<'_>, path: &Path, wanted: For) -> Result<OwnedFd> {
    let is_plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if !path.components().all(is_plain) {
        return Err(Errno::XDEV);
    }
    #[cfg(target_os = "linux")]
    match at_once(folder, path, wanted) {
        // `openat2` is missing in old kernels, and forbidden in some containers.
        Err(Errno::NOSYS | Errno::PERM) => {}
        opened => return opened,
    }
    part_by_part(folder, path, wanted)
}

#[cfg(target_os = "linux")]
fn at_once(folder: BorrowedFd<'_>, path: &Path, wanted: For) -> Result<OwnedFd> {
    use rustix::fs::{ResolveFlags, openat2};
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    openat2(folder, path, wanted.flags(), Mode::empty(), resolve)
}

fn part_by_part(folder: BorrowedFd<'_>, path: &Path, wanted: For) -> Result<OwnedFd> {
    let mut parts: Vec<_> = path.iter().filter(|part| *part != ".").collect();
    let last = parts.pop().unwrap_or(OsStr::new("."));
    let mut held: Option<OwnedFd> = None;
    for part in parts {
        let at = held.as_ref().map_or(folder, |held| held.as_fd());
        held = Some(openat(at, part, For::Passing.flags(), Mode::empty())?);
    }
    let at = held.as_ref().map_or(folder, |held| held.as_fd());
    openat(at, last, wanted.flags(), Mode::empty())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn both_ways_open_the_same_and_follow_no_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("a/b")).expect("made");
        fs::write(at("a/b/file"), "text").expect("written");
        symlink("file", at("a/b/link")).expect("made");
        symlink("a", at("linked")).expect("made");
        let open = fs::File::open(folder.path()).expect("opened");
        type Way = fn(BorrowedFd<'_>, &Path, For) -> Result<OwnedFd>;
        for (way, name) in [(super::open as Way, "open"), (part_by_part, "part by part")] {
            let opens = |path: &str, wanted| way(open.as_fd(), Path::new(path), wanted);
            opens("a/b/file", For::Reading).expect(name);
            for wanted in [For::Listing, For::Passing, For::Reading] {
                opens("a/./b", wanted).expect(name);
                opens("", wanted).expect(name);
                for path in ["a/b/link", "linked/b/file", "linked/b", "linked"] {
                    let refused = opens(path, wanted);
                    assert!(refused.is_err(), "{name}: {path} for {wanted:?}");
                }
            }
            assert!(opens("a/b/file", For::Listing).is_err(), "{name}");
        }
        for path in ["a/../a/b", "/etc", ".."] {
            let refused = super::open(open.as_fd(), Path::new(path), For::Passing);
            assert_eq!(refused.expect_err(path), Errno::XDEV);
        }
    }
}
