//! The links between names in a scope.

use serde::{Deserialize, Serialize};

/// The suffix of a pattern for a whole folder.
pub(crate) const BELOW: &str = "/**";

/// A name in a scope, and its target through links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The pattern of the name: a path, or a folder and everything below it.
    pub from: String,
    /// The pattern of the target.
    pub to: String,
}

impl Link {
    /// Returns the target of one path, if the path goes through the link.
    pub fn leads(&self, path: &str) -> Option<String> {
        let (from, to) = match (self.from.strip_suffix(BELOW), self.to.strip_suffix(BELOW)) {
            (Some(from), Some(to)) => (from, to),
            _ => return (self.from == path).then(|| self.to.clone()),
        };
        let rest = path.strip_prefix(from)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| format!("{to}{rest}"))
    }
}
