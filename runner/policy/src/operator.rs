mod plugins;
mod read;

use serde_json::Value;
use sidestep_events::{Diagnostic, Exit, Place};

use crate::ceiling::{Ceiling, CeilingRule, Unlisted};
use crate::pattern::Pattern;
use crate::tree::{self, Node, NodeKind};
use plugins::Listing;
pub use plugins::{PluginFacts, Signer};
use read::{Reader, START};

/// The origin of a run's code, and how reliable that information is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The repository, with its host: `github.com/acme/app`.
    pub repository: Option<String>,
    /// The ref: `refs/heads/main`.
    pub git_ref: Option<String>,
    /// The CI's event: `push`, `pull_request`.
    pub event: Option<String>,
    /// The reliability of the three fields above.
    pub trust: Trust,
}

/// The reliability of a run's origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// From the CI's signed id token.
    Verified,
    /// From the environment or from git.
    #[default]
    Unverified,
    /// A pull request from another repository.
    Fork,
}

impl Trust {
    /// Returns the name that policies use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Unverified => "unverified",
            Self::Fork => "fork",
        }
    }
}

/// A policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The file's name, for messages.
    pub file: String,
    /// Whether it is in audit mode and only reports (`mode: audit`).
    pub audit: bool,
    rules_line: u32,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    repository: Option<Vec<Pattern>>,
    git_ref: Option<Vec<Pattern>>,
    event: Option<Vec<Pattern>>,
    trust: Vec<String>,
    plugins: Option<Listing>,
    allow: CeilingRule,
    cache_write: bool,
}

impl Policy {
    /// Parses a policy file's text. Returns all errors, each with its place and exit code 6.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let tree = tree::read(file, text);
        let mut reader = Reader {
            file,
            problems: tree.problems,
        };
        let policy = match &tree.root {
            Some(root) => reader.policy(root),
            None => {
                if reader.problems.is_empty() {
                    reader.wrong(START, "the policy is empty", "begin with `version: 1`");
                }
                None
            }
        };
        match policy {
            Some(policy) if reader.problems.is_empty() => Ok(policy),
            _ => Err(reader
                .problems
                .into_iter()
                .map(|problem| problem.with_exit(Exit::Configuration))
                .collect()),
        }
    }

    /// Returns the permissions that this policy allows to a plugin in a run of that origin.
    pub fn ceiling(&self, origin: &Origin, plugin: PluginFacts<'_>) -> Ceiling {
        let rules: Vec<_> = self
            .matching(origin)
            .filter(|rule| rule.is_for(plugin))
            .collect();
        // If a policy lists plugins, only a rule can allow one. Otherwise a run that matches no
        // rule would not be limited by any list.
        let lists = self.rules.iter().any(|rule| rule.plugins.is_some());
        let unlisted = (lists && rules.is_empty()).then(|| Unlisted {
            plugin: plugin.plugin.clone(),
            digest: plugin.digest.to_owned(),
            line: self
                .matching(origin)
                .find_map(|rule| rule.plugins.as_ref())
                .map_or(self.rules_line, |listing| listing.line),
        });
        Ceiling {
            file: self.file.clone(),
            rules_line: self.rules_line,
            audit: self.audit,
            rules: rules.into_iter().map(|rule| rule.allow.clone()).collect(),
            unlisted,
        }
    }

    /// Returns whether a run of that origin may write to shared caches. Unverified runs may not.
    pub fn may_write_cache(&self, origin: &Origin) -> bool {
        origin.trust == Trust::Verified && self.matching(origin).any(|rule| rule.cache_write)
    }

    fn matching<'a>(&'a self, origin: &'a Origin) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter(|rule| rule.matches(origin))
    }
}

impl Rule {
    fn is_for(&self, plugin: PluginFacts<'_>) -> bool {
        self.plugins
            .as_ref()
            .is_none_or(|listing| listing.lists(plugin))
    }

    fn matches(&self, origin: &Origin) -> bool {
        let one = |patterns: &Option<Vec<Pattern>>, value: &Option<String>| match (patterns, value)
        {
            (None, _) => true,
            (Some(patterns), Some(value)) => patterns.iter().any(|p| p.matches(value)),
            (Some(_), None) => false,
        };
        self.trust
            .iter()
            .any(|trust| trust == origin.trust.as_str())
            && one(&self.repository, &origin.repository)
            && one(&self.git_ref, &origin.git_ref)
            && one(&self.event, &origin.event)
    }
}

/// Returns the place of the node at a scope error's path, or of the last part that exists.
pub fn locate(node: &Node, path: &[String]) -> Place {
    let mut node = node;
    let mut at = node.at;
    for part in path {
        match &node.kind {
            NodeKind::Map(entries) => {
                let Some((key, value)) = entries.iter().find(|(key, _)| key.text == *part) else {
                    return at;
                };
                at = key.at;
                node = value;
            }
            NodeKind::List(items) => {
                let Some(item) = part.parse::<usize>().ok().and_then(|i| items.get(i)) else {
                    return at;
                };
                at = item.at;
                node = item;
            }
            NodeKind::Scalar(_) => return at,
        }
    }
    if node.scalar().is_some() { node.at } else { at }
}

/// Returns a tree as JSON, each scalar as its text.
pub fn json(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Scalar(_) if node.is_null() => Value::Null,
        NodeKind::Scalar(scalar) => Value::String(scalar.text.clone()),
        NodeKind::List(items) => items.iter().map(json).collect(),
        NodeKind::Map(entries) => entries
            .iter()
            .map(|(key, value)| (key.text.clone(), json(value)))
            .collect(),
    }
}
