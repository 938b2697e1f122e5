//! The runner's work inside of a step's pods, as the program of the helper image.

mod context;
mod error;
mod identity;
mod metadata;
mod places;
mod report;
mod storage;

pub use context::{Context, Fetched, fetch_context};
pub use error::{Error, Reason};
pub use identity::wait_for_identity;
pub use places::Places;
pub use report::report;
pub use storage::Storage;
