use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sidestep_sandbox_base::random_bytes;

/// An installation: the objects of one sandbox in a cluster. Each object carries its id, so that one
/// sandbox never changes or removes those of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    id: String,
    owner: String,
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
        }
    }

    /// Reads the installation of an object.
    pub(crate) fn read(id: String, owner: String) -> Self {
        Self { id, owner }
    }

    /// Returns the id, which is the value of a label.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the text about its owner.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Returns the selector of its objects.
    pub fn selector(&self) -> String {
        format!("{INSTALLATION}={}", self.id)
    }
}

/// The label with the id of an installation.
pub(crate) const INSTALLATION: &str = "sidestep.dev/installation";
/// The annotation with the text about its owner.
pub(crate) const OWNER: &str = "sidestep.dev/installed-by";
