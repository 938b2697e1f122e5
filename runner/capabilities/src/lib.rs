//! What plugins can call: the table of all capabilities, each in a crate of its own.
//!
//! A capability's crate holds its implementation of the WIT interface and its client; its scope is
//! the module of the same name in `sidestep-policy`. It knows the gate and no other capability.
//! This crate is the only one that knows them all.
//!
//! None of them must know how a component is loaded or run, how steps are scheduled, or how events
//! are shown and stored.

mod linked;
mod secrets;

pub use linked::CAPABILITIES;
pub use secrets::Secrets;
pub use sidestep_gate::*;
pub use sidestep_gcp::secret_manager::access_secret;
pub use sidestep_http as http_client;
pub use sidestep_identity as identity;
pub use sidestep_kubernetes as kubernetes;
pub use sidestep_registry as registry;
pub use sidestep_storage as storage;
pub use sidestep_workspace as workspace;

/// Google Cloud: where its APIs are, as whom they are called, and its control plane.
pub mod google {
    pub use sidestep_control_plane::ControlPlane;
    pub use sidestep_google::{Credentials, Endpoints, Origin, Service, UnknownService};
}

sidestep_gate::calls!();
