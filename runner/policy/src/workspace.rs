//! The scopes of the workspace's files.

mod link;

use crate::Capability;
use crate::call::Call;
use crate::field::{Absent, Field, Holds};
use crate::limits::{Limits, join};
use crate::pattern::{Kind, Pattern};

pub(crate) use link::BELOW;
pub use link::Link;

/// The actions of a call: `read`, and `keyFacts`, which tells what keys are in a file and shows
/// manifests without them, but never a file's bytes.
pub const ACTIONS: &[&str] = &[READ, KEY_FACTS];
/// The only action of a scope that names none.
const READ: &str = "read";
const KEY_FACTS: &str = "keyFacts";

pub(crate) const FIELDS: &[Field] = &[
    Field {
        name: "read",
        holds: Holds::Patterns(Kind::Path),
        absent: Absent::Required,
    },
    Field {
        name: "actions",
        holds: Holds::Words(ACTIONS),
        absent: Absent::Only(READ),
    },
];

/// A read of one file or folder.
#[derive(Debug, Clone, Copy)]
pub struct WorkspaceCall<'a> {
    /// The path, relative to the workspace.
    pub path: &'a str,
}

/// A search for keys in one file.
#[derive(Debug, Clone, Copy)]
pub struct KeyFactsCall<'a> {
    /// The path, relative to the workspace.
    pub path: &'a str,
}

impl Call for KeyFactsCall<'_> {
    fn capability(&self) -> Capability {
        Capability::Workspace
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![("read", self.path), ("actions", KEY_FACTS)]
    }

    fn describe(&self) -> String {
        format!("search {} for keys", self.path)
    }
}

impl Call for WorkspaceCall<'_> {
    fn capability(&self) -> Capability {
        Capability::Workspace
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![("read", self.path), ("actions", READ)]
    }

    fn describe(&self) -> String {
        format!("read {}", self.path)
    }
}

/// A read of a folder with everything in it.
#[derive(Debug, Clone, Copy)]
pub struct WholeFolderCall<'a> {
    /// The folder's path, relative to the workspace; `.` is the workspace itself.
    pub folder: &'a str,
}

impl Call for WholeFolderCall<'_> {
    fn capability(&self) -> Capability {
        Capability::Workspace
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![("read", self.folder), ("actions", READ)]
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

pub(crate) fn explain(limits: &Limits) -> String {
    explain_links(limits, &[])
}

/// Describes the scope in words, each link as `NAME → WHERE`.
pub(crate) fn explain_links(limits: &Limits, links: &[Link]) -> String {
    let Some(patterns) = limits.patterns("read") else {
        return format!("{} any file of the workspace", doing(limits));
    };
    let is_target = |name: &str| links.iter().any(|link| link.to == name);
    let shown: Vec<String> = patterns
        .iter()
        .map(Pattern::as_str)
        .filter(|name| !is_target(name))
        .map(|name| match links.iter().find(|link| link.from == name) {
            Some(link) => format!("{name} → {}", link.to),
            None => name.to_owned(),
        })
        .collect();
    format!("{} {}", doing(limits), join(&shown))
}

/// Describes the actions.
fn doing(limits: &Limits) -> &'static str {
    let may = |action: &str| {
        let actions = limits.patterns("actions");
        actions.is_none_or(|all| all.iter().any(|one| one.matches(action)))
    };
    match (may(READ), may(KEY_FACTS)) {
        (true, true) => "read and search for keys in",
        (false, true) => "only search for keys in",
        _ => "read",
    }
}
