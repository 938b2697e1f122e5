//! The scopes of reads from IAM.

use crate::Capability;
use crate::call::Call;
use crate::field::{Absent, Field, Holds};
use crate::limits::Limits;
use crate::pattern::Kind;

/// The actions of a call.
pub const ACTIONS: &[&str] = &["get", "list", "getPolicy", "listKeys"];

pub(crate) const FIELDS: &[Field] = &[
    Field {
        name: "project",
        holds: Holds::Patterns(Kind::Name),
        absent: Absent::Any,
    },
    Field {
        name: "resource",
        holds: Holds::Patterns(Kind::Name),
        absent: Absent::Any,
    },
    Field {
        name: "actions",
        holds: Holds::Words(ACTIONS),
        absent: Absent::Any,
    },
];

/// A read of an account, a policy, a pool or a provider.
#[derive(Debug, Clone, Copy)]
pub struct IamCall<'a> {
    /// The project of the resource, if it has one.
    pub project: Option<&'a str>,
    /// The full resource name, if the call has one: `projects/P/serviceAccounts/E`, `buckets/B`.
    pub resource: Option<&'a str>,
    /// One of the actions.
    pub action: &'a str,
}

impl Call for IamCall<'_> {
    fn capability(&self) -> Capability {
        Capability::Iam
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        // A call without one of these is outside each scope that limits it.
        vec![
            ("project", self.project.unwrap_or_default()),
            ("resource", self.resource.unwrap_or_default()),
            ("actions", self.action),
        ]
    }

    fn describe(&self) -> String {
        {
            let what = self.resource.or(self.project).unwrap_or("IAM");
            format!("{} {what}", self.action)
        }
    }
}

pub(crate) fn explain(limits: &Limits) -> String {
    let what = match (limits.words("resource"), limits.words("project")) {
        (Some(resource), Some(project)) => format!("{resource} in project {project}"),
        (Some(resource), None) => resource,
        (None, Some(project)) => format!("project {project}"),
        (None, None) => "any project".to_owned(),
    };
    let actions = limits.words("actions").unwrap_or_else(|| "read".to_owned());
    format!("{actions} IAM of {what}")
}
