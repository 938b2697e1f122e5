//! A Google Cloud project.

use crate::capability::Capability;
use crate::field::{Absent, Field, Holds};
use crate::pattern::Kind;
use crate::scope::{Call, Scope};

/// What a call may do.
pub const ACTIONS: &[&str] = &["get", "services", "testPermissions"];

pub(crate) const FIELDS: &[Field] = &[
    Field {
        name: "project",
        holds: Holds::Patterns(Kind::Name),
        absent: Absent::Required,
    },
    Field {
        name: "actions",
        holds: Holds::Words(ACTIONS),
        absent: Absent::Any,
    },
];

/// A look at a project.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The project id or number.
    pub project: &'a str,
    /// One of the actions.
    pub action: &'a str,
}

impl Call for Request<'_> {
    fn capability(&self) -> Capability {
        Capability::Project
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![("project", self.project), ("actions", self.action)]
    }

    fn describe(&self) -> String {
        format!("{} project {}", self.action, self.project)
    }
}

pub(crate) fn explain(scope: &Scope) -> String {
    crate::words::lookup(scope, "project", "project")
}
