//! The scopes of identity tokens of workloads.

use crate::Capability;
use crate::call::Call;
use crate::field::{Absent, Field, Holds};
use crate::limits::Limits;
use crate::pattern::Kind;

pub(crate) const FIELDS: &[Field] = &[
    Field {
        name: "cluster",
        holds: Holds::Patterns(Kind::Name),
        absent: Absent::Required,
    },
    Field {
        name: "namespace",
        holds: Holds::Patterns(Kind::Name),
        absent: Absent::Required,
    },
    Field {
        name: "serviceAccounts",
        holds: Holds::Patterns(Kind::Name),
        absent: Absent::Any,
    },
];

/// A request for an identity token of one Kubernetes service account.
#[derive(Debug, Clone, Copy)]
pub struct IdentityCall<'a> {
    /// The cluster, as the pipeline names it.
    pub cluster: &'a str,
    /// The namespace.
    pub namespace: &'a str,
    /// The Kubernetes service account.
    pub service_account: &'a str,
}

impl Call for IdentityCall<'_> {
    fn capability(&self) -> Capability {
        Capability::Identity
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![
            ("cluster", self.cluster),
            ("namespace", self.namespace),
            ("serviceAccounts", self.service_account),
        ]
    }

    fn describe(&self) -> String {
        format!(
            "prove the identity of {}/{} in {}",
            self.namespace, self.service_account, self.cluster
        )
    }
}

pub(crate) fn explain(limits: &Limits) -> String {
    let accounts = limits
        .words("serviceAccounts")
        .unwrap_or_else(|| "any service account".to_owned());
    format!(
        "prove the identity of {accounts} in {}",
        crate::words::namespace(limits)
    )
}
