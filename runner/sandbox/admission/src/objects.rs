//! The objects that are installed. Every one has the mark, and the id of its installation, by which
//! removal finds it.

use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::{Map, Value, json};

use crate::installation::{INSTALLATION, Installation, OWNER, PART};
use crate::names::{FILE, Names, OBJECT};
use crate::namespaces::Namespaces;
use crate::policy::policy;
use crate::webhook::{Webhook, selector, webhooks};

/// The label of our objects, and its value.
const MARK: (&str, &str) = (PART, "google-names");

/// The kinds of our objects, in the order of their creation: a pod that is changed finds its
/// ConfigMap. They are removed in the reverse order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    ConfigMap,
    Policy,
    Binding,
    Webhook,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::ConfigMap, Self::Policy, Self::Binding, Self::Webhook];

    /// Returns the name, as a manifest has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Policy => "MutatingAdmissionPolicy",
            Self::Binding => "MutatingAdmissionPolicyBinding",
            Self::Webhook => "MutatingWebhookConfiguration",
        }
    }

    /// Returns the name in paths.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmaps",
            Self::Policy => "mutatingadmissionpolicies",
            Self::Binding => "mutatingadmissionpolicybindings",
            Self::Webhook => "mutatingwebhookconfigurations",
        }
    }

    /// Returns the API group.
    fn group(self) -> &'static str {
        match self {
            Self::ConfigMap => "",
            Self::Policy | Self::Binding | Self::Webhook => "admissionregistration.k8s.io",
        }
    }

    pub(crate) fn resource(self) -> ApiResource {
        let kind = GroupVersionKind::gvk(self.group(), "v1", self.name());
        ApiResource::from_gvk_with_plural(&kind, self.plural())
    }
}

/// An object to install.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) kind: Kind,
    /// `None` for a kind without namespaces.
    pub(crate) namespace: Option<String>,
    content: Map<String, Value>,
}

impl Wanted {
    fn new(kind: Kind, namespace: Option<&str>, content: Value) -> Self {
        let content = match content {
            Value::Object(content) => content,
            _ => Map::new(),
        };
        Self {
            kind,
            namespace: namespace.map(str::to_owned),
            content,
        }
    }

    /// Returns the name of the object.
    pub(crate) fn name() -> &'static str {
        OBJECT
    }

    /// Returns the object of an installation.
    pub(crate) fn object(&self, of: &Installation) -> DynamicObject {
        let mut object = DynamicObject::new(OBJECT, &self.kind.resource());
        object.metadata.namespace.clone_from(&self.namespace);
        object.metadata.labels = Some(of.labels(MARK.1));
        object.metadata.annotations = Some(of.annotations());
        object.metadata.owner_references = of.owners();
        object.data = Value::Object(self.content.clone());
        object
    }
}

/// Returns the objects of an installation with a policy, or with a webhook if one is given.
pub(crate) fn wanted(
    names: &Names,
    namespaces: &Namespaces,
    webhook: Option<&Webhook>,
) -> Vec<Wanted> {
    let bundle = json!({ "data": { FILE: names.bundle() } });
    let mut all: Vec<Wanted> = namespaces
        .iter()
        .map(|namespace| Wanted::new(Kind::ConfigMap, Some(namespace), bundle.clone()))
        .collect();
    if let Some(webhook) = webhook {
        let content = json!({ "webhooks": webhooks(webhook, namespaces) });
        all.push(Wanted::new(Kind::Webhook, None, content));
        return all;
    }
    let binding = json!({
        "policyName": OBJECT,
        "matchResources": { "namespaceSelector": selector(namespaces) },
    });
    all.extend([
        Wanted::new(Kind::Policy, None, json!({ "spec": policy(names) })),
        Wanted::new(Kind::Binding, None, json!({ "spec": binding })),
    ]);
    all
}

/// Returns the `rules` of a ClusterRole whose subjects can install, try and remove everything.
pub fn rules() -> Value {
    let rule = |group: &str, resource: &str, verbs: &[&str]| json!({ "apiGroups": [group], "resources": [resource], "verbs": verbs });
    let of_kind = |kind: Kind| {
        let verbs = ["create", "delete", "get", "list", "update"];
        rule(kind.group(), kind.plural(), &verbs)
    };
    let others = [
        rule("", "namespaces", &["get"]),
        // For the dry run.
        rule("", "pods", &["create"]),
    ];
    Kind::ALL.into_iter().map(of_kind).chain(others).collect()
}

/// The owner of an object of our name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Of {
    /// This installation.
    This,
    /// The installation of another sandbox.
    Another(Installation),
    /// Something else than a sandbox.
    Foreign,
}

impl Of {
    /// Reads an object, as the owner of an installation sees it.
    pub(crate) fn read(object: &DynamicObject, this: &Installation) -> Self {
        let value = |of: Option<&std::collections::BTreeMap<String, String>>, key: &str| {
            of.and_then(|values| values.get(key).cloned())
        };
        let labels = object.metadata.labels.as_ref();
        let annotations = object.metadata.annotations.as_ref();
        let marked = value(labels, MARK.0).is_some_and(|mark| mark == MARK.1);
        let id = value(labels, INSTALLATION).filter(|_| marked);
        match id {
            None => Self::Foreign,
            Some(id) if id == this.id() => Self::This,
            Some(id) => {
                let owner = value(annotations, OWNER).unwrap_or_default();
                Self::Another(Installation::read(id, owner))
            }
        }
    }
}

/// Returns the selector of the objects of all installations.
#[cfg(test)]
pub(crate) fn mark() -> String {
    format!("{}={}", MARK.0, MARK.1)
}
