//! Reads identities and policies. Grant key: `iam`.

use crate::Result;
use crate::bindings::sidestep::gcp::{iam, types};
use crate::error::{each, only};

pub use iam::{Answer, Key, Query, Role};
pub use types::{
    Binding, Condition, Mapping, Policy, PolicyResource, Pool, Provider, ServiceAccount,
};

/// Reads the answer to one query.
pub fn read(query: Query) -> Result<Answer> {
    only(iam::read(&[query]))
}

/// Reads answers, in the order of the queries.
pub fn read_all(queries: &[Query]) -> Vec<Result<Answer>> {
    each(iam::read(queries))
}
