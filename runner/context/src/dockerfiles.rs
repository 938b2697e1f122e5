//! The Dockerfiles that an archive has beside the context, and the resulting layout.
//!
//! kaniko filters a context again when it has unpacked it, by `DOCKERFILE.dockerignore` beside the
//! Dockerfile or else by the context's `.dockerignore`. Its matcher differs from Docker's
//! (`Matches` of moby/patternmatcher, deprecated), so it drops files that belong to the context. An
//! empty ignore file beside the Dockerfile leaves the context as it was packed, and outside of the
//! context's folder neither of the two is copied into an image.

use crate::{
    Entry, Error, Kind, RelPath, content,
    ignore::{Explanation, Ignore, Reason},
};
use sha2::{Digest as _, Sha256};
use sidestep_files::{Folder, OpenError, is_link};
use std::{collections::BTreeMap, fmt, os::unix::ffi::OsStrExt};

/// The folder of the context in an archive: kaniko's `--context-sub-path`.
pub const CONTEXT: &str = "context";
/// The folder of the Dockerfiles in an archive. For each Dockerfile `P` of the context it has a
/// folder `P` with a `Dockerfile` and an empty ignore file. It is a separate folder, so that names
/// cannot collide.
pub const DOCKERFILES: &str = "dockerfiles";

/// The Dockerfiles of a context, in order.
#[derive(Debug, Default)]
pub(crate) struct Dockerfiles(BTreeMap<RelPath, Stands>);

/// The form of a Dockerfile beside the context.
#[derive(Debug)]
pub(crate) enum Stands {
    /// A link to the context's own file.
    Linked,
    /// A copy, since the context has no such file: the ignore rules exclude it, or a link points to
    /// it.
    Copied {
        /// The size in bytes.
        size: u64,
        /// SHA-256 of the content.
        sha256: [u8; 32],
    },
}

impl Stands {
    /// Returns whether the context's own entries do not determine this Dockerfile.
    pub(crate) fn is_beyond_the_entries(&self, path: &RelPath) -> bool {
        matches!(self, Self::Copied { .. }) || !is_called_like_one(path)
    }
}

impl Dockerfiles {
    /// Finds the named Dockerfile, and each file of the context with a usual Dockerfile name, so
    /// that one archive serves builds of several. The named one need not exist.
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
                // It was not named by the caller, so it must not include files that the ignore
                // rules exclude. And the target of an overlay's link is not looked up in the
                // folder.
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

    /// Returns the Dockerfiles that the context's own entries do not determine.
    pub(crate) fn beyond_the_entries(&self) -> impl Iterator<Item = (&RelPath, &Stands)> {
        let all = self.0.iter();
        all.filter(|(path, stands)| stands.is_beyond_the_entries(path))
    }

    /// Returns the entries of the archive's folder of Dockerfiles, a folder before its content; for
    /// each copy, with the path in the context from which its content is read.
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

/// The reason why an archive does not have a Dockerfile that is in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSent {
    /// The ignore rules exclude the file or its link target.
    Ignored(Explanation),
    /// The file does not have a Dockerfile name.
    OtherName,
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let explanation = match self {
            Self::Ignored(explanation) => explanation,
            Self::OtherName => {
                return f.write_str("its name does not contain `dockerfile` or `containerfile`");
            }
        };
        match &explanation.reason {
            Reason::Line {
                line: 0, pattern, ..
            } => {
                write!(f, "the ignore pattern `{pattern}` excludes it")
            }
            Reason::Line {
                file,
                line,
                pattern,
            } => {
                write!(f, "`{pattern}` in line {line} of {file} excludes it")
            }
            _ => write!(f, "{explanation}"),
        }
    }
}

/// Returns why the archive of a context, packed for the Dockerfile `named` with the further ignore
/// patterns `more`, has no Dockerfile `asked`. `None` if it has it, or if the folder does not have
/// it either.
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

/// Returns whether a file has a usual Dockerfile name: `Dockerfile`, `app.Dockerfile`,
/// `Dockerfile.test`, `Containerfile`.
fn is_called_like_one(path: &RelPath) -> bool {
    let bytes = path.as_bytes().to_ascii_lowercase();
    let name = bytes.rsplit(|&byte| byte == b'/').next().unwrap_or(&bytes);
    let holds = |part: &[u8]| name.windows(part.len()).any(|window| window == part);
    (holds(b"dockerfile") || holds(b"containerfile")) && !name.ends_with(b".dockerignore")
}

/// Returns the file at a path of the context's folder, hashed. `None` if there is no file to copy,
/// or if links point to one that is not admitted.
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
    let mut buffer = vec![0; content::BUFFER];
    let sha256 = content::read_open(file, &disk, size, &mut buffer, |_| Ok(()))?;
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
