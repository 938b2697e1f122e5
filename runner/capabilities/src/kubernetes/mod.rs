//! `kubernetes`: a cluster's objects.

mod access;
mod cluster;
mod failure;
pub mod follow;
mod link;
mod objects;
mod outlet;
mod tries;

pub use cluster::{Clusters, Mapped};
pub(crate) use failure::of_error;
pub use link::CAPABILITY;
pub use objects::{MADE_BY_STEPS, Objects, Owned, Target, expires, made_by};
