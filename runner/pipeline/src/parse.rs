use indexmap::IndexMap;
use serde_json::Value;
use sidestep_events::{Diagnostic, Position};
use sidestep_policy::tree::{self, Node, NodeKind};

use crate::context::{self, IN_DEFAULTS, IN_INPUTS, IN_OUTPUTS};
use crate::file::{Declared, Defaults, Input, InputKind, Pipeline, Source, Written};
use crate::plan::SecretSource;
use crate::problems::Problems;
use crate::{graph, read, retry, scalars, step};

const TOP: &[&str] = &[
    "version",
    "name",
    "description",
    "inputs",
    "secrets",
    "env",
    "defaults",
    "steps",
    "finally",
    "outputs",
    "maxParallel",
    "timeout",
];
const INPUT: &[&str] = &["type", "description", "default", "pattern", "enum"];

/// The most steps of one file, matrices not counted.
const MAX_STEPS: usize = 10_000;

const START: Position = Position {
    line: 1,
    column: 1,
    length: 0,
};

/// What could be read of a file.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// What could be understood; none where the rest would say nothing, as without YAML.
    pub pipeline: Option<Pipeline>,
    /// What is wrong, each with its place.
    pub problems: Vec<Diagnostic>,
}

/// Reads a pipeline file. Either the pipeline is right as far as that can be said without its
/// plugins, or everything that is wrong comes back, each with its place.
pub fn parse(source: &Source) -> Result<Pipeline, Vec<Diagnostic>> {
    match parse_partly(source) {
        Parsed {
            pipeline: Some(pipeline),
            problems,
        } if problems.is_empty() => Ok(pipeline),
        Parsed { problems, .. } => Err(problems),
    }
}

/// Reads as much of a pipeline file as can be understood, so that what else is wrong with it can be
/// said in the same go ([`crate::plan_partly`]).
pub fn parse_partly(source: &Source) -> Parsed {
    let tree = tree::read(&source.name, &source.text);
    let mut problems = Problems::new(&source.name, tree.problems);
    let Some(root) = &tree.root else {
        if problems.is_empty() {
            problems.add_help(
                "pipeline.empty",
                START,
                "the file is empty",
                "begin with `version: 1`",
            );
        }
        return Parsed {
            pipeline: None,
            problems: problems.finish(),
        };
    };
    let pipeline = pipeline(&mut problems, root);
    Parsed {
        pipeline,
        problems: problems.finish(),
    }
}

fn pipeline(problems: &mut Problems<'_>, root: &Node) -> Option<Pipeline> {
    if !read::keys(problems, root, "a pipeline", TOP) {
        return None;
    }
    let readable = version(problems, root);
    let name = match root.get("name") {
        Some(node) => read::text(problems, node, "`name`"),
        None => {
            problems.add_help(
                "pipeline.missing",
                root.at,
                "`name` is missing",
                "add `name: NAME`",
            );
            None
        }
    };
    if let Some(node) = root.get("description") {
        read::text(problems, node, "`description`");
    }
    let inputs = root
        .get("inputs")
        .map(|node| inputs(problems, node))
        .unwrap_or_default();
    let secrets = root
        .get("secrets")
        .map(|node| secrets(problems, node))
        .unwrap_or_default();
    let env = root
        .get("env")
        .map(|node| read::texts(problems, node, "`env`"))
        .unwrap_or_default();
    let defaults = root
        .get("defaults")
        .map(|node| defaults(problems, node))
        .unwrap_or_default();
    let max_parallel = root
        .get("maxParallel")
        .and_then(|node| read::count(problems, node, "`maxParallel`", 10_000));
    let timeout_ms = root
        .get("timeout")
        .and_then(|node| read::duration(problems, node, "`timeout`"));
    let mut steps = Vec::new();
    match root.get("steps") {
        Some(node) => steps.extend(step::steps(problems, node, false)),
        None => problems.add_help(
            "pipeline.missing",
            root.at,
            "`steps` is missing",
            "a pipeline has at least one step: `steps: { NAME: { uses: PLUGIN } }`",
        ),
    }
    if let Some(node) = root.get("finally") {
        steps.extend(step::steps(problems, node, true));
    }
    if steps.len() > MAX_STEPS {
        let message = format!(
            "the file has {} steps; at most {MAX_STEPS} are run",
            steps.len()
        );
        problems.add("pipeline.too-many", root.at, message);
    }
    let outputs = root
        .get("outputs")
        .map(|node| outputs(problems, node))
        .unwrap_or_default();
    let pipeline = Pipeline {
        file: problems.file().to_owned(),
        name: name.unwrap_or_default(),
        inputs,
        secrets,
        env,
        defaults,
        max_parallel,
        timeout_ms,
        steps,
        outputs,
        declared: Declared {
            steps: [names(root, "steps"), names(root, "finally")].concat(),
            inputs: names(root, "inputs"),
            secrets: names(root, "secrets"),
        },
    };
    graph::check(problems, pipeline).filter(|_| readable)
}

fn names(root: &Node, key: &str) -> Vec<String> {
    let entries = root.get(key).into_iter().flat_map(Node::entries);
    entries.map(|(name, _)| name.text.clone()).collect()
}

