//! `kubernetes`: a cluster's objects.

mod access;
mod apply;
mod bounds;
mod cluster;
mod deletion;
mod down;
mod failure;
pub mod follow;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod link;
mod list;
mod objects;
#[cfg(test)]
mod on_a_cluster;
mod outlet;
mod owned;
mod pages;
mod rejection;
mod stored;
mod target;
mod tokens;
mod tries;

pub use bounds::Bounds;
pub use cluster::{Clusters, Endpoint, Mapped};
pub use deletion::Deletion;
pub use link::CAPABILITY;
pub use list::Most;
pub use objects::Objects;
pub use owned::{MADE_BY_STEPS, Owned, expires, made_by, made_by_run};
pub use pages::Pages;
pub use target::Target;

sidestep_gate::calls!();
