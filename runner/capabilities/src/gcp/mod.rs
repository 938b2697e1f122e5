//! Google Cloud's control plane: one module a grant key.

pub(crate) mod artifact_registry;
pub(crate) mod gke;
pub(crate) mod iam;
pub(crate) mod iam_write;
pub(crate) mod project;
pub(crate) mod resource;
pub(crate) mod secret_manager;
#[cfg(test)]
mod tests;
