//! `storage`: Cloud Storage objects, and facts about buckets.

mod client;
mod compose;
mod facts;
mod failure;
mod link;
mod read;
mod records;
mod silence;
mod source;
#[cfg(test)]
mod tests;
mod write;
mod written;

pub use client::Storage;
pub use facts::{Bucket, Object};
pub use link::CAPABILITY;
pub use written::{Write, Written};

sidestep_gate::calls!();

/// The custom metadata of an object that is deleted with its step: `RUN/INSTANCE/ATTEMPT`.
pub const MADE_BY: &str = "sidestep-made-by";
