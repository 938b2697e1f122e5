//! Reads identities and policies. Grant key: `iam`.

use crate::Result;
use crate::bindings::sidestep::gcp::{iam, types};
use crate::error::{each, only};

pub use iam::{Answer, DenyPolicy, DenyRule, Key, Level, Query, Role};
pub use types::{
    Binding, Condition, Mapping, Policy, PolicyResource, Pool, Provider, ServiceAccount,
};

/// Reads the answer to one query.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::iam::{self, Answer, Query};
///
/// # fn main() -> sidestep::Result<()> {
/// let query = Query::ServiceAccount("builder@demo.iam.gserviceaccount.com".to_owned());
/// if let Answer::ServiceAccount(account) = iam::read(query)? {
///     assert!(!account.disabled);
/// }
/// # Ok(())
/// # }
/// ```
pub fn read(query: Query) -> Result<Answer> {
    only(iam::read(&[query]))
}

/// Reads answers, in the order of the queries.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::iam::{self, PolicyResource, Query};
///
/// # fn main() -> sidestep::Result<()> {
/// let policy = |name: &str| Query::Policy(PolicyResource::Bucket(name.to_owned()));
/// let policies = iam::read_all(&[policy("ci-contexts"), policy("ci-reports")]);
/// # Ok(())
/// # }
/// ```
pub fn read_all(queries: &[Query]) -> Vec<Result<Answer>> {
    each(iam::read(queries))
}
