//! Text that is executed.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use super::text::text_value;

/// Text that is executed: a script, a shell line. The runner refuses
/// expressions in it, so that nothing can be injected.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(String);

text_value!(Code, "code", None);

impl Code {
    /// Returns the text.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Code;
    ///
    /// let code: Code = "pod.evicted".parse().expect("any text is a code");
    /// assert_eq!(code.as_str(), "pod.evicted");
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Code {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
