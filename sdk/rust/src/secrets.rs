//! The pipeline's secrets, granted by the step's own key `secrets`.

use crate::bindings::sidestep::secrets::names;
use crate::{Error, Result, Secret};

/// The secret that the pipeline calls so.
pub fn get(name: &str) -> Result<Secret> {
    names::get(name).map_err(Error::from)
}
