//! Resolves a path by following every link on it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use rustix::io::Errno;

use crate::{Folder, OpenError};

/// The maximum number of links on one path; the same as on Linux.
const MAX_LINKS: u32 = 40;

/// The target of a path, beneath its folder and without links.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) path: PathBuf,
    /// The error of reading the target's metadata, for example because it is missing. The path is
    /// known even then, so that it can be judged before the error is reported.
    pub(crate) trouble: Option<OpenError>,
}

/// A part of a path.
enum Part {
    Name(OsString),
    Up,
}

/// Follows the links on a path. Does not read anything above the folder.
pub(crate) fn resolve(folder: &Folder, path: &Path) -> Result<Resolved, OpenError> {
    let mut rest = VecDeque::new();
    let mut real = PathBuf::new();
    let mut links = 0;
    prepend(folder, &mut rest, &mut real, path)?;
    while let Some(part) = rest.pop_front() {
        let Part::Name(name) = part else {
            if !real.pop() {
                return Err(OpenError::Outside);
            }
            continue;
        };
        real.push(name);
        match folder.link(&real) {
            Ok(target) => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(OpenError::LinkLoop);
                }
                real.pop();
                prepend(folder, &mut rest, &mut real, Path::new(&target))?;
            }
            // Not a link.
            Err(Errno::INVAL) => {}
            Err(trouble) => {
                for part in rest {
                    match part {
                        Part::Name(name) => real.push(name),
                        Part::Up if real.pop() => {}
                        Part::Up => return Err(OpenError::Outside),
                    }
                }
                // The folder was replaced by a link, so the caller resolves the path again.
                let trouble = match trouble {
                    Errno::LOOP => OpenError::Changing,
                    trouble => std::io::Error::from(trouble).into(),
                };
                return Ok(Resolved {
                    path: real,
                    trouble: Some(trouble),
                });
            }
        }
    }
    Ok(Resolved {
        path: real,
        trouble: None,
    })
}

/// Puts a path before the parts that are still to be followed. An absolute path restarts at the
/// folder, and is an error if it is not beneath it.
fn prepend(
    folder: &Folder,
    rest: &mut VecDeque<Part>,
    real: &mut PathBuf,
    path: &Path,
) -> Result<(), OpenError> {
    let path = if path.is_absolute() {
        *real = PathBuf::new();
        path.strip_prefix(folder.path())
            .map_err(|_| OpenError::Outside)?
    } else {
        path
    };
    for part in path.components().rev() {
        match part {
            Component::Normal(name) => rest.push_front(Part::Name(name.to_owned())),
            Component::ParentDir => rest.push_front(Part::Up),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Ok(())
}
