//! Changes identities and policies. Grant key: `iamWrite`.

use super::iam::{Policy, PolicyResource};
use crate::bindings::sidestep::gcp::iam_write;
use crate::{Error, Result};

pub use iam_write::{
    CreatedPool, CreatedProvider, CreatedServiceAccount, NewPool, NewProvider, NewServiceAccount,
};

/// Replaces the bindings of a policy that was read before. Fails with class
/// `conflict` if it has changed since.
pub fn set_policy(target: &PolicyResource, policy: &Policy) -> Result<Policy> {
    iam_write::set_policy(target, policy).map_err(Error::from)
}

/// Creates a service account.
pub fn create_service_account(account: &NewServiceAccount) -> Result<CreatedServiceAccount> {
    iam_write::create_service_account(account).map_err(Error::from)
}

/// Creates a workload identity pool.
pub fn create_pool(pool: &NewPool) -> Result<CreatedPool> {
    iam_write::create_pool(pool).map_err(Error::from)
}

/// Creates an OIDC provider of a pool.
pub fn create_provider(provider: &NewProvider) -> Result<CreatedProvider> {
    iam_write::create_provider(provider).map_err(Error::from)
}
