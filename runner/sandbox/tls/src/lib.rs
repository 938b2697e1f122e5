//! The sandbox's own certificate authorities, and listeners that shake hands before they hand a
//! connection on.
//!
//! It knows nothing of what is served: Kubernetes' API and Google's names each have an authority
//! of their own, so that whoever trusts one does not trust the other.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod authority;
mod listener;

pub use authority::Authority;
pub use listener::Secured;
pub use tokio_rustls::{TlsAcceptor, server::TlsStream};
