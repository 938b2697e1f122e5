//! What plugins can call: the gate that every call passes, and one module a capability.
//!
//! A capability's module holds its implementation of the WIT interface; its scope is the module of
//! the same name in `sidestep-policy`. Every function brings its call before the [`Gate`], which
//! checks the scope, counts, journals the intent and records the call; then it does its work with
//! the run's [`Services`]. Bytes and secrets stay here: a plugin gets handles.
//!
//! This crate must not know how a component is loaded or run, how steps are scheduled, or how
//! events are shown and stored.

pub mod bindings;
mod blob;
mod capability;
mod causes;
mod commands;
mod convert;
mod error;
mod follow;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod gate;
mod gcp;
pub mod google;
pub mod http_client;
pub mod identity;
pub mod kubernetes;
mod lists;
mod mask;
mod panicked;
pub mod registry;
mod runtime;
mod secret;
mod secrets;
mod services;
mod state;
mod step;
pub mod storage;
mod talk;
#[cfg(test)]
mod testing;
mod transport;
mod types;
pub mod workspace;

pub use blob::{Blob, BlobReader};
pub use capability::{ALWAYS, CAPABILITIES, Capability, by_interface, by_key, link_always};
pub use convert::diagnostic_from_wit;
pub use error::{CallError, Stopped};
pub use follow::{Follow, Following, Update};
pub use gate::{
    Gate, GateCall, PRICES, PerByte, Price, Priced, Room, SIDE_BY_SIDE, SharedMemory, Shown,
};
pub use gcp::secret_manager::access_secret;
pub use mask::{MASK, MIN_SECRET, MaskStream, Masks, Unmaskable};
pub use panicked::Panicked;
pub use secret::{Encoding, Secret, compose};
pub use services::Services;
pub use state::{StepLimits, StepState};
pub use step::{NewIntent, StepContext, StepSink, made_by};
