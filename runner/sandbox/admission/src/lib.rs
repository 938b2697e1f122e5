//! Makes Google's names and the sandbox's certificate authority known to the pods of a real cluster.
//!
//! A manifest that was written for GKE then runs unchanged: a pod reaches the sandbox as
//! `storage.googleapis.com`, and trusts its certificates. Each pod that is created in the given
//! namespaces gets host aliases, a volume with a bundle of certificates, its mount in every
//! container, and the variables that name the bundle. Nothing that a pod sets itself is changed.
//!
//! The API server makes these changes by a MutatingAdmissionPolicy where it serves
//! `admissionregistration.k8s.io/v1` of it (Kubernetes 1.36), and otherwise by a webhook, whose
//! answers are [`review`]'s. Both follow the same rules, and one table of pods tests both.
//!
//! It does not depend on the sandbox's state: it is told the address and the authority ([`Names`]).

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod cluster;
mod error;
mod install;
mod installation;
mod names;
mod namespaces;
mod objects;
mod patch;
mod policy;
mod probe;
mod webhook;

pub use error::Error;
pub use install::{Means, install, remove};
pub use installation::{Installation, OWNER};
pub use names::Names;
pub use namespaces::Namespaces;
pub use objects::rules;
pub use patch::{Addition, patch};
pub use probe::is_in_force;
pub use webhook::{NotAReview, Target, Webhook, review};

#[cfg(test)]
mod tests;
