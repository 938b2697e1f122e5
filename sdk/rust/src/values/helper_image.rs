//! The operator's helper image.

use std::fmt;
use std::str::FromStr;

use super::image_ref::ImageRef;
use super::text::{ParseValueError, text_value};

/// The operator's image of the runner itself, whose subcommands a pod's init
/// containers run. The runner fills an input of this type from the setting
/// `helperImage`; declare it as `Option<HelperImage>` with a default of `None`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HelperImage(ImageRef);

text_value!(HelperImage, "helper-image", None);

impl HelperImage {
    /// Returns the image.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::HelperImage;
    ///
    /// # fn main() -> Result<(), sidestep::ParseValueError> {
    /// let helper: HelperImage = "registry.example.com/sidestep:1".parse()?;
    /// assert_eq!(helper.image().tag(), Some("1"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn image(&self) -> &ImageRef {
        &self.0
    }
}

impl FromStr for HelperImage {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for HelperImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
