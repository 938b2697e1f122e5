//! Values made of text and secrets, whose text the plugin never sees.

pub use crate::bindings::sidestep::host::types::{Encoding, Part};

use crate::bindings::sidestep::host::types;
use crate::{Error, Result, Secret};

impl From<&str> for Part<'_> {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Part<'_> {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a Secret> for Part<'a> {
    fn from(secret: &'a Secret) -> Self {
        Self::Secret(secret)
    }
}

/// Composes a new secret from text and secrets, for example
/// `compose(&["Bearer ".into(), (&token).into()], Encoding::Plain)`.
///
/// # Errors
///
/// If the parts do not fit the encoding.
///
/// # Examples
///
/// ```no_run
/// use sidestep::{Encoding, compose, secrets};
///
/// # fn main() -> sidestep::Result<()> {
/// let password = secrets::get("registry-password")?;
/// let login = compose(&["robot".into(), (&password).into()], Encoding::Basic)?;
/// # Ok(())
/// # }
/// ```
pub fn compose(parts: &[Part<'_>], encoding: Encoding) -> Result<Secret> {
    types::compose(parts, encoding).map_err(Error::from)
}
