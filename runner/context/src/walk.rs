use crate::{
    Entry, Error, Kind, RelPath,
    ignore::{Ignore, Inherited},
    report::Skipped,
};
use std::{
    ffi::OsString,
    fs::{self, Metadata},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, PermissionsExt},
    },
    path::Path,
};

/// What a walk found. Files are not hashed yet.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) entries: Vec<Entry>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) ignored: u64,
}

/// A folder that is being walked.
struct Frame {
    path: Option<RelPath>,
    names: std::vec::IntoIter<OsString>,
    inherited: Inherited,
    /// Whether the folder is among the entries. One that is left out becomes an
    /// entry when something below it is taken back in.
    listed: bool,
}

/// Walks a folder in the order of [`RelPath`], without following links and
/// without recursion, so that depth costs no stack.
pub(crate) fn walk(root: &Path, ignore: &Ignore, exclude: &[RelPath]) -> Result<Found, Error> {
    let mut found = Found::default();
    let names = list(root)?;
    let mut stack = vec![Frame {
        path: None,
        names,
        inherited: Inherited::default(),
        listed: true,
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
        let decision = ignore.decide(&path, &frame.inherited)?;
        let disk = path.under(root);
        let metadata = fs::symlink_metadata(&disk).map_err(|error| vanished(&disk, error))?;
        if metadata.is_dir() {
            let closed = decision.ignored && !ignore.may_keep_below(&path, decision);
            if decision.ignored {
                found.ignored += 1;
            }
            if closed {
                continue;
            }
            let inherited = ignore.inherit(&path, &frame.inherited);
            if !decision.ignored {
                list_folders(&mut stack, &mut found);
                found.entries.push(Entry {
                    path: path.clone(),
                    kind: Kind::Folder,
                    source: 0,
                });
            }
            let names = list(&disk)?;
            stack.push(Frame {
                path: Some(path),
                names,
                inherited,
                listed: !decision.ignored,
            });
            continue;
        }
        if decision.ignored {
            found.ignored += 1;
            continue;
        }
        match kind(&disk, &metadata)? {
            Ok(kind) => {
                list_folders(&mut stack, &mut found);
                found.entries.push(Entry {
                    path,
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

fn list_folders(stack: &mut [Frame], found: &mut Found) {
    for frame in stack.iter_mut().filter(|frame| !frame.listed) {
        frame.listed = true;
        if let Some(path) = frame.path.clone() {
            found.ignored -= 1;
            found.entries.push(Entry {
                path,
                kind: Kind::Folder,
                source: 0,
            });
        }
    }
}

/// What stands at a path that is no folder; the inner error is what cannot
/// travel.
pub(crate) fn kind(disk: &Path, metadata: &Metadata) -> Result<Result<Kind, &'static str>, Error> {
    let of = metadata.file_type();
    Ok(if of.is_file() {
        let executable = metadata.permissions().mode() & 0o111 != 0;
        Ok(Kind::File {
            size: metadata.len(),
            executable,
            sha256: [0; 32],
        })
    } else if of.is_symlink() {
        let target = fs::read_link(disk).map_err(|error| vanished(disk, error))?;
        Ok(Kind::Link {
            target: target.as_os_str().as_bytes().into(),
        })
    } else if of.is_socket() {
        Err("a socket")
    } else if of.is_fifo() {
        Err("a named pipe")
    } else {
        Err("a device")
    })
}

fn list(folder: &Path) -> Result<std::vec::IntoIter<OsString>, Error> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| vanished_or("list", folder, error))? {
        names.push(entry.map_err(Error::io("list", folder))?.file_name());
    }
    names.sort_unstable();
    Ok(names.into_iter())
}

fn vanished(path: &Path, error: io::Error) -> Error {
    vanished_or("read", path, error)
}

fn vanished_or(action: &'static str, path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::Changed {
            path: path.to_owned(),
            how: "it was there and is gone".into(),
        },
        _ => Error::io(action, path)(error),
    }
}
