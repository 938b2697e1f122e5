//! GKE's own API.

use crate::capability::Capability;
use crate::field::{Absent, Field, Holds};
use crate::pattern::Kind;
use crate::scope::{Call, Scope};

/// What a call may do.
pub const ACTIONS: &[&str] = &["get", "listNodePools"];

pub(crate) const FIELDS: &[Field] = &[
    Field {
        name: "cluster",
        holds: Holds::Patterns(Kind::Name),
        absent: Absent::Required,
    },
    Field {
        name: "actions",
        holds: Holds::Words(ACTIONS),
        absent: Absent::Any,
    },
];

/// A look at a cluster or its node pools.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The cluster, as the pipeline names it.
    pub cluster: &'a str,
    /// One of the actions.
    pub action: &'a str,
}

impl Call for Request<'_> {
    fn capability(&self) -> Capability {
        Capability::Gke
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![("cluster", self.cluster), ("actions", self.action)]
    }

    fn describe(&self) -> String {
        format!("{} cluster {}", self.action, self.cluster)
    }
}

pub(crate) fn explain(scope: &Scope) -> String {
    crate::words::lookup(scope, "cluster", "GKE cluster")
}
