//! The Dockerfiles that an archive holds beside the context, and the layout that this makes.
//!
//! kaniko filters a context again when it has unpacked it, by `DOCKERFILE.dockerignore` beside the
//! Dockerfile or else by the context's `.dockerignore`, and with another matcher than Docker's
//! (`Matches` of moby/patternmatcher, deprecated), so that it drops files that belong to the
//! context. An empty ignore file beside the Dockerfile leaves the context as it was packed, and
//! outside of the context's folder neither of the two lands in an image.

use crate::{
    Entry, Error, Kind, RelPath, digest,
    ignore::{Explanation, Ignore, Reason},
};
use sha2::{Digest as _, Sha256};
use sidestep_files::{Folder, OpenError, is_link};
use std::{collections::BTreeMap, fmt, os::unix::ffi::OsStrExt};

/// The folder of an archive that holds the context: kaniko's `--context-sub-path`.
pub const CONTEXT: &str = "context";
/// The folder of an archive that holds, for each Dockerfile `P` of the context, a folder `P` with
/// a `Dockerfile` and an empty ignore file. A folder of its own, so that no two names collide.
pub const DOCKERFILES: &str = "dockerfiles";

/// The Dockerfiles of a context, in order.
#[derive(Debug, Default)]
pub(crate) struct Dockerfiles(BTreeMap<RelPath, Stands>);

/// How a Dockerfile stands beside the context.
#[derive(Debug)]
pub(crate) enum Stands {
    /// As a link to the context's own file.
    Linked,
    /// As a copy, since the context has no such file: the ignore rules leave it out, or a link
    /// leads to it.
    Copied {
        /// Bytes.
        size: u64,
        /// SHA-256 of the content.
        sha256: [u8; 32],
    },
}

impl Dockerfiles {
    /// Finds the named Dockerfile, and each file of the context that is called like one, so that
    /// one archive serves builds of several. The named one need not exist.
    pub(crate) fn find(
        root: &Folder,
        named: &RelPath,
        entries: &[Entry],
        exclude: &[RelPath],
    ) -> Result<Self, Error> {
        let mut found = BTreeMap::new();
        let shown = |real: &RelPath| !exclude.iter().any(|hidden| real.within(hidden));
        let entry = |path: &RelPath| {
            let at = entries.binary_search_by(|entry| entry.path.cmp(path));
            at.ok().map(|at| &entries[at])
        };
        let is_file = |entry: &Entry| matches!(entry.kind, Kind::File { .. });
        let in_context = |path: &RelPath| entry(path).is_some_and(is_file);
        if in_context(named) {
            found.insert(named.clone(), Stands::Linked);
        } else if entry(named).is_none_or(|entry| entry.source == 0)
            && let Some(copy) = copied(root, named, shown)?
        {
            found.insert(named.clone(), copy);
        }
        let others = entries
            .iter()
            .filter(|entry| is_called_like_one(&entry.path));
        for entry in others.filter(|entry| entry.path != *named) {
            match entry.kind {
                Kind::File { .. } => {
                    found.insert(entry.path.clone(), Stands::Linked);
                }
                // Nobody named it, so it must not bring what ignore rules leave out. And what a
                // link of an overlay leads to is not looked for in the folder.
                Kind::Link { .. } if entry.source == 0 => {
                    if let Some(copy) = copied(root, &entry.path, in_context)? {
                        found.insert(entry.path.clone(), copy);
                    }
                }
                Kind::Link { .. } | Kind::Folder => {}
            }
        }
        Ok(Self(found))
    }

    /// What of them the context's own entries do not decide.
    pub(crate) fn beyond_the_entries(&self) -> impl Iterator<Item = (&RelPath, &Stands)> {
        let all = self.0.iter();
        all.filter(|(path, stands)| {
            matches!(stands, Stands::Copied { .. }) || !is_called_like_one(path)
        })
    }

    /// The entries of the archive's folder of Dockerfiles, a folder before its content; with each
    /// copy, the path in the context that its content is read from.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (RelPath, Kind, Option<&RelPath>)> {
        let mut all: BTreeMap<RelPath, (Kind, Option<&RelPath>)> = BTreeMap::new();
        let top = RelPath::new(DOCKERFILES).expect("a good path");
        for (path, stands) in &self.0 {
            let folder = top.join(path);
            for above in folder.ancestors().chain([folder.clone()]) {
                all.insert(above, (Kind::Folder, None));
            }
            let file = folder.join(&RelPath::new("Dockerfile").expect("a good path"));
            let ignore =
                folder.join(&RelPath::new("Dockerfile.dockerignore").expect("a good path"));
            let (kind, from) = match stands {
                Stands::Linked => {
                    let up = b"../".repeat(folder.ancestors().count() + 1);
                    let target = [&up[..], CONTEXT.as_bytes(), b"/", path.as_bytes()].concat();
                    let target = target.into();
                    (Kind::Link { target }, None)
                }
                Stands::Copied { size, sha256 } => {
                    let kind = Kind::File {
                        size: *size,
                        executable: false,
                        sha256: *sha256,
                    };
                    (kind, Some(path))
                }
            };
            all.insert(file, (kind, from));
            all.insert(ignore, (empty_file(), None));
        }
        all.into_iter()
            .map(|(path, (kind, from))| (path, kind, from))
    }
}

