//! Secret Manager. Grant key: `secretManager`.

use crate::bindings::sidestep::gcp::secret_manager;
use crate::error::{each, only};
use crate::{Result, Secret};

/// Returns a version (`projects/P/secrets/S/versions/V`) as a secret.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::secret_manager;
///
/// # fn main() -> sidestep::Result<()> {
/// let key = secret_manager::access("projects/demo/secrets/signing-key/versions/3")?;
/// let mac = sidestep::compose(&[(&key).into(), "message".into()], sidestep::Encoding::HmacSha256)?;
/// # Ok(())
/// # }
/// ```
pub fn access(version: impl Into<String>) -> Result<Secret> {
    only(secret_manager::access(&[version.into()]))
}

/// Returns versions as secrets, in the order of their names.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::secret_manager;
///
/// # fn main() -> sidestep::Result<()> {
/// let names = ["projects/demo/secrets/a/versions/1", "projects/demo/secrets/b/versions/1"];
/// let secrets = secret_manager::access_all(&names.map(str::to_owned));
/// # Ok(())
/// # }
/// ```
pub fn access_all(versions: &[String]) -> Vec<Result<Secret>> {
    each(secret_manager::access(versions))
}
