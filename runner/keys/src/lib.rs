//! Finds keys and other long-lived credentials in bytes and in Kubernetes manifests, and tells what
//! they are without any part of their secret.
//!
//! The readers take the bytes of strangers: each is bounded, and has a fuzz target in [`fuzz`].

mod found;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod json;
mod manifest;
mod pem;
mod pkcs12;
mod search;
mod shape;
#[cfg(test)]
mod tests;

pub use found::{Entry, Found, Key, Kind};
pub use manifest::{Manifest, Manifests, Unreadable, manifests};
pub use search::find;
