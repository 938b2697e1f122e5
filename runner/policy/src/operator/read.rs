//! Reads a policy's rules from its tree.

mod plugins;

use serde_json::Value;
use sidestep_events::{Diagnostic, Foreign, Place, Position, codes};

use super::{Policy, Rule, json, locate};
use crate::Capability;
use crate::ceiling::CeilingRule;
use crate::field::{Reading, ScopeError, nearest};
use crate::grants::Grants;
use crate::pattern::{Kind, Pattern};
use crate::scope::Scope;
use crate::tree::{Node, NodeKind};

pub(super) const START: Place = Place {
    at: Position {
        line: 1,
        column: 1,
        length: 0,
    },
    used: None,
};

/// Reads one policy file.
pub(super) struct Reader<'a> {
    pub(super) file: &'a str,
    pub(super) problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    pub(super) fn wrong(
        &mut self,
        at: Place,
        message: impl Into<Foreign>,
        help: impl Into<Foreign>,
    ) {
        let problem = Diagnostic::error(codes::policy::WRONG, message).at(self.file, at);
        let help = help.into();
        self.problems.push(if help.is_empty() {
            problem
        } else {
            problem.with_help(help)
        });
    }

    /// Reports unknown keys of a map.
    fn keys(&mut self, node: &Node, known: &[&str]) {
        if !matches!(node.kind, NodeKind::Map(_)) {
            self.wrong(
                node.at,
                format!("a map is expected here, not {}", node.describe()),
                format!("its keys are {}", known.join(", ")),
            );
        }
        for (key, _) in node.entries() {
            if !known.contains(&key.text.as_str()) {
                let help = match nearest(&key.text, known.iter().copied()) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => format!("the keys here are {}", known.join(", ")),
                };
                self.wrong(
                    key.at,
                    format!("`{}` is not a valid key here", key.text),
                    help,
                );
            }
        }
    }

    /// Reads one of a few words.
    fn word<'a>(&mut self, node: &'a Node, known: &[&str]) -> Option<&'a str> {
        let text = node.scalar().map(|scalar| scalar.text.as_str());
        match text.filter(|text| known.contains(text)) {
            Some(text) => Some(text),
            None => {
                self.wrong(
                    node.at,
                    format!("`{}` is expected here", known.join("` or `")),
                    "",
                );
                None
            }
        }
    }

    fn patterns(&mut self, node: Option<&Node>, kind: Kind) -> Option<Vec<Pattern>> {
        let node = node?;
        let items = match &node.kind {
            NodeKind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut patterns = Vec::new();
        for item in items {
            match item
                .scalar()
                .map(|scalar| Pattern::parse(kind, &scalar.text))
            {
                Some(Ok(pattern)) => patterns.push(pattern),
                Some(Err(problem)) => self.wrong(item.at, problem, ""),
                None => self.wrong(item.at, "a pattern must be a string", ""),
            }
        }
        Some(patterns)
    }

    pub(super) fn policy(&mut self, root: &Node) -> Option<Policy> {
        self.keys(root, &["version", "mode", "rules"]);
        match root.get("version") {
            Some(version) => {
                self.word(version, &["1"]);
            }
            None => self.wrong(root.at, "`version` is missing", "begin with `version: 1`"),
        }
        let mode = root
            .get("mode")
            .and_then(|mode| self.word(mode, &["enforce", "audit"]));
        let Some((key, rules)) = root.entries().iter().find(|(key, _)| key.text == "rules") else {
            self.wrong(
                root.at,
                "`rules` is missing",
                "without a rule nothing is allowed; write `rules: []` if that is intended",
            );
            return None;
        };
        let NodeKind::List(items) = &rules.kind else {
            self.wrong(rules.at, "`rules` must be a list", "");
            return None;
        };
        Some(Policy {
            file: self.file.to_owned(),
            audit: mode == Some("audit"),
            rules_line: key.at.line,
            rules: items.iter().map(|rule| self.rule(rule)).collect(),
        })
    }

    fn rule(&mut self, node: &Node) -> Rule {
        self.keys(node, &["match", "plugins", "allow", "secrets", "cache"]);
        let facts = node.get("match");
        if let Some(facts) = facts {
            self.keys(facts, &["repository", "ref", "event", "trust"]);
        }
        let fact = |name: &str| facts.and_then(|facts| facts.get(name));
        let trust = match fact("trust") {
            // Without the key, the rule only matches verified origins.
            None => vec!["verified".to_owned()],
            Some(node) => {
                let items = match &node.kind {
                    NodeKind::List(items) => items.as_slice(),
                    _ => std::slice::from_ref(node),
                };
                items
                    .iter()
                    .filter_map(|item| self.word(item, &["verified", "unverified", "fork"]))
                    .map(str::to_owned)
                    .collect()
            }
        };
        let mut entries = node.entries().iter();
        let plugins = entries
            .find(|(key, _)| key.text == "plugins")
            .map(|(key, plugins)| self.plugins(plugins, key.at.line));
        let cache = node
            .get("cache")
            .and_then(|cache| self.word(cache, &["read", "write"]));
        Rule {
            repository: self.patterns(fact("repository"), Kind::Image),
            git_ref: self.patterns(fact("ref"), Kind::Name),
            event: self.patterns(fact("event"), Kind::Name),
            trust,
            plugins,
            allow: self.allow(node),
            cache_write: cache == Some("write"),
        }
    }

    fn allow(&mut self, rule: &Node) -> CeilingRule {
        let mut allow = CeilingRule {
            line: rule.at.line,
            allow: Grants::default(),
            lines: std::collections::BTreeMap::new(),
        };
        if let Some((key, node)) = rule.entries().iter().find(|(key, _)| key.text == "allow") {
            allow.line = key.at.line;
            match Grants::parse(&json(node), Reading::Ceiling) {
                Ok(grants) => allow.allow = grants,
                Err(problems) => {
                    for problem in problems {
                        self.scope_problem(node, &problem);
                    }
                }
            }
            for (key, scopes) in node.entries() {
                let lines = match &scopes.kind {
                    NodeKind::List(items) => items.iter().map(|item| item.at.line).collect(),
                    _ => vec![key.at.line],
                };
                allow.lines.insert(key.text.clone(), lines);
            }
        }
        self.secrets(rule, &mut allow);
        allow
    }

    /// Reads a rule's own `secrets`: none, or names. Without the key, secrets are not limited.
    fn secrets(&mut self, rule: &Node, allow: &mut CeilingRule) {
        let scope = match rule.get("secrets") {
            None if allow.allow.get(Capability::Secrets).is_some() => return,
            None => Value::Object(serde_json::Map::new()),
            Some(node) if node.scalar().is_some_and(|s| s.text == "none") => {
                serde_json::json!({ "names": [] })
            }
            Some(node) => serde_json::json!({ "names": json(node) }),
        };
        match Scope::parse(Capability::Secrets, &scope, Reading::Ceiling) {
            Ok(scope) => allow.allow.insert(Capability::Secrets, vec![scope]),
            Err(_) => {
                let at = rule.get("secrets").map_or(rule.at, |node| node.at);
                self.wrong(at, "`secrets` must be `none` or a list of names", "");
            }
        }
    }

    fn scope_problem(&mut self, node: &Node, problem: &ScopeError) {
        let at = locate(node, &problem.path);
        self.wrong(
            at,
            problem.message.clone(),
            problem.help.clone().unwrap_or_default(),
        );
    }
}
