//! From the text that a plugin gives to a place in the workspace.

use std::io;
use std::path::{Path, PathBuf};

use sidestep_context::RelPath;
use sidestep_events::{Class, Failure, Owner};
use sidestep_policy::workspace::Request;

use super::Workspace;
use crate::Gate;

/// The workspace itself, as a path.
pub(super) const ROOT: &str = ".";

/// The path without `.`, doubled separators and `..`. One that leaves the workspace is refused.
pub(super) fn clean(path: &str) -> Result<String, Failure> {
    if let Some(clean) = RelPath::clean(Path::new(path)) {
        return Ok(clean.to_str_lossy().into_owned());
    }
    let inside = !path.starts_with('/')
        && path
            .split('/')
            .try_fold(0_u32, |depth, part| match part {
                "" | "." => Some(depth),
                ".." => depth.checked_sub(1),
                _ => depth.checked_add(1),
            })
            .is_some();
    if inside && !path.contains('\0') {
        return Ok(ROOT.to_owned());
    }
    Err(outside(path))
}

impl Workspace {
    /// The real place of an existing path: links resolved, still inside, still within the step's
    /// scope, and not hidden.
    pub(super) fn resolve(&self, gate: &Gate, path: &str) -> Result<PathBuf, Failure> {
        let real = self
            .0
            .folder
            .canonicalize(path)
            .map_err(|error| failure("read", path, &error))?;
        self.admit(gate, path, real)
    }

    /// Like [`resolve`](Self::resolve), for the entry itself where that is a link.
    pub(super) fn resolve_entry(&self, gate: &Gate, path: &str) -> Result<PathBuf, Failure> {
        let (folder, name) = match path.rsplit_once('/') {
            Some((folder, name)) => (folder, name),
            None => (ROOT, path),
        };
        if name == ROOT {
            return Ok(PathBuf::from(ROOT));
        }
        let folder = self
            .0
            .folder
            .canonicalize(folder)
            .map_err(|error| failure("read", path, &error))?;
        let real = if folder == Path::new(ROOT) {
            PathBuf::from(name)
        } else {
            folder.join(name)
        };
        self.admit(gate, path, real)
    }

    /// Whether nobody but the runner may see it.
    pub(super) fn is_hidden(&self, path: &Path) -> bool {
        self.0.hidden.iter().any(|hidden| path.starts_with(hidden))
    }

    fn admit(&self, gate: &Gate, path: &str, real: PathBuf) -> Result<PathBuf, Failure> {
        if self.is_hidden(&real) {
            return Err(not_found(path));
        }
        if real != Path::new(path) {
            // A link inside the scope must not lead to a file outside of it.
            let real = real.to_str().ok_or_else(|| outside(path))?;
            gate.permits(&Request { path: real })?;
        }
        Ok(real)
    }
}

fn outside(path: &str) -> Failure {
    Failure::new(
        Class::Refused,
        "workspace.outside",
        Owner::Author,
        format!("`{path}` leaves the workspace"),
    )
    .with_help("paths are relative to the workspace, and symbolic links must stay within it")
}

fn not_found(path: &str) -> Failure {
    Failure::new(
        Class::NotFound,
        "workspace.not-found",
        Owner::Author,
        format!("there is no `{path}` in the workspace"),
    )
}

/// What an error of the file system means for a plugin.
pub(super) fn failure(action: &str, path: &str, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => not_found(path),
        // The sandboxed open says so without an error of the operating system.
        io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => outside(path),
        _ => Failure::new(
            Class::Failed,
            "workspace.io",
            Owner::Operator,
            format!("can't {action} `{path}`: {error}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_or_refused() {
        for (path, cleaned) in [
            ("a/b", "a/b"),
            ("./a//b/", "a/b"),
            ("a/../b", "b"),
            (".", "."),
            ("", "."),
            ("./", "."),
            ("a/..", "."),
        ] {
            assert_eq!(clean(path).expect(path), cleaned);
        }
        for path in ["..", "../a", "a/../../b", "/etc/passwd", "/", "a\0b"] {
            assert_eq!(clean(path).expect_err(path).code, "workspace.outside");
        }
    }
}
