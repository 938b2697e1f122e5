//! The limits of a scope, by key.

use std::collections::BTreeMap;

use crate::field::Limit;
use crate::pattern::Pattern;

/// For each key of a capability's scope, the values that a call may have. A key that is not limited
/// has no entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Limits(BTreeMap<&'static str, Limit>);

impl Limits {
    /// Returns the limit of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Limit> {
        self.0.get(key)
    }

    /// Returns each limited key with its limit.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &Limit)> {
        self.0.iter().map(|(key, limit)| (*key, limit))
    }

    /// Limits a key, in place of its former limit.
    pub(crate) fn set(&mut self, key: &'static str, limit: Limit) {
        self.0.insert(key, limit);
    }

    /// Adds a pattern to a key that is limited.
    pub(crate) fn allow(&mut self, key: &str, pattern: Pattern) {
        if let Some(Limit::Only(patterns)) = self.0.get_mut(key) {
            patterns.push(pattern);
        }
    }

    /// Returns the patterns that a key allows, or `None` if the key is not limited.
    pub(crate) fn patterns(&self, key: &str) -> Option<&[Pattern]> {
        match self.get(key)? {
            Limit::Only(patterns) => Some(patterns),
            Limit::AtMost(_) => Some(&[]),
        }
    }

    /// Returns the values of a key, joined for display, or `None` if the key is not limited.
    pub(crate) fn words(&self, key: &str) -> Option<String> {
        match self.get(key)? {
            Limit::Only(patterns) => Some(join(patterns)),
            Limit::AtMost(amounts) => Some(
                amounts
                    .iter()
                    .map(|(name, amount)| format!("{name} {amount}"))
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
        }
    }
}

/// Joins names for display.
pub(crate) fn join(names: &[impl ToString]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [one] => one.to_string(),
        [most @ .., last] => {
            let most: Vec<String> = most.iter().map(ToString::to_string).collect();
            format!("{} and {}", most.join(", "), last.to_string())
        }
    }
}
