//! Connections of the pods of a cluster that can't reach the sandbox: a relay on each node accepts
//! them, and passes them on through a tunnel that the sandbox opens.
//!
//! ```text
//! pod ── 169.254.169.254:80, :443 ── relay ══ tunnel: the API server's port forward ══ sandbox
//! ```
//!
//! The sandbox stays one process on the user's machine, with its state. What is in the cluster has
//! no state, and ends without the sandbox. The crate knows neither Google's APIs nor how pods learn
//! Google's names.

mod address;
mod alive;
mod error;
mod greeting;
mod install;
mod mux;
mod nodes;
mod objects;
mod origin;
pub mod pod;
mod relay;
mod relayed;
mod sources;
#[cfg(test)]
mod tests;
mod tunnels;

pub use address::{Lent, lend};
pub use alive::stay;
pub use error::{InstallError, RelayError};
pub use greeting::Secret;
pub use install::{install, remove};
pub use nodes::{Nodes, Relay as NodeRelay, keep};
pub use objects::{RELAY, Relays};
pub use origin::Service;
pub use relay::{Mark, Relay, Silence};
pub use relayed::{Connection, Peer, Relayed};
pub use tunnels::{Ends, Tunnels};

/// The port of a relay for the tunnel, on the loopback address of its node: the API server's port
/// forward ends there.
pub const CONTROL_PORT: u16 = 16_925;
