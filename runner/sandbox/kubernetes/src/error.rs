//! What can be wrong with a cluster's folder.

use crate::status::ApiError;

/// Why a cluster could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its folder cannot be used.
    #[error("the cluster's state in {dir} cannot be opened: {source}")]
    State {
        /// The folder.
        dir: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// An object of the seed is not accepted.
    #[error("the seed object {object} is refused: {source}")]
    Seed {
        /// Kind, namespace and name.
        object: String,
        /// What the API server said.
        source: ApiError,
    },
}
