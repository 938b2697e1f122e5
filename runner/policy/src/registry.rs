//! Images in registries.

use crate::capability::Capability;
use crate::field::{Absent, Field, Holds};
use crate::pattern::Kind;
use crate::scope::{Call, Scope};

/// What a call may do.
pub const ACTIONS: &[&str] = &["resolve", "manifest", "config", "putIndex", "testPush"];

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

/// A call about one repository.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The repository with its host, without tag and digest.
    pub repository: &'a str,
    /// One of the actions.
    pub action: &'a str,
}

impl Call for Request<'_> {
    fn capability(&self) -> Capability {
        Capability::Registry
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![("repository", self.repository), ("actions", self.action)]
    }

    fn describe(&self) -> String {
        format!("{} {}", self.action, self.repository)
    }
}

pub(crate) fn explain(scope: &Scope) -> String {
    crate::words::lookup(scope, "repository", "images of")
}
