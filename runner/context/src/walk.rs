use crate::{
    Entry, Error, Kind, RelPath,
    ignore::{Ignore, Inherited},
    modes::BITS,
    report::Skipped,
};
use std::{ffi::OsString, io, os::unix::ffi::OsStrExt, path::Path};

use sidestep_files::{Folder, Stat, What, is_link};

/// The result of a walk. Files are not hashed yet.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    pub(crate) entries: Vec<Entry>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) ignored: u64,
}

/// A folder that is being walked.
struct Frame {
    path: Option<RelPath>,
    names: std::vec::IntoIter<OsString>,
    inherited: Inherited,
    /// Whether the folder is among the entries. An excluded one is added when something below it is
    /// re-included.
    listed: bool,
    mode: u32,
    /// The open folder, if it is the deepest: at most one is open at a time.
    open: Option<Folder>,
}

impl Frame {
    /// Returns the folder, reopened if others were walked in between.
    fn folder(&mut self, root: &Folder) -> Result<Folder, Error> {
        let folder = match self.open.take() {
            Some(open) => open,
            None => match &self.path {
                Some(path) => open(root, path)?,
                None => root.clone(),
            },
        };
        Ok(self.open.insert(folder).clone())
    }
}

/// Opens a folder that was listed. A link that replaced it is not followed.
fn open(root: &Folder, path: &RelPath) -> Result<Folder, Error> {
    let opened = root.folder_itself(&path.under(Path::new("")));
    opened.map_err(|error| {
        let disk = path.under(root.path());
        if is_link(&error) || error.kind() == io::ErrorKind::NotADirectory {
            Error::replaced(disk)
        } else {
            vanished_or("list", &disk, error)
        }
    })
}

/// Walks a folder in the order of [`RelPath`], without following links and without recursion, so
/// that depth does not use the stack.
pub(crate) fn walk(root: &Folder, ignore: &Ignore, exclude: &[RelPath]) -> Result<Walked, Error> {
    let mut found = Walked::default();
    let names = list(root)?;
    let mut stack = vec![Frame {
        path: None,
        names,
        inherited: Inherited::default(),
        listed: true,
        mode: Kind::Folder.mode(),
        open: None,
    }];
    while let Some(frame) = stack.last_mut() {
        let Some(name) = frame.names.next() else {
            stack.pop();
            continue;
        };
        let path = RelPath::child(frame.path.as_ref(), &name);
        if exclude.contains(&path) {
            found.ignored += 1;
            continue;
        }
        let (decision, inherited) = ignore.decide(&path, &frame.inherited)?;
        let ignored = decision.ignored;
        let folder = frame.folder(root)?;
        let disk = path.under(root.path());
        let stat = folder.stat_itself(Path::new(&name));
        let stat = stat.map_err(|error| vanished_or("read", &disk, error))?;
        if stat.is_folder() {
            if ignored {
                found.ignored += 1;
                if !ignore.may_reinclude_below(&path, decision) {
                    continue;
                }
            }
            frame.open = None;
            if !ignored {
                list_folders(&mut stack, &mut found);
                found.entries.push(Entry {
                    path: path.clone(),
                    kind: Kind::Folder,
                    mode: stat.mode & BITS,
                    source: 0,
                });
            }
            let below = open(root, &path)?;
            stack.push(Frame {
                names: list(&below)?,
                path: Some(path),
                inherited,
                listed: !ignored,
                mode: stat.mode & BITS,
                open: Some(below),
            });
            continue;
        }
        if ignored {
            found.ignored += 1;
            continue;
        }
        match kind(&folder, Path::new(&name), &stat)? {
            Ok(kind) => {
                list_folders(&mut stack, &mut found);
                found.entries.push(Entry {
                    path,
                    mode: mode(&kind, &stat),
                    kind,
                    source: 0,
                });
            }
            Err(what) => {
                found.skipped.push(Skipped {
                    path: path.to_str_lossy().into_owned(),
                    what,
                });
            }
        }
    }
    Ok(found)
}

fn list_folders(stack: &mut [Frame], found: &mut Walked) {
    for frame in stack.iter_mut().filter(|frame| !frame.listed) {
        frame.listed = true;
        if let Some(path) = frame.path.clone() {
            found.ignored -= 1;
            found.entries.push(Entry {
                path,
                kind: Kind::Folder,
                mode: frame.mode,
                source: 0,
            });
        }
    }
}

/// Returns the mode on disk; for a link the usual one, since it has none of its own.
pub(crate) fn mode(kind: &Kind, stat: &Stat) -> u32 {
    match kind {
        Kind::Link { .. } => kind.mode(),
        Kind::Folder | Kind::File { .. } => stat.mode & BITS,
    }
}

/// Returns the kind of an entry that is not a folder; the inner error is an entry that cannot be in
/// a context.
pub(crate) fn kind(
    folder: &Folder,
    name: &Path,
    stat: &Stat,
) -> Result<Result<Kind, &'static str>, Error> {
    Ok(match stat.kind {
        sidestep_files::Kind::File => Ok(Kind::File {
            size: stat.size,
            executable: stat.mode & 0o111 != 0,
            sha256: [0; 32],
        }),
        sidestep_files::Kind::Other(What::Link) => {
            let target = folder.link_itself(name);
            let target =
                target.map_err(|error| vanished_or("read", &folder.path().join(name), error))?;
            Ok(Kind::Link {
                target: target.as_bytes().into(),
            })
        }
        sidestep_files::Kind::Other(What::Socket) => Err("a socket"),
        sidestep_files::Kind::Other(What::Pipe) => Err("a named pipe"),
        sidestep_files::Kind::Other(What::Device | What::Folder) => Err("a device"),
    })
}

fn list(folder: &Folder) -> Result<std::vec::IntoIter<OsString>, Error> {
    let names = folder.names();
    let mut names = names.map_err(|error| vanished_or("list", folder.path(), error))?;
    names.sort_unstable();
    Ok(names.into_iter())
}

fn vanished_or(action: &'static str, path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::gone(path),
        _ => Error::io(action, path)(error),
    }
}
