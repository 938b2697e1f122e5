//! `storage`: Cloud Storage objects, and facts about buckets.

mod client;
mod facts;
mod link;
mod silence;
mod source;
mod write;

pub use client::{Storage, Write, Written};
pub use facts::{Bucket, Object};
pub use link::CAPABILITY;

/// The custom metadata of an object that goes with its step: `RUN/INSTANCE/ATTEMPT`.
pub const MADE_BY: &str = "sidestep-made-by";
