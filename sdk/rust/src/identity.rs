//! The runner's identity, and proofs of what a workload's identity may do. Grant
//! key: `identity`. No token is ever returned.

use crate::bindings::sidestep::identity::prove;
use crate::error::{each, only};
use crate::{Error, Result};

pub use crate::bindings::sidestep::gcp::types::PolicyResource;
pub use prove::{Caller, Link, LinkResult, Proof, Subject, Target, TargetResult};

/// Returns the runner's own identity.
pub fn who_am_i() -> Result<Caller> {
    prove::who_am_i().map_err(Error::from)
}

/// Proves one identity.
pub fn prove(subject: Subject) -> Result<Proof> {
    only(prove::prove(&[subject]))
}

/// Proves identities, in the order of the subjects.
pub fn prove_all(subjects: &[Subject]) -> Vec<Result<Proof>> {
    each(prove::prove(subjects))
}
