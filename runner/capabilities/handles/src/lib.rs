//! The types behind the plugins' handles, and the errors of a host call.
//!
//! The generated bindings name these types, so this crate is a dependency of them: a change here
//! recompiles every crate that uses the contract.

mod blob;
mod creation;
mod disk;
mod error;
mod follow;
mod logins;
mod secret;

pub use blob::{Blob, BlobReader, blob_failure, disk_failure};
pub use creation::{NotCreated, Sends};
pub use disk::{Disk, DiskFull, Scratch, Space};
pub use error::{CallError, Stopped};
pub use follow::{Follow, Following, Update};
pub use logins::{Login, Logins, NotLogins};
pub use secret::{Encoding, Secret, compose};
