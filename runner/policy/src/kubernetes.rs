//! The scopes of calls to a cluster, and the fields that a pod may have.

use crate::Capability;
use crate::call::Call;
use crate::field::{Absent, Field, Holds};
use crate::limits::Limits;
use crate::pattern::Kind;
use crate::words;

/// The actions of a call: Kubernetes' verbs; `apply`, which needs both `create` and `patch` in
/// Kubernetes; `registryLogins`, which needs `get` for the Secrets that the scope names; and
/// `keyFacts`, which needs `get` for all Secrets of the namespace.
pub const ACTIONS: &[&str] = &[
    "get",
    "list",
    "watch",
    "create",
    "apply",
    "patch",
    "update",
    "delete",
    "canI",
    "registryLogins",
    "keyFacts",
];

/// Fields that a pod may only have if a grant *and* a policy name them.
pub const DANGEROUS_FIELDS: &[&str] = &[
    "hostPath",
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "hostPort",
    "privileged",
    "ephemeralContainers",
    "capabilities",
    "seccompUnconfined",
    "nodeName",
    "priorityClassName",
    "runtimeClassName",
    "schedulerName",
    "shareProcessNamespace",
    "dnsConfig",
    "hostAliases",
    "lifecycle",
];

/// Kinds of volumes that must be named; the others are limited by the objects that they use.
pub const VOLUMES: &[&str] = &["persistentVolumeClaim", "ephemeral", "csi", "image", "nfs"];

const fn patterns(name: &'static str, absent: Absent) -> Field {
    Field {
        name,
        holds: Holds::Patterns(Kind::Name),
        absent,
    }
}

pub(crate) const FIELDS: &[Field] = &[
    patterns("cluster", Absent::Required),
    patterns("namespace", Absent::Required),
    patterns("resources", Absent::Nothing),
    Field {
        name: "actions",
        holds: Holds::Words(ACTIONS),
        absent: Absent::Nothing,
    },
    patterns("serviceAccounts", Absent::Nothing),
    Field {
        name: "images",
        holds: Holds::Patterns(Kind::Image),
        absent: Absent::Nothing,
    },
    patterns("secrets", Absent::Nothing),
    patterns("configMaps", Absent::Nothing),
    patterns("audiences", Absent::Nothing),
    Field {
        name: "volumes",
        holds: Holds::Words(VOLUMES),
        absent: Absent::Nothing,
    },
    Field {
        name: "limits",
        holds: Holds::Amounts,
        absent: Absent::Any,
    },
    Field {
        name: "podFields",
        holds: Holds::Words(DANGEROUS_FIELDS),
        absent: Absent::Never,
    },
];

/// A call about one kind of object in one namespace.
#[derive(Debug, Clone, Copy)]
pub struct KubernetesCall<'a> {
    /// The cluster, as the pipeline names it.
    pub cluster: &'a str,
    /// The namespace; empty for resources without one.
    pub namespace: &'a str,
    /// The resource, plural, with its subresource: `pods`, `pods/log`, `jobs.batch`.
    pub resource: &'a str,
    /// One of the actions.
    pub action: &'a str,
}

impl Call for KubernetesCall<'_> {
    fn capability(&self) -> Capability {
        Capability::Kubernetes
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![
            ("cluster", self.cluster),
            ("namespace", self.namespace),
            ("resources", self.resource),
            ("actions", self.action),
        ]
    }

    fn describe(&self) -> String {
        format!(
            "{} {} in namespace {} of {}",
            self.action, self.resource, self.namespace, self.cluster
        )
    }
}

/// A call that reads the registry credentials in a Secret.
#[derive(Debug, Clone, Copy)]
pub struct LoginsCall<'a> {
    /// The cluster, as the pipeline names it.
    pub cluster: &'a str,
    /// The namespace.
    pub namespace: &'a str,
    /// The Secret's name, which the scope must list.
    pub secret: &'a str,
}

impl Call for LoginsCall<'_> {
    fn capability(&self) -> Capability {
        Capability::Kubernetes
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![
            ("cluster", self.cluster),
            ("namespace", self.namespace),
            ("resources", "secrets"),
            ("actions", "registryLogins"),
            ("secrets", self.secret),
        ]
    }

    fn describe(&self) -> String {
        format!(
            "registryLogins of Secret {} in namespace {} of {}",
            self.secret, self.namespace, self.cluster
        )
    }
}

pub(crate) fn explain(limits: &Limits) -> String {
    let actions = limits
        .words("actions")
        .unwrap_or_else(|| "do anything with".to_owned());
    let resources = limits
        .words("resources")
        .unwrap_or_else(|| "any object".to_owned());
    let mut line = format!("{actions} {resources} in {}", words::namespace(limits));
    for (key, what) in [
        ("serviceAccounts", "as"),
        ("images", "running"),
        ("secrets", "with secrets"),
        ("configMaps", "with config maps"),
        ("audiences", "with tokens for"),
        ("volumes", "with volumes"),
        ("limits", "up to"),
        ("podFields", "with the dangerous fields"),
    ] {
        match limits.words(key) {
            Some(text) if text == "nothing" => {}
            Some(text) => line.push_str(&format!(", {what} {text}")),
            None => {}
        }
    }
    line
}
