//! Parses a pipeline file.

mod inputs;
mod secrets;

use indexmap::IndexMap;
use sidestep_evaluator::Evaluator;
use sidestep_events::{Diagnostic, Place, Position, codes};
use sidestep_policy::tree::{self, Node};

use crate::context::{self, IN_DEFAULTS, IN_OUTPUTS};
use crate::file::{Declared, Defaults, Pipeline, Source, Written};
use crate::problems::Problems;
use crate::steps::Steps;
use crate::{graph, read, retry, step};

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

/// Returns whether a key at the top holds values for anchors that the rest of the file repeats.
/// Its value has no meaning of its own.
fn is_shared(key: &str) -> bool {
    key.starts_with("x-")
}

/// The maximum number of steps in one file; a matrix counts once.
const MAX_STEPS: usize = 10_000;

const START: Position = Position {
    line: 1,
    column: 1,
    length: 0,
};

/// The readable part of a file.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The part that could be read; `None` if no part is usable, as with invalid YAML.
    pub pipeline: Option<Pipeline>,
    /// All errors, each with its place.
    pub problems: Vec<Diagnostic>,
}

/// Reads a pipeline file. Returns a pipeline without errors, as far as they can be found without
/// its plugins, or all errors, each with its place.
pub fn parse(source: &Source, evaluator: &dyn Evaluator) -> Result<Pipeline, Vec<Diagnostic>> {
    match parse_partly(source, evaluator) {
        Parsed {
            pipeline: Some(pipeline),
            problems,
        } if problems.is_empty() => Ok(pipeline),
        Parsed { problems, .. } => Err(problems),
    }
}

/// Reads as much of a pipeline file as possible, so that [`crate::plan_partly`] can report further
/// errors in the same pass.
pub fn parse_partly(source: &Source, evaluator: &dyn Evaluator) -> Parsed {
    let tree = tree::read(&source.name, &source.text);
    let mut problems = Problems::new(&source.name, evaluator, tree.problems);
    let Some(root) = &tree.root else {
        if problems.is_empty() {
            problems.add_help(
                codes::pipeline::EMPTY,
                START.into(),
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
    if !read::keys_and(problems, root, "a pipeline", TOP, is_shared) {
        return None;
    }
    let readable = version(problems, root);
    let name = match root.get("name") {
        Some(node) => read::text(problems, node, "`name`"),
        None => {
            problems.add_help(
                codes::pipeline::MISSING,
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
        .map(|node| inputs::read(problems, node))
        .unwrap_or_default();
    let secrets = root
        .get("secrets")
        .map(|node| secrets::read(problems, node))
        .unwrap_or_default();
    let env = root
        .get("env")
        .map(|node| read::texts(problems, node, "`env`"))
        .unwrap_or_default();
    secrets::keep_out_of_env(problems, &secrets, &env);
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
            codes::pipeline::MISSING,
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
            "the file has {} steps; at most {MAX_STEPS} are allowed",
            steps.len()
        );
        problems.add(codes::pipeline::TOO_MANY, root.at, message);
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
        steps: Steps::default(),
        outputs,
        declared: Declared {
            steps: names(root, "steps").chain(names(root, "finally")).collect(),
            inputs: names(root, "inputs").collect(),
            secrets: names(root, "secrets").collect(),
        },
    };
    let pipeline = graph::check(problems, pipeline, steps);
    readable.then_some(pipeline)
}

fn names<'n>(root: &'n Node, key: &str) -> impl Iterator<Item = String> + use<'n> {
    let entries = root.get(key).into_iter().flat_map(Node::entries);
    entries.map(|(name, _)| name.text.clone())
}

/// Checks that the file has a supported version. The rest of a file of another version is not
/// checked.
fn version(problems: &mut Problems<'_>, root: &Node) -> bool {
    match root.get("version") {
        None => problems.add_help(
            codes::pipeline::VERSION,
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
                problems.add_help(
                    codes::pipeline::VERSION,
                    node.at,
                    message,
                    "write `version: 1`",
                );
                return false;
            }
        },
    }
    true
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
    let cluster = node.get("cluster").map(|cluster| {
        let written = context::written(problems, IN_DEFAULTS, cluster);
        if cluster.scalar().is_none() {
            problems.add(
                codes::pipeline::TYPE,
                cluster.at,
                "`cluster` must be a string",
            );
        }
        written
    });
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

fn outputs(problems: &mut Problems<'_>, node: &Node) -> IndexMap<String, (Place, Written)> {
    read::named(problems, node, "`outputs`")
        .into_iter()
        .map(|(name, at, node)| {
            let written = context::written(problems, IN_OUTPUTS, node);
            (name.to_owned(), (at, written))
        })
        .collect()
}
