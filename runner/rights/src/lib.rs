//! Derives the least rights from a plan: the grants of its steps, the roles of the runner in each
//! cluster, and the IAM bindings of Google Cloud.
//!
//! A plan is all that is read; nothing is called.

mod least;
mod suggest;

pub use least::{iam, rbac};
pub use suggest::suggest;
