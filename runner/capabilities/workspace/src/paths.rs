//! Resolves the paths that plugins give to places in the workspace.

use std::path::Path;

use sidestep_context::RelPath;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_files::OpenError;

use super::Workspace;

/// The workspace itself, as a path.
pub(super) const ROOT: &str = ".";

/// Returns the path without `.`, doubled separators and `..`. A path that leaves the workspace is
/// refused.
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

/// The reason why an entry of the workspace is not opened.
pub(super) enum NotOpened {
    /// The step may not read the target of its path.
    Refused(Failure),
    /// It cannot be opened.
    Error(OpenError),
}

impl From<OpenError> for NotOpened {
    fn from(error: OpenError) -> Self {
        Self::Error(error)
    }
}

impl NotOpened {
    /// Returns the failure for a plugin that asked for `path`.
    pub(super) fn failure(self, action: &str, path: &str) -> Failure {
        match self {
            Self::Refused(failure) => failure,
            Self::Error(error) => failure(action, path, &error),
        }
    }
}

impl Workspace {
    /// Returns a check of the target of a path that the step may read by its name: the target must
    /// not be hidden, and `permits` has to allow it if a link leads elsewhere; `planned` is the
    /// target when the plan was made. It reveals nothing else about a path that the step may not
    /// read, such as whether it exists.
    pub(super) fn judge<'a>(
        &'a self,
        path: &'a str,
        planned: Option<String>,
        permits: impl Fn(&str) -> Result<(), Failure> + 'a,
    ) -> impl FnMut(&Path) -> Result<(), NotOpened> + 'a {
        move |real| {
            if self.is_hidden(real) {
                return Err(NotOpened::Refused(not_found(path)));
            }
            let name = real.to_str();
            let name = name.ok_or_else(|| NotOpened::Refused(outside(path)))?;
            let name = if name.is_empty() { ROOT } else { name };
            if name == path {
                return Ok(());
            }
            // A link inside the scope must not lead to a file outside of it.
            permits(name).map_err(|why| {
                NotOpened::Refused(not_followed(path, name, planned.as_deref(), why))
            })
        }
    }

    /// Returns whether only the runner may see it.
    pub(super) fn is_hidden(&self, path: &Path) -> bool {
        self.0.hidden.iter().any(|hidden| path.starts_with(hidden))
    }
}

fn outside(path: &str) -> Failure {
    Failure::new(
        Class::Refused,
        codes::workspace::OUTSIDE,
        Owner::Author,
        format!("`{path}` leaves the workspace"),
    )
    .with_help("paths are relative to the workspace, and symbolic links must stay within it")
}

/// Returns the refusal of a link, with the reason why a call of its target would be refused.
fn not_followed(path: &str, real: &str, planned: Option<&str>, why: Failure) -> Failure {
    if let Some(planned) = planned.filter(|planned| *planned != real) {
        let message = format!(
            "`{path}` led to `{planned}` when the run was planned, and leads to `{real}` now"
        );
        return Failure::new(
            Class::Refused,
            codes::workspace::LINK_CHANGED,
            Owner::Author,
            message,
        )
        .with_help(
            "a run reads what its plan shows: start a new run, which follows the link as it is now",
        );
    }
    let mut failure = why;
    failure.message = failure
        .message
        .rewrite(|message| format!("`{path}` is a link to `{real}`: {message}"));
    failure
}

fn not_found(path: &str) -> Failure {
    Failure::new(
        Class::NotFound,
        codes::workspace::NOT_FOUND,
        Owner::Author,
        format!("there is no `{path}` in the workspace"),
    )
    .with_help("check the path, which is relative to the workspace")
}

/// Returns the failure of an error when opening or reading.
pub(super) fn failure(action: &str, path: &str, error: &OpenError) -> Failure {
    match error {
        OpenError::NotFound => not_found(path),
        OpenError::Outside => outside(path),
        OpenError::NotAFile(what) => Failure::new(
            Class::InvalidInput,
            codes::workspace::NOT_A_FILE,
            Owner::Author,
            format!("`{path}` is not a file: it is {what}"),
        ),
        OpenError::NotAFolder => Failure::new(
            Class::InvalidInput,
            codes::context::NOT_A_FOLDER,
            Owner::Author,
            format!("`{path}` is not a folder"),
        ),
        OpenError::Changing => Failure::new(
            Class::Conflict,
            codes::workspace::CHANGING,
            Owner::Author,
            format!("can't {action} `{path}`: other processes keep replacing it"),
        ),
        OpenError::LinkLoop => Failure::new(
            Class::InvalidInput,
            codes::workspace::LINK_LOOP,
            Owner::Author,
            format!("`{path}` leads to no file: its symbolic links form a loop"),
        )
        .with_help(format!(
            "replace `{path}`, or a link that it leads through, with the file"
        )),
        OpenError::TooLarge(_) | OpenError::NotText | OpenError::Io(_) => Failure::new(
            Class::Failed,
            codes::workspace::IO,
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
