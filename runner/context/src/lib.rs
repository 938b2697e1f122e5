//! The build context archive: which files of a folder belong to it, one digest
//! for all of them, and a `tar.gz` that has the same bytes wherever it is made.
//!
//! - [`ignore`] reads `.dockerignore` files and decides about paths, by the
//!   rules of moby/patternmatcher.
//! - [`Tree`] is the checked list of what a context holds: made by
//!   [`Tree::read`], named by its [`Tree::digest`], listed by
//!   [`Tree::entries`], described by [`Tree::report`].
//! - [`pack`] writes the archive of a [`Tree`]; [`unpack`] takes one apart
//!   without leaving its folder.
//!
//! Everything is synchronous, and nothing here knows of a network: callers
//! run it on a thread of its own and carry the bytes themselves. It is for
//! Unix, where names are bytes and modes have bits.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod ignore;

mod digest;
mod dockerfiles;
mod error;
mod gzip;
mod modes;
mod overlay;
mod pack;
mod path;
mod report;
mod source;
mod tar_writer;
mod tree;
mod unpack;
mod walk;

pub use dockerfiles::{CONTEXT, DOCKERFILES, NotSent, not_sent};
pub use error::Error;
pub use modes::ChangedMode;
pub use overlay::Overlay;
pub use pack::{Packed, pack};
pub use path::RelPath;
pub use report::{Largest, Report, Skipped};
pub use tree::{Entry, Kind, Options, Root, Tree};
pub use unpack::{Unpacked, unpack};

/// The version of the archive's format: what [`pack`] makes of one and the same
/// tree changes only together with this. It stands in the archive's name.
pub const PACKER: &str = "p3";
