//! The pipeline's secrets, granted by the step's key `secrets`.

use crate::bindings::sidestep::secrets::names;
use crate::{Error, Result, Secret};

/// Returns the secret that the pipeline declares under this name.
pub fn get(name: &str) -> Result<Secret> {
    names::get(name).map_err(Error::from)
}
