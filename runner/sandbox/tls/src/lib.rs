//! The sandbox's own certificate authorities, and listeners that perform the TLS handshake before
//! they return a connection.
//!
//! It does not depend on the servers: Kubernetes' API and Google's names each have their own
//! authority, so that a client that trusts one does not trust the other.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod authority;
mod handshake;
mod listener;
pub mod trust;

pub use authority::Authority;
pub use handshake::accept;
pub use listener::Secured;
pub use tokio_rustls::{TlsAcceptor, server::TlsStream};
