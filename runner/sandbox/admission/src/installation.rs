use std::collections::BTreeMap;
use std::fmt::Write as _;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde::{Deserialize, Serialize};
use sidestep_sandbox_base::random_bytes;

/// An installation: the objects of one sandbox in a cluster. Each object carries its id, so that one
/// sandbox never changes or removes those of another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Installation {
    id: String,
    owner: String,
    /// The object without which Kubernetes removes all others, if there is one.
    #[serde(skip)]
    root: Option<OwnerReference>,
}

impl Installation {
    /// Creates an installation with a random id. The text about its owner is for the people who meet
    /// its objects.
    pub fn new(owner: impl Into<String>) -> Self {
        let mut id = String::new();
        for byte in random_bytes::<16>() {
            // Writing to a string does not fail.
            let _ = write!(id, "{byte:02x}");
        }
        Self {
            id,
            owner: owner.into(),
            root: None,
        }
    }

    /// Reads the installation of an object.
    pub(crate) fn read(id: String, owner: String) -> Self {
        Self {
            id,
            owner,
            root: None,
        }
    }

    /// Returns the id, which is the value of a label.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the text about its owner.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Returns the installation with an object of its own: new objects end with it.
    #[must_use]
    pub fn owned_by(mut self, root: OwnerReference) -> Self {
        self.root = Some(root);
        self
    }

    /// Returns the owners of a new object.
    pub(crate) fn owners(&self) -> Option<Vec<OwnerReference>> {
        self.root.clone().map(|root| vec![root])
    }

    /// Returns the labels of an object; `part` is what it belongs to.
    pub fn labels(&self, part: &str) -> BTreeMap<String, String> {
        let labels = [
            (PART, part),
            (INSTALLATION, self.id()),
            ("app.kubernetes.io/managed-by", "sidestep"),
        ];
        labels
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    /// Returns the annotations of an object.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        [(OWNER.to_owned(), self.owner.clone())].into()
    }

    /// Returns the selector of its objects.
    pub fn selector(&self) -> String {
        format!("{INSTALLATION}={}", self.id)
    }

    /// Returns the selector of the objects of all other installations that belong to `part`.
    pub fn selector_of_others(&self, part: &str) -> String {
        format!("{PART}={part},{INSTALLATION}!={}", self.id)
    }
}

/// The label that says what an object belongs to.
pub(crate) const PART: &str = "sidestep.dev/sandbox";
/// The label with the id of an installation.
pub(crate) const INSTALLATION: &str = "sidestep.dev/installation";
/// The annotation with the text about its owner.
pub const OWNER: &str = "sidestep.dev/installed-by";
