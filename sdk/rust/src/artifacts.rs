//! Files that a step stores for later steps. Grant key: `artifacts`.

use crate::bindings::sidestep::artifacts::store;
use crate::{Artifact, Blob, Content, Error, Result};

pub use store::Artifact as StoredArtifact;

/// Stores an artifact of this step.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::artifacts;
///
/// # fn main() -> sidestep::Result<()> {
/// let report = artifacts::put("report", "passed".to_owned(), "text/plain")?;
/// sidestep::info!("stored as {}", report.digest);
/// # Ok(())
/// # }
/// ```
pub fn put<'a>(
    name: &str,
    content: impl Into<Content<'a>>,
    media_type: &str,
) -> Result<StoredArtifact> {
    store::put(name, &content.into(), media_type).map_err(Error::from)
}

/// Opens an artifact of an earlier step as a blob.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::{Artifact, artifacts};
///
/// # fn main() -> sidestep::Result<()> {
/// #[sidestep::data]
/// struct Inputs {
///     report: Artifact,
/// }
///
/// fn size(inputs: &Inputs) -> sidestep::Result<Option<u64>> {
///     Ok(artifacts::open(&inputs.report)?.size())
/// }
/// # Ok(())
/// # }
/// ```
pub fn open(artifact: &Artifact) -> Result<Blob> {
    store::open(&artifact.step, &artifact.name).map_err(Error::from)
}

/// Lists the artifacts that this step may open.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::artifacts;
///
/// # fn main() -> sidestep::Result<()> {
/// for artifact in artifacts::list()? {
///     sidestep::info!("{} of {}", artifact.name, artifact.step);
/// }
/// # Ok(())
/// # }
/// ```
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
