//! Secret Manager. Grant key: `secretManager`.

use crate::bindings::sidestep::gcp::secret_manager;
use crate::error::{each, only};
use crate::{Result, Secret};

/// Returns a version (`projects/P/secrets/S/versions/V`) as a secret.
pub fn access(version: impl Into<String>) -> Result<Secret> {
    only(secret_manager::access(&[version.into()]))
}

/// Returns versions as secrets, in the order of their names.
pub fn access_all(versions: &[String]) -> Vec<Result<Secret>> {
    each(secret_manager::access(versions))
}
