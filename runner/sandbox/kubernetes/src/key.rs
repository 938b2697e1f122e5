//! The keys of objects.

use serde::{Deserialize, Serialize};

/// The key of an object: resource, namespace (empty for cluster scope), name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) resource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn new(resource: &str, namespace: &str, name: &str) -> Self {
        Self {
            resource: resource.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Returns whether the key is of a resource, in a namespace or, if that is empty, in any.
    pub(crate) fn is_of(&self, resource: &str, namespace: &str) -> bool {
        self.resource == resource && (namespace.is_empty() || self.namespace == namespace)
    }
}
