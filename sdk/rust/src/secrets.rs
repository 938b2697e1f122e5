//! The pipeline's secrets, granted by the step's key `secrets`.

use crate::bindings::sidestep::secrets::names;
use crate::{Error, Result, Secret};

/// Returns the secret that the pipeline declares under this name.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::{http::Request, secrets};
///
/// # fn main() -> sidestep::Result<()> {
/// let token = secrets::get("registry-token")?;
/// let request = Request::new("GET", "https://registry.example.com/v2/").header("authorization", &token);
/// # Ok(())
/// # }
/// ```
pub fn get(name: &str) -> Result<Secret> {
    names::get(name).map_err(Error::from)
}
