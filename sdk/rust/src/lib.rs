//! The SDK for Sidestep plugins in Rust.
//!
//! A plugin is one function behind [`macro@plugin`]: typed inputs in, typed
//! outputs or an [`Error`] out. It has access only through the modules of this
//! crate, one per capability. A component imports only what it calls, and may
//! call only what it requests.
//!
//! The crate depends on the contract (`sdk/wit`), not on the runner.
//!
//! Everything that needs no host (inputs, outputs, values, the manifest, your
//! own logic) can be tested with plain `cargo test`. A call of a capability works
//! only inside the runner: in a native process, it aborts.

#![allow(clippy::result_large_err)] // the contract's failure record is what it is

pub mod artifacts;
pub mod bindings;
mod blob;
mod check;
mod error;
pub mod gcp;
mod help;
pub mod http;
pub mod identity;
pub mod kubernetes;
pub mod log;
mod manifest;
mod parts;
#[doc(hidden)]
pub mod plugin;
#[cfg(all(target_arch = "wasm32", feature = "getrandom"))]
mod random;
pub mod registry;
pub mod secrets;
mod step;
pub mod storage;
mod values;
pub mod workspace;

pub use blob::{Blob, Content, Creation, OnExit, Secret};
pub use check::{Check, Diagnostic, Severity};
pub use error::{Class, Error, Owner, Result};
pub use help::Help;
pub use manifest::{API_VERSION, Manifest};
pub use parts::{Encoding, Part, compose};
pub use schemars;
pub use serde;
pub use serde_json;
pub use sidestep_contract::codes;
pub use sidestep_contract::{Builder, Command, Value, google, kubectl};
pub use sidestep_sdk_macros::{data, plugin};
pub use step::{Group, Progress, Step};
pub use values::{Artifact, Bucket, ByteSize, Cluster, Code, Duration, ImageRef, ParseValueError};
