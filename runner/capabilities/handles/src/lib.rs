//! The types that plugins hold handles of, and how a host call ends without its answer.
//!
//! The generated bindings name these types, so this crate stands below them: whatever changes here
//! has everything compiled anew that knows the contract.

mod blob;
mod error;
mod follow;
mod secret;

pub use blob::{Blob, BlobReader};
pub use error::{CallError, Stopped};
pub use follow::{Follow, Following, Update};
pub use secret::{Encoding, Secret, compose};
