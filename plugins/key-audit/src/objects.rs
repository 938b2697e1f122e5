//! The audited objects, from manifests and from a cluster alike.

use sidestep::serde_json::Value;
use sidestep::workspace::EntryKey;

/// A Kubernetes object, with the keys in it.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    /// The file and the line, for an object of a manifest.
    pub at: Option<(String, u32)>,
    /// The object, without the data of a Secret.
    pub value: Value,
    /// Its keys, or `None` if they could not be read.
    pub keys: Option<Vec<EntryKey>>,
}

impl Object {
    pub(crate) fn kind(&self) -> &str {
        self.value["kind"].as_str().unwrap_or_default()
    }

    pub(crate) fn name(&self) -> &str {
        let metadata = &self.value["metadata"];
        let name = metadata["name"].as_str();
        name.or_else(|| metadata["generateName"].as_str())
            .unwrap_or_default()
    }

    /// Returns the namespace. A manifest may leave it to the person who applies it.
    pub(crate) fn namespace(&self) -> &str {
        self.value["metadata"]["namespace"]
            .as_str()
            .filter(|name| !name.is_empty())
            .unwrap_or("default")
    }

    /// Returns the name for people: `Deployment shop/api`.
    pub(crate) fn shown(&self) -> String {
        format!("{} {}/{}", self.kind(), self.namespace(), self.name())
    }

    pub(crate) fn is(&self, kind: &str, namespace: &str, name: &str) -> bool {
        self.kind() == kind && self.namespace() == namespace && self.name() == name
    }
}
