//! The differences that remain.

use std::collections::BTreeSet;

use regex::Regex;

/// The list of `differences.txt`.
pub(crate) struct Known(Vec<Group>);

/// Differences for one reason.
struct Group {
    reason: &'static str,
    patterns: Vec<Regex>,
}

impl Known {
    /// Reads the list.
    pub(crate) fn all() -> Self {
        let mut groups: Vec<Group> = Vec::new();
        let lines = include_str!("differences.txt").lines();
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(reason) = line.strip_prefix("== ") {
                let patterns = Vec::new();
                groups.push(Group { reason, patterns });
            } else {
                let group = groups.last_mut().expect("a reason stands first");
                group.patterns.push(Regex::new(line).expect(line));
            }
        }
        Self(groups)
    }

    pub(crate) fn reasons(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|group| group.reason)
    }

    fn patterns(&self) -> impl Iterator<Item = &Regex> {
        self.0.iter().flat_map(|group| &group.patterns)
    }

    /// Returns the differences that the list does not have.
    pub(crate) fn unknown<'f>(&self, found: &'f BTreeSet<String>) -> Vec<&'f str> {
        let lines = found.iter().map(String::as_str);
        lines
            .filter(|line| !self.patterns().any(|pattern| pattern.is_match(line)))
            .collect()
    }

    /// Returns the patterns that match no difference any more.
    pub(crate) fn unused(&self, found: &BTreeSet<String>) -> Vec<&str> {
        self.patterns()
            .filter(|pattern| !found.iter().any(|line| pattern.is_match(line)))
            .map(Regex::as_str)
            .collect()
    }
}
