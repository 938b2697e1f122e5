//! Google Cloud's control plane: one module per grant key.

pub mod artifact_registry;
pub mod gke;
pub mod iam;
pub mod iam_write;
pub mod project;
pub mod secret_manager;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use sidestep_control_plane::ControlPlane;

sidestep_gate::calls!();

impl Calls<'_> {
    fn google(&self) -> wasmtime::Result<Arc<ControlPlane>> {
        self.services.get("client for Google Cloud")
    }
}
