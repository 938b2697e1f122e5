//! The table of the served kinds, from which everything else is derived.

/// A resource of the API.
#[derive(Debug, PartialEq, Eq)]
#[allow(clippy::struct_field_names)] // `kind` is what Kubernetes calls it
pub(crate) struct Kind {
    /// The API group; empty for the core group.
    pub(crate) group: &'static str,
    /// The version within the group.
    pub(crate) version: &'static str,
    /// The kind, such as `Pod`.
    pub(crate) kind: &'static str,
    /// The plural, which is the name in paths, such as `pods`.
    pub(crate) plural: &'static str,
    /// The singular, such as `pod`.
    pub(crate) singular: &'static str,
    /// Names that kubectl accepts in place of the plural.
    pub(crate) short: &'static [&'static str],
    /// Whether the objects are namespaced.
    pub(crate) namespaced: bool,
    /// Groups such as `all`.
    pub(crate) categories: &'static [&'static str],
    /// Sub-resources: name, kind, verbs.
    pub(crate) subresources: &'static [(&'static str, &'static str, &'static [&'static str])],
    /// The verbs. A kind with only `create` stores nothing (a review).
    pub(crate) verbs: &'static [&'static str],
    /// The noun in Google's permissions: `container.NOUN.get`.
    pub(crate) noun: &'static str,
}

const STORED: &[&str] = &[
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];
const NO_COLLECTION: &[&str] = &[
    "create", "delete", "get", "list", "patch", "update", "watch",
];
const REVIEW: &[&str] = &["create"];
const STATUS: &[&str] = &["get", "patch", "update"];

/// All served resources, in the order of discovery.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        short: &["cm"],
        ..core("ConfigMap", "configmaps", "configmap", "configMaps")
    },
    Kind {
        short: &["ev"],
        ..core("Event", "events", "event", "events")
    },
    Kind {
        short: &["ns"],
        namespaced: false,
        subresources: &[("status", "Namespace", STATUS)],
        verbs: NO_COLLECTION,
        ..core("Namespace", "namespaces", "namespace", "namespaces")
    },
    Kind {
        short: &["no"],
        namespaced: false,
        subresources: &[("status", "Node", STATUS)],
        ..core("Node", "nodes", "node", "nodes")
    },
    Kind {
        short: &["po"],
        categories: &["all"],
        subresources: &[
            ("eviction", "Eviction", REVIEW),
            ("log", "Pod", &["get"]),
            ("status", "Pod", STATUS),
        ],
        ..core("Pod", "pods", "pod", "pods")
    },
    Kind {
        short: &["quota"],
        subresources: &[("status", "ResourceQuota", STATUS)],
        ..core(
            "ResourceQuota",
            "resourcequotas",
            "resourcequota",
            "resourceQuotas",
        )
    },
    core("Secret", "secrets", "secret", "secrets"),
    Kind {
        short: &["sa"],
        subresources: &[("token", "TokenRequest", REVIEW)],
        ..core(
            "ServiceAccount",
            "serviceaccounts",
            "serviceaccount",
            "serviceAccounts",
        )
    },
    review(
        "authentication.k8s.io",
        "SelfSubjectReview",
        "selfsubjectreviews",
        "selfsubjectreview",
        "selfSubjectReviews",
    ),
    review(
        "authentication.k8s.io",
        "TokenReview",
        "tokenreviews",
        "tokenreview",
        "tokenReviews",
    ),
    review(
        "authorization.k8s.io",
        "SelfSubjectAccessReview",
        "selfsubjectaccessreviews",
        "selfsubjectaccessreview",
        "selfSubjectAccessReviews",
    ),
    review(
        "authorization.k8s.io",
        "SelfSubjectRulesReview",
        "selfsubjectrulesreviews",
        "selfsubjectrulesreview",
        "selfSubjectRulesReviews",
    ),
];

const fn core(
    kind: &'static str,
    plural: &'static str,
    singular: &'static str,
    noun: &'static str,
) -> Kind {
    Kind {
        group: "",
        version: "v1",
        kind,
        plural,
        singular,
        short: &[],
        namespaced: true,
        categories: &[],
        subresources: &[],
        verbs: STORED,
        noun,
    }
}

const fn review(
    group: &'static str,
    kind: &'static str,
    plural: &'static str,
    singular: &'static str,
    noun: &'static str,
) -> Kind {
    Kind {
        group,
        namespaced: false,
        verbs: REVIEW,
        ..core(kind, plural, singular, noun)
    }
}

impl Kind {
    /// Returns the qualified name: `pods`, or `tokenreviews.authentication.k8s.io`.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// Returns the API version: `v1`, or `authentication.k8s.io/v1`.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Returns whether the kind's objects are stored (a review is answered and forgotten).
    pub(crate) fn stored(&self) -> bool {
        self.verbs != REVIEW
    }

    /// Returns Google's permission for a verb on this resource, as in GKE's own authorizer.
    pub(crate) fn permission(&self, verb: &str, subresource: &str) -> String {
        let action = match (subresource, verb) {
            ("log", _) => "getLogs",
            ("token", _) => "createToken",
            ("eviction", _) => "evict",
            ("status", "get") => "getStatus",
            ("status", _) => "updateStatus",
            (_, "watch" | "list") => "list",
            (_, "patch" | "update") => "update",
            (_, "deletecollection" | "delete") => "delete",
            (_, other) => other,
        };
        format!("container.{}.{action}", self.noun)
    }
}

/// Finds a kind by its group and plural.
pub(crate) fn by_plural(group: &str, plural: &str) -> Option<&'static Kind> {
    KINDS
        .iter()
        .find(|k| k.group == group && k.plural == plural)
}

/// Returns a core kind by its plural.
///
/// Only for names that are in the table.
pub(crate) fn core_kind(plural: &'static str) -> &'static Kind {
    by_plural("", plural).expect("the table holds this core kind")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_named_as_google_names_them() {
        let of = |plural, verb, sub| core_kind(plural).permission(verb, sub);
        assert_eq!(of("pods", "watch", ""), "container.pods.list");
        assert_eq!(of("pods", "get", "log"), "container.pods.getLogs");
        assert_eq!(
            of("serviceaccounts", "create", "token"),
            "container.serviceAccounts.createToken"
        );
        assert_eq!(of("configmaps", "patch", ""), "container.configMaps.update");
    }
}
