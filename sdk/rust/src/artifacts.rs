//! Files that a step stores for later steps. Grant key: `artifacts`.

use crate::bindings::sidestep::artifacts::store;
use crate::{Artifact, Blob, Content, Error, Result};

pub use store::Artifact as StoredArtifact;

/// Stores an artifact of this step.
pub fn put<'a>(
    name: &str,
    content: impl Into<Content<'a>>,
    media_type: &str,
) -> Result<StoredArtifact> {
    store::put(name, &content.into(), media_type).map_err(Error::from)
}

/// Opens an artifact of an earlier step as a blob.
pub fn open(artifact: &Artifact) -> Result<Blob> {
    store::open(&artifact.step, &artifact.name).map_err(Error::from)
}

/// Lists the artifacts that this step may open.
pub fn list() -> Result<Vec<StoredArtifact>> {
    store::list().map_err(Error::from)
}

impl From<StoredArtifact> for Artifact {
    fn from(stored: StoredArtifact) -> Self {
        Self {
            step: stored.step,
            name: stored.name,
        }
    }
}
