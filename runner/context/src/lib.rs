//! The build context archive: the selection of files from a folder, one digest for all of them, and
//! a `tar.gz` that has the same bytes on every machine.
//!
//! - [`ignore`] reads `.dockerignore` files and decides about paths, by the
//!   rules of moby/patternmatcher.
//! - [`Tree`] is the checked list of a context's entries: made by
//!   [`Tree::read`], named by its [`Tree::digest`], listed by
//!   [`Tree::entries`], described by [`Tree::report`].
//! - [`pack()`] writes the archive of a [`Tree`]; [`unpack()`] extracts one
//!   without leaving its folder.
//!
//! Everything is synchronous, and nothing here uses the network: callers run it on a separate
//! thread and transfer the bytes themselves. It is for Unix, where names are bytes and modes have
//! bits.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod ignore;

mod archive;
mod content;
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

pub use archive::digest_of;
pub use dockerfiles::{CONTEXT, DOCKERFILES, NotSent, not_sent};
pub use error::Error;
pub use modes::ChangedMode;
pub use overlay::Overlay;
pub use pack::{Packed, pack};
pub use path::RelPath;
pub use report::{Largest, Report, Skipped};
pub use tree::{Entry, Kind, Options, Root, Tree};
pub use unpack::{Unpacked, unpack, unpack_within};

/// The version of the archive's format: the output of [`pack()`] for the same tree changes only
/// together with it. It is part of the archive's name.
pub const PACKER: &str = "p3";
