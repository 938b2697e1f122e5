use serde_json::Value;
use sidestep_events::{Diagnostic, Exit, Position};

use crate::capability::Capability;
use crate::ceiling::{Ceiling, CeilingRule};
use crate::field::{Reading, ScopeError, nearest};
use crate::grants::Grants;
use crate::pattern::{Kind, Pattern};
use crate::scope::Scope;
use crate::tree::{self, Node, NodeKind};

/// Where a run's code comes from, and how far that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The repository, with its host: `github.com/acme/app`.
    pub repository: Option<String>,
    /// The ref: `refs/heads/main`.
    pub git_ref: Option<String>,
    /// The CI's event: `push`, `pull_request`.
    pub event: Option<String>,
    /// How far the three above are known.
    pub trust: Trust,
}

/// How far a run's origin is known.
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
    /// The name that policies write.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Unverified => "unverified",
            Self::Fork => "fork",
        }
    }
}

/// The plugin that a ceiling is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PluginFacts<'a> {
    /// As the pipeline names it: `sidestep/kaniko-launch`.
    pub name: &'a str,
    /// `sha256:` of its bytes.
    pub digest: &'a str,
    /// Who signed it, where a signature was verified.
    pub signer: Option<&'a str>,
}

/// A policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name, for messages.
    pub file: String,
    /// Whether it reports only (`mode: audit`).
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
    plugins: Option<Vec<PluginRule>>,
    allow: CeilingRule,
    cache_write: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct PluginRule {
    name: Option<Pattern>,
    digest: Option<String>,
    signer: Option<Pattern>,
}

impl Policy {
    /// Reads a policy file's text. Everything that is wrong with it comes back, each with its
    /// place and exit 6.
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

    /// What this policy allows to a plugin in a run of that origin.
    pub fn ceiling(&self, origin: &Origin, plugin: PluginFacts<'_>) -> Ceiling {
        let rules = self.matching(origin).filter(|rule| {
            rule.plugins
                .as_ref()
                .is_none_or(|all| all.iter().any(|one| one.matches(plugin)))
        });
        Ceiling {
            file: self.file.clone(),
            rules_line: self.rules_line,
            audit: self.audit,
            rules: rules.map(|rule| rule.allow.clone()).collect(),
        }
    }

    /// Whether a run of that origin may write to caches that others read. Never unless verified.
    pub fn may_write_cache(&self, origin: &Origin) -> bool {
        origin.trust == Trust::Verified && self.matching(origin).any(|rule| rule.cache_write)
    }

    fn matching<'a>(&'a self, origin: &'a Origin) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter(|rule| rule.matches(origin))
    }
}

impl Rule {
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

impl PluginRule {
    fn matches(&self, plugin: PluginFacts<'_>) -> bool {
        self.name
            .as_ref()
            .is_none_or(|name| name.matches(plugin.name))
            && self
                .digest
                .as_ref()
                .is_none_or(|digest| digest == plugin.digest)
            && self
                .signer
                .as_ref()
                .is_none_or(|signer| plugin.signer.is_some_and(|who| signer.matches(who)))
    }
}

const START: Position = Position {
    line: 1,
    column: 1,
    length: 0,
};

struct Reader<'a> {
    file: &'a str,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn wrong(&mut self, at: Position, message: impl Into<String>, help: impl Into<String>) {
        let problem = Diagnostic::error("policy.wrong", message).at(self.file, at);
        let help = help.into();
        self.problems.push(if help.is_empty() {
            problem
        } else {
            problem.with_help(help)
        });
    }

    /// Reports keys that a map should not have.
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
                    format!("`{}` is not a key of a policy here", key.text),
                    help,
                );
            }
        }
    }

    /// One of a few words.
    fn word<'a>(&mut self, node: &'a Node, known: &[&str]) -> Option<&'a str> {
        let text = node.scalar().map(|scalar| scalar.text.as_str());
        match text.filter(|text| known.contains(text)) {
            Some(text) => Some(text),
            None => {
                self.wrong(
                    node.at,
                    format!("`{}` is wanted here", known.join("` or `")),
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
                None => self.wrong(item.at, "a pattern is a text", ""),
            }
        }
        Some(patterns)
    }

    fn policy(&mut self, root: &Node) -> Option<Policy> {
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
                "without a rule nothing is allowed; write `rules: []` if that is meant",
            );
            return None;
        };
        let NodeKind::List(items) = &rules.kind else {
            self.wrong(rules.at, "`rules` is a list", "");
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
            // Silence is not consent: only what is proven.
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
        let plugins = node.get("plugins").map(|plugins| self.plugins(plugins));
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

    fn plugins(&mut self, node: &Node) -> Vec<PluginRule> {
        let NodeKind::List(items) = &node.kind else {
            self.wrong(
                node.at,
                "`plugins` is a list",
                "plugins: [{ name: \"sidestep/*\" }]",
            );
            return Vec::new();
        };
        let mut rules = Vec::new();
        for item in items {
            self.keys(item, &["name", "digest", "signer"]);
            if item.entries().is_empty() {
                self.wrong(
                    item.at,
                    "this names no plugin",
                    "write `name`, `digest` or `signer`",
                );
            }
            let first =
                |patterns: Option<Vec<Pattern>>| patterns.and_then(|all| all.into_iter().next());
            rules.push(PluginRule {
                name: first(self.patterns(item.get("name"), Kind::Name)),
                digest: item
                    .get("digest")
                    .and_then(|d| Some(d.scalar()?.text.clone())),
                signer: first(self.patterns(item.get("signer"), Kind::Name)),
            });
        }
        rules
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

    /// A rule's own `secrets`: none, or the names; without it secrets are not limited.
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
                self.wrong(at, "`secrets` is `none` or a list of names", "");
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

/// The place of what a scope error's path leads to, or of the last part that exists.
pub fn locate(node: &Node, path: &[String]) -> Position {
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

/// A tree as JSON, every scalar as its text; for values that are texts throughout.
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
