//! The calls of plugins that scopes are checked against.

use crate::Capability;

/// A call of a plugin, in terms of the keys of its capability's scope.
pub trait Call {
    /// Returns the capability that it belongs to.
    fn capability(&self) -> Capability;

    /// Returns each key that this call has a value for. Other keys are not checked.
    fn facts(&self) -> Vec<(&'static str, &str)>;

    /// Returns whether each value includes every path below it.
    fn is_whole(&self) -> bool {
        false
    }

    /// Describes the call in words: `create gs://ci-contexts/api/x`.
    fn describe(&self) -> String;
}
