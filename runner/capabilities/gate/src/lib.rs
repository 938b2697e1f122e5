//! The gate that every call of a plugin passes, and the host's state beside a plugin.
//!
//! Every function of a capability brings its call before the [`Gate`], which checks the scope,
//! counts, journals the intent and records the call. Then the function does its work with the run's
//! [`Services`]. Bytes and secrets stay in the host: a plugin gets handles.
//!
//! This crate must not depend on any capability, on how a component is loaded or run, on how steps
//! are scheduled, or on how events are displayed and stored.

mod calls;
mod capability;
pub mod convert;
mod gate;
pub mod keys;
mod lists;
mod panicked;
mod position;
mod runtime;
mod services;
mod state;
mod step;
mod talk;
mod types;

pub use capability::{Capability, link_always};
pub use gate::{
    Gate, GateCall, Held, PRICES, PerByte, Price, Priced, Room, SIDE_BY_SIDE, SharedMemory, Shown,
    debug_length, functions,
};
pub use panicked::Panicked;
pub use position::{Part, Position};
pub use services::Services;
pub use sidestep_bindings as bindings;
pub use sidestep_handles::{
    Blob, BlobReader, CallError, Disk, DiskFull, Encoding, Follow, Following, Login, Logins,
    NotCreated, NotLogins, Scratch, Secret, Sends, Space, Stopped, Update, blob_failure, compose,
    disk_failure,
};
pub use sidestep_masks::{MASK, MIN_SECRET, MaskStream, Masks, Unmaskable};
pub use state::{StepLimits, StepState};
pub use step::{NewIntent, StepContext, StepSink, made_by};
