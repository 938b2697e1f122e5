//! Artifact Registry's own API.

use crate::capability::Capability;
use crate::field::{Absent, Field, Holds};
use crate::pattern::Kind;
use crate::scope::{Call, Scope};

/// What a call may do.
pub const ACTIONS: &[&str] = &["get", "testPermissions"];

pub(crate) const FIELDS: &[Field] = &[
    Field {
        name: "repository",
        holds: Holds::Patterns(Kind::Image),
        absent: Absent::Required,
    },
    Field {
        name: "actions",
        holds: Holds::Words(ACTIONS),
        absent: Absent::Any,
    },
];

/// A look at a repository.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `HOST/PROJECT/REPOSITORY`, or the resource name `projects/P/locations/L/repositories/R`.
    pub repository: &'a str,
    /// One of the actions.
    pub action: &'a str,
}

impl Call for Request<'_> {
    fn capability(&self) -> Capability {
        Capability::ArtifactRegistry
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![("repository", self.repository), ("actions", self.action)]
    }

    fn describe(&self) -> String {
        format!("{} repository {}", self.action, self.repository)
    }
}

pub(crate) fn explain(scope: &Scope) -> String {
    crate::words::lookup(scope, "repository", "repository")
}
