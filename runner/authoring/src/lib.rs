//! Creates and builds plugins for their authors: the commands `sidestep plugin new` and `sidestep
//! plugin build`.
//!
//! This crate finds and runs the author's Rust toolchain. It must not know how a component is
//! compiled or run, and it prints nothing.

mod build;
mod carried;
mod compiler;
mod error;
mod name;
mod new;
mod project;
mod toolchain;
mod watch;

pub use build::{Built, Options, build};
pub use carried::{SDK_FOLDER, carried, unpack};
pub use error::AuthoringError;
pub use name::Name;
pub use new::{Created, create};
pub use project::Project;
pub use watch::Sources;
