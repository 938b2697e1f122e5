//! The capabilities of plugins: the table of all of them, each in a crate of its own.
//!
//! A capability's crate holds its implementation of the WIT interface and its client; its scope is
//! the module of the same name in `sidestep-policy`. It depends on the gate and on no other
//! capability. Only this crate depends on all of them.
//!
//! None of them must depend on how a component is loaded or run, how steps are scheduled, or how
//! events are displayed and stored.

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

/// Google Cloud: the addresses of its APIs, the credentials for them, and its control plane.
pub mod google {
    pub use sidestep_control_plane::ControlPlane;
    pub use sidestep_google::{
        Clock, Credentials, Endpoints, Federation, JobIdentity, Origin, Service, UnknownService,
    };
}

sidestep_gate::calls!();
