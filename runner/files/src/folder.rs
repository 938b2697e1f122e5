mod create;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, OFlags, fstat, readlinkat, statat};
use rustix::io::Errno;

use crate::resolve::resolve;
use crate::without_links::{self, For};
use crate::{Kind, OpenError, Stat, What, read, text};

/// The maximum number of attempts to resolve a path whose target is being replaced.
const TRIES: usize = 100;

/// An open folder that confines paths from untrusted sources.
///
/// No path leaves it: not by `..`, not by a link, and not by a link that replaces an entry after it
/// was judged.
#[derive(Debug, Clone)]
pub struct Folder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    folder: OwnedFd,
}

impl Folder {
    /// Opens a folder that the runner itself, the operator or the command line names.
    pub fn open(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(&path, flags, rustix::fs::Mode::empty())?;
        Ok(Self::of(path, folder))
    }

    fn of(path: PathBuf, folder: OwnedFd) -> Self {
        Self(Arc::new(Inner { path, folder }))
    }

    /// Returns the path it had when it was opened: absolute and without links.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Opens a regular file. Links are followed as long as they stay beneath the folder.
    ///
    /// `judge` is called with the target of the links, relative to the folder, before any error
    /// reveals whether it exists. A target that it admits is opened without following links.
    pub fn file<E: From<OpenError>>(
        &self,
        path: &Path,
        judge: impl FnMut(&Path) -> Result<(), E>,
    ) -> Result<File, E> {
        self.judged(path, judge, |real| self.file_itself(real))
    }

    /// Opens a folder beneath this one, as [`file`](Self::file) does; also returns its path
    /// relative to this one.
    pub fn folder<E: From<OpenError>>(
        &self,
        path: &Path,
        judge: impl FnMut(&Path) -> Result<(), E>,
    ) -> Result<(PathBuf, Self), E> {
        self.judged(path, judge, |real| {
            let folder = self.folder_itself(real).map_err(|error| {
                let stat = self.stat_itself(real);
                match stat {
                    Ok(stat) if !stat.is_folder() && !stat.is_link() => OpenError::NotAFolder,
                    _ => error.into(),
                }
            })?;
            Ok((real.to_owned(), folder))
        })
    }

    /// Reads the metadata of an entry. Links on the way are followed, but not the entry itself.
    /// Also returns the target of a link, as written. `judge` is called as by [`file`](Self::file).
    pub fn entry<E: From<OpenError>>(
        &self,
        path: &Path,
        mut judge: impl FnMut(&Path) -> Result<(), E>,
    ) -> Result<(PathBuf, Stat, Option<OsString>), E> {
        let Some(name) = path.file_name() else {
            return self.judged(path, judge, |real| {
                Ok((real.to_owned(), self.stat_itself(real)?, None))
            });
        };
        let above = path.parent().unwrap_or(Path::new(""));
        let found = self.judged(
            above,
            |above| judge(&above.join(name)),
            |above| {
                let real = above.join(name);
                let stat = match self.stat_itself(&real) {
                    // The folders on the way exist, so a retry would not find the entry.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    stat => stat?,
                };
                let target = stat
                    .is_link()
                    .then(|| self.link_itself(&real))
                    .transpose()?;
                Ok(Some((real, stat, target)))
            },
        )?;
        found.ok_or_else(|| OpenError::NotFound.into())
    }

    /// Returns the target of a path, with every link followed: an existing path of this folder.
    pub fn real(&self, path: &Path) -> Result<PathBuf, OpenError> {
        let resolved = resolve(self, path)?;
        resolved.trouble.map_or(Ok(resolved.path), Err)
    }

    /// Reads a regular file beneath the folder, of at most `limit` bytes.
    pub fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, OpenError> {
        read(self.file(path, |_| Ok::<_, OpenError>(()))?, limit)
    }

    /// Reads a regular file of at most `limit` bytes as text.
    pub fn read_text(&self, path: &Path, limit: u64) -> Result<String, OpenError> {
        text(self.read(path, limit)?)
    }

