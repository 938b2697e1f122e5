//! Google Cloud's control plane, with one module per grant key.

pub mod artifact_registry;
pub mod gke;
pub mod iam;
pub mod iam_write;
pub mod project;
pub mod secret_manager;
