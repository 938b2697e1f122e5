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