fn empty_file() -> Kind {
    Kind::File {
        size: 0,
        executable: false,
        sha256: Sha256::digest(b"").into(),
    }
}

/// Why an archive holds no Dockerfile of a name, although the folder has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSent {
    /// The ignore rules leave it out, or what it leads to.
    Ignored(Explanation),
    /// It is not called like a Dockerfile.
    OtherName,
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let explanation = match self {
            Self::Ignored(explanation) => explanation,
            Self::OtherName => {
                return f.write_str("its name does not hold `dockerfile` or `containerfile`");
            }
        };
        match &explanation.reason {
            Reason::Line {
                line: 0, pattern, ..
            } => {
                write!(f, "the ignore pattern `{pattern}` leaves it out")
            }
            Reason::Line {
                file,
                line,
                pattern,
            } => {
                write!(f, "`{pattern}` in line {line} of {file} leaves it out")
            }
            _ => write!(f, "{explanation}"),
        }
    }
}

/// Returns why the archive of a context, packed for the Dockerfile `named` with the further ignore
/// patterns `more`, has no Dockerfile `asked`. `None` where it has it, or the folder lacks it too.
pub fn not_sent(
    root: &Folder,
    (named, asked): (&RelPath, &RelPath),
    more: &[String],
) -> Result<Option<NotSent>, Error> {
    let Ok(real) = root.real(asked.as_path()) else {
        return Ok(None);
    };
    if named == asked {
        return Ok(None);
    }
    let ignore = Ignore::load_in(root, named, more)?;
    for path in [Some(asked.clone()), RelPath::clean(&real)]
        .iter()
        .flatten()
    {
        let explanation = ignore.explain(path)?;
        if explanation.ignored {
            return Ok(Some(NotSent::Ignored(explanation)));
        }
    }
    Ok((!is_called_like_one(asked)).then_some(NotSent::OtherName))
}

/// Whether a file's name is one that people give to Dockerfiles: `Dockerfile`, `app.Dockerfile`,
/// `Dockerfile.test`, `Containerfile`.
fn is_called_like_one(path: &RelPath) -> bool {
    let bytes = path.as_bytes().to_ascii_lowercase();
    let name = bytes.rsplit(|&byte| byte == b'/').next().unwrap_or(&bytes);
    let holds = |part: &[u8]| name.windows(part.len()).any(|window| window == part);
    (holds(b"dockerfile") || holds(b"containerfile")) && !name.ends_with(b".dockerignore")
}

/// The file at a path of the context's folder, hashed. `None` where there is none to copy, or
/// where links lead to one that is not admitted.
fn copied(
    root: &Folder,
    path: &RelPath,
    admits: impl Fn(&RelPath) -> bool,
) -> Result<Option<Stands>, Error> {
    let opened = root.file(path.as_path(), |real| {
        let real = RelPath::new(real.as_os_str().as_bytes());
        if real.is_some_and(|real| admits(&real)) {
            Ok(())
        } else {
            Err(OpenError::NotFound)
        }
    });
    let disk = path.under(root.path());
    let file = match opened {
        Ok(file) => file,
        Err(OpenError::Io(error)) if !is_link(&error) => {
            return Err(Error::io("open", disk)(error));
        }
        Err(_) => return Ok(None),
    };
    let size = file.metadata().map_err(Error::io("read", &disk))?.len();
    let mut buffer = vec![0; digest::BUFFER];
    let sha256 = digest::read_open(file, &disk, size, &mut buffer, |_| Ok(()))?;
    Ok(Some(Stands::Copied { size, sha256 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_people_call_like_dockerfiles_are_found() {
        let is = |path: &str| is_called_like_one(&RelPath::new(path).unwrap());
        for path in [
            "Dockerfile",
            "a/app.Dockerfile",
            "dockerfile-dev",
            "x/Containerfile",
        ] {
            assert!(is(path), "{path}");
        }
        for path in [
            "Dockerfile.dockerignore",
            "dockerfile/main.rs",
            "docker",
            "Makefile",
        ] {
            assert!(!is(path), "{path}");
        }
    }
}