    /// Opens a regular file without following links; a link on the path is an error.
    pub fn file_itself(&self, path: &Path) -> Result<File, OpenError> {
        match self.without_links(path, For::Reading) {
            Ok(opened) => regular(File::from(opened)),
            // Sockets cannot be opened by name.
            Err(Errno::NXIO) => Err(OpenError::NotAFile(What::Socket)),
            Err(errno) => Err(io::Error::from(errno).into()),
        }
    }

    /// Opens a folder without following links; a link on the path is an error.
    pub fn folder_itself(&self, path: &Path) -> io::Result<Self> {
        let folder = self.without_links(path, For::Listing)?;
        Ok(Self::of(self.0.path.join(path), folder))
    }

    /// Reads an entry's metadata without following links; a link on the way is an error.
    pub fn stat_itself(&self, path: &Path) -> io::Result<Stat> {
        let (above, name) = self.above(path)?;
        let at = above.as_ref().map_or(self.0.folder.as_fd(), OwnedFd::as_fd);
        Ok(Stat::of(&statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// Returns the target of a link, as written; another link on the way is an error.
    pub fn link_itself(&self, path: &Path) -> io::Result<OsString> {
        Ok(self.link(path)?)
    }

    /// Returns the names in this folder, in arbitrary order.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0.folder)? {
            let name = entry?.file_name().to_bytes().to_owned();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name));
            }
        }
        Ok(names)
    }

    /// Resolves, judges, and opens the judged path; retries if it was replaced in between.
    fn judged<T, E: From<OpenError>>(
        &self,
        path: &Path,
        mut judge: impl FnMut(&Path) -> Result<(), E>,
        mut open: impl FnMut(&Path) -> Result<T, OpenError>,
    ) -> Result<T, E> {
        for _ in 0..TRIES {
            let resolved = resolve(self, path)?;
            judge(&resolved.path)?;
            match resolved.trouble {
                None => {}
                Some(OpenError::Changing) => continue,
                Some(trouble) => return Err(trouble.into()),
            }
            match open(&resolved.path) {
                Ok(opened) => return Ok(opened),
                Err(error) if was_replaced(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(OpenError::Changing.into())
    }

    /// Returns the target of a link, as written.
    pub(crate) fn link(&self, path: &Path) -> rustix::io::Result<OsString> {
        let (above, name) = self.above(path)?;
        let at = above.as_ref().map_or(self.0.folder.as_fd(), OwnedFd::as_fd);
        let target = readlinkat(at, name, Vec::new())?;
        Ok(OsString::from_vec(target.into_bytes()))
    }

    /// Returns the folder that holds a path's last part, unless it is this one, and that part.
    fn above<'p>(&self, path: &'p Path) -> rustix::io::Result<(Option<OwnedFd>, &'p OsStr)> {
        let name = path.file_name().unwrap_or(OsStr::new("."));
        let above = match path.parent() {
            Some(above) if !above.as_os_str().is_empty() => {
                Some(self.without_links(above, For::Passing)?)
            }
            _ => None,
        };
        Ok((above, name))
    }

    fn without_links(&self, path: &Path, wanted: For) -> rustix::io::Result<OwnedFd> {
        without_links::open(self.0.folder.as_fd(), path, wanted)
    }
}

/// Returns whether the resolved entry was replaced or removed.
fn was_replaced(error: &OpenError) -> bool {
    match error {
        OpenError::NotFound => true,
        OpenError::Io(error) => is_link(error) || Errno::from_io_error(error) == Some(Errno::AGAIN),
        _ => false,
    }
}

/// Returns whether a path was not opened because it has a link.
pub fn is_link(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::LOOP)
}

/// Returns the file if it is a regular one. The handle is checked, because the name may have
/// another target by now.
fn regular(file: File) -> Result<File, OpenError> {
    match Stat::of(&fstat(&file).map_err(io::Error::from)?).kind {
        Kind::File => Ok(file),
        Kind::Other(what) => Err(OpenError::NotAFile(what)),
    }
}

#[cfg(test)]
mod tests;
