//! Errors of a cluster's folder.

use crate::status::ApiError;

/// The reason why a cluster could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be used.
    #[error("the cluster's state in {dir} cannot be opened: {source}")]
    State {
        /// The folder.
        dir: String,
        /// The I/O error.
        source: std::io::Error,
    },
    /// An object of the seed was rejected.
    #[error("the seed object {object} is refused: {source}")]
    Seed {
        /// Kind, namespace and name.
        object: String,
        /// The API server's error.
        source: ApiError,
    },
}
