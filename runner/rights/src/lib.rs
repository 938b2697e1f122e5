//! Derives the minimum permissions from a plan: the grants of its steps, the roles of the runner in
//! each cluster, and the IAM bindings of Google Cloud.
//!
//! It only reads the plan; it makes no calls.

mod least;
mod suggest;

pub use least::{iam, rbac};
pub use suggest::suggest;
