//! Files of the workspace.

use crate::capability::Capability;
use crate::field::{Absent, Field, Holds};
use crate::pattern::Kind;
use crate::scope::{Call, Scope};

pub(crate) const FIELDS: &[Field] = &[Field {
    name: "read",
    holds: Holds::Patterns(Kind::Path),
    absent: Absent::Required,
}];

/// A read of one file or folder.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The path, relative to the workspace.
    pub path: &'a str,
}

impl Call for Request<'_> {
    fn capability(&self) -> Capability {
        Capability::Workspace
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![("read", self.path)]
    }

    fn describe(&self) -> String {
        format!("read {}", self.path)
    }
}

/// A read of everything that a folder holds, whatever that is.
#[derive(Debug, Clone, Copy)]
pub struct Whole<'a> {
    /// The folder's path, relative to the workspace; `.` is the workspace.
    pub folder: &'a str,
}

impl Call for Whole<'_> {
    fn capability(&self) -> Capability {
        Capability::Workspace
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![("read", self.folder)]
    }

    fn is_whole(&self) -> bool {
        true
    }

    fn describe(&self) -> String {
        match self.folder {
            "." => "read **, the whole workspace".to_owned(),
            folder => format!("read {folder}/**, the whole folder"),
        }
    }
}

pub(crate) fn explain(scope: &Scope) -> String {
    format!(
        "read {}",
        scope
            .words("read")
            .unwrap_or_else(|| "any file of the workspace".to_owned())
    )
}