/// Whether the file is not of another version, of which little could be said.
fn version(problems: &mut Problems<'_>, root: &Node) -> bool {
    match root.get("version") {
        None => problems.add_help(
            "pipeline.version",
            root.at,
            "`version` is missing",
            "begin with `version: 1`",
        ),
        Some(node) => match node.scalar().map(|scalar| scalar.text.as_str()) {
            Some("1") => {}
            shown => {
                let message = format!(
                    "this version reads pipelines of version 1, not `{}`",
                    shown.unwrap_or("…")
                );
                problems.add_help("pipeline.version", node.at, message, "write `version: 1`");
                return false;
            }
        },
    }
    true
}

fn inputs(problems: &mut Problems<'_>, node: &Node) -> IndexMap<String, Input> {
    let mut inputs = IndexMap::new();
    for (name, at, node) in read::named(problems, node, "`inputs`") {
        if !read::keys(problems, node, "an input", INPUT) {
            continue;
        }
        let kind = match node.get("type") {
            Some(kind) => {
                let text = kind.scalar().map_or("", |scalar| scalar.text.as_str());
                let known = InputKind::from_name(text);
                if known.is_none() {
                    let message = format!("`{text}` is not a type of inputs");
                    problems.unknown(
                        "input.type",
                        kind.at,
                        message,
                        text,
                        InputKind::NAMES.iter().copied(),
                    );
                }
                known
            }
            None => {
                let help = format!("write `{name}: {{ type: string }}`");
                problems.add_help(
                    "input.type",
                    at,
                    format!("the input `{name}` has no type"),
                    help,
                );
                None
            }
        };
        if let Some(text) = node.get("description") {
            read::text(problems, text, "`description`");
        }
        let default = node
            .get("default")
            .map(|node| context::written(problems, IN_INPUTS, node));
        let pattern = node.get("pattern").and_then(|node| {
            let text = read::text(problems, node, "`pattern`")?;
            if let Err(error) = regex::Regex::new(&text) {
                let message = error.to_string();
                let message = message
                    .lines()
                    .last()
                    .unwrap_or("it can't be read")
                    .to_owned();
                problems.add(
                    "input.pattern",
                    node.at,
                    format!("this pattern can't be used: {message}"),
                );
                return None;
            }
            Some(text)
        });
        let choices = node.get("enum").and_then(|node| choices(problems, node));
        if let Some(kind) = kind {
            let input = Input {
                at,
                kind,
                default,
                pattern,
                choices,
            };
            inputs.insert(name.to_owned(), input);
        }
    }
    inputs
}

fn choices(problems: &mut Problems<'_>, node: &Node) -> Option<Vec<Value>> {
    let NodeKind::List(items) = &node.kind else {
        problems.add("pipeline.type", node.at, "`enum` is a list of values");
        return None;
    };
    let mut values = Vec::new();
    for item in items {
        match item.scalar().map(|scalar| scalars::value(scalar, &[])) {
            Some(Ok(value)) => values.push(value),
            Some(Err((message, help))) => {
                problems.add_help("yaml.ambiguous", item.at, message, help);
            }
            None => problems.add("pipeline.type", item.at, "a choice is a single value"),
        }
    }
    Some(values)
}

fn secrets(problems: &mut Problems<'_>, node: &Node) -> IndexMap<String, SecretSource> {
    const SOURCES: &[&str] = &["env", "file", "secretManager"];
    let mut secrets = IndexMap::new();
    for (name, at, node) in read::named(problems, node, "`secrets`") {
        if !read::keys(problems, node, "a secret", SOURCES) {
            continue;
        }
        let [(key, value)] = node.entries() else {
            problems.add_help(
                "secret.source",
                at,
                format!("the secret `{name}` comes from exactly one place"),
                format!("write `{name}: {{ env: VARIABLE }}`, `file:` or `secretManager:`"),
            );
            continue;
        };
        let Some(text) = read::text(problems, value, "a secret's source") else {
            continue;
        };
        let source = match key.text.as_str() {
            "env" => SecretSource::Env(text),
            "file" => SecretSource::File(text),
            "secretManager" => {
                let parts: Vec<&str> = text.split('/').collect();
                if !matches!(parts.as_slice(), ["projects", p, "secrets", s, "versions", v] if ![p, s, v].iter().any(|part| part.is_empty()))
                {
                    problems.add_help(
                        "secret.source",
                        value.at,
                        format!("`{text}` is not the name of a secret's version"),
                        "write projects/P/secrets/S/versions/latest",
                    );
                }
                SecretSource::SecretManager(text)
            }
            _ => continue,
        };
        secrets.insert(name.to_owned(), source);
    }
    secrets
}

fn defaults(problems: &mut Problems<'_>, node: &Node) -> Defaults {
    if !read::keys(
        problems,
        node,
        "`defaults`",
        &["timeout", "retry", "cluster"],
    ) {
        return Defaults::default();
    }
    let cluster = node.get("cluster").cloned();
    if let Some(cluster) = &cluster {
        context::written(problems, IN_DEFAULTS, cluster);
        if cluster.scalar().is_none() {
            problems.add("pipeline.type", cluster.at, "`cluster` is a text");
        }
    }
    Defaults {
        timeout_ms: node
            .get("timeout")
            .and_then(|node| read::duration(problems, node, "`timeout`")),
        retry: node
            .get("retry")
            .and_then(|node| retry::read(problems, node)),
        cluster,
    }
}

fn outputs(problems: &mut Problems<'_>, node: &Node) -> IndexMap<String, (Position, Written)> {
    read::named(problems, node, "`outputs`")
        .into_iter()
        .map(|(name, at, node)| {
            let written = context::written(problems, IN_OUTPUTS, node);
            (name.to_owned(), (at, written))
        })
        .collect()
}
