//! Changes identities and policies. Grant key: `iamWrite`.

use super::iam::{Policy, PolicyResource};
use crate::bindings::sidestep::gcp::iam_write;
use crate::{Error, Result};

pub use iam_write::{
    CreatedPool, CreatedProvider, CreatedServiceAccount, NewPool, NewProvider, NewServiceAccount,
};

/// Replaces the bindings of a policy that was read before. Fails with class
/// `conflict` if it has changed since.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::{iam::{self, Answer, Binding, PolicyResource, Query}, iam_write};
///
/// # fn main() -> sidestep::Result<()> {
/// let bucket = PolicyResource::Bucket("ci-contexts".to_owned());
/// if let Answer::Policy(mut policy) = iam::read(Query::Policy(bucket.clone()))? {
///     policy.bindings.push(Binding {
///         role: "roles/storage.objectViewer".to_owned(),
///         members: vec!["serviceAccount:builder@demo.iam.gserviceaccount.com".to_owned()],
///         condition: None,
///     });
///     iam_write::set_policy(&bucket, &policy)?;
/// }
/// # Ok(())
/// # }
/// ```
pub fn set_policy(target: &PolicyResource, policy: &Policy) -> Result<Policy> {
    iam_write::set_policy(target, policy).map_err(Error::from)
}

/// Creates a service account.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::iam_write::{self, NewServiceAccount};
///
/// # fn main() -> sidestep::Result<()> {
/// let created = iam_write::create_service_account(&NewServiceAccount {
///     project: "demo".to_owned(),
///     account_id: "builder".to_owned(),
///     display_name: None,
///     description: Some("Pushes images".to_owned()),
/// })?;
/// sidestep::info!("{}", created.account.email);
/// # Ok(())
/// # }
/// ```
pub fn create_service_account(account: &NewServiceAccount) -> Result<CreatedServiceAccount> {
    iam_write::create_service_account(account).map_err(Error::from)
}

/// Creates a workload identity pool.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::iam_write::{self, NewPool};
///
/// # fn main() -> sidestep::Result<()> {
/// iam_write::create_pool(&NewPool {
///     project: "demo".to_owned(),
///     pool_id: "ci".to_owned(),
///     display_name: None,
///     description: None,
/// })?;
/// # Ok(())
/// # }
/// ```
pub fn create_pool(pool: &NewPool) -> Result<CreatedPool> {
    iam_write::create_pool(pool).map_err(Error::from)
}

/// Creates an OIDC provider of a pool.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::{iam::Mapping, iam_write::{self, NewProvider}};
///
/// # fn main() -> sidestep::Result<()> {
/// iam_write::create_provider(&NewProvider {
///     pool: "projects/demo/locations/global/workloadIdentityPools/ci".to_owned(),
///     provider_id: "forge".to_owned(),
///     issuer: "https://forge.example.com".to_owned(),
///     allowed_audiences: Vec::new(),
///     mappings: vec![Mapping {
///         attribute: "google.subject".to_owned(),
///         expression: "assertion.sub".to_owned(),
///     }],
///     condition: None,
/// })?;
/// # Ok(())
/// # }
/// ```
pub fn create_provider(provider: &NewProvider) -> Result<CreatedProvider> {
    iam_write::create_provider(provider).map_err(Error::from)
}
