//! `kubernetes`: a cluster's objects.

mod access;
mod cluster;
mod failure;
pub mod follow;
mod link;
mod objects;
mod outlet;

pub use cluster::{Clusters, Mapped};
pub(crate) use failure::of_error;
pub use link::CAPABILITY;
pub use objects::{Objects, Owned, Target, made_by};
