//! The scopes of grants, requests and policies.

mod cover;
mod links;
mod read;
mod write;

use crate::Capability;
use crate::call::Call;
use crate::capability::Scoped;
use crate::field::Limit;
use crate::limits::Limits;
use crate::pattern::Pattern;

pub(crate) use write::quote;

/// One entry of a capability's list in a grant, a request or a policy: for each of the capability's
/// keys, the values that a call may have.
#[derive(Clone, PartialEq, Eq)]
pub struct Scope {
    capability: Capability,
    limits: Limits,
}

impl Scope {
    /// Returns the capability that it is a scope of.
    pub fn capability(&self) -> Capability {
        self.capability
    }

    /// Returns the patterns that a key allows, or `None` if the key is not limited.
    pub fn patterns(&self, key: &str) -> Option<&[Pattern]> {
        self.limits.patterns(key)
    }

    /// Returns the values of a key that are named exactly, without a star. Others may be allowed as
    /// well; see [`is_exact`](Self::is_exact).
    pub fn exactly(&self, key: &str) -> Vec<&str> {
        let patterns = self.patterns(key).unwrap_or_default().iter();
        let exact = patterns.filter(|pattern| pattern.is_exact());
        exact.map(Pattern::as_str).collect()
    }

    /// Returns whether a key allows only values that it names exactly, so that
    /// [`exactly`](Self::exactly) returns all of them.
    pub fn is_exact(&self, key: &str) -> bool {
        let patterns = self.patterns(key);
        patterns.is_some_and(|all| all.iter().all(Pattern::is_exact))
    }

    /// Returns whether the scope allows the call.
    pub fn contains(&self, call: &dyn Call) -> bool {
        call.capability() == self.capability
            && call.facts().iter().all(|(key, value)| {
                // Only a path has anything below it.
                let is_path = self.capability == Capability::Workspace && *key == "read";
                if call.is_whole() && is_path {
                    self.admits_below(key, value)
                } else {
                    self.admits(key, value)
                }
            })
    }

    /// Returns whether a key allows a value.
    pub(crate) fn admits(&self, key: &str, value: &str) -> bool {
        match self.limits.get(key) {
            None => true,
            Some(Limit::Only(patterns)) => patterns.iter().any(|pattern| pattern.matches(value)),
            Some(Limit::AtMost(_)) => false,
        }
    }

    /// Returns whether one of a key's patterns allows a path and every path below it.
    fn admits_below(&self, key: &str, path: &str) -> bool {
        let Some(patterns) = self.patterns(key) else {
            return true;
        };
        let below = |pattern: &Pattern| Pattern::parse(pattern.kind(), &format!("{path}/**"));
        patterns
            .iter()
            .any(|pattern| below(pattern).is_ok_and(|below| pattern.covers(&below)))
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the same scope without dangerous pod fields.
    pub(crate) fn without_dangerous(&self) -> Self {
        let mut scope = self.clone();
        if self.capability == Capability::Kubernetes {
            scope.limits.set("podFields", Limit::nothing());
        }
        scope
    }

    /// Describes the scope in one short line.
    pub fn explain(&self) -> String {
        self.capability.explain(&self.limits)
    }
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.capability, self.to_json())
    }
}
