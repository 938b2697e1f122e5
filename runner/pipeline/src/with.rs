//! A step's `with`, read by its plugin's input schema.

use indexmap::IndexMap;
use serde_json::Value;
use sidestep_policy::tree::{Node, NodeKind};
use sidestep_policy::{locate, nearest};

use crate::context::{self, IN_STEP};
use crate::expression::{self, Values};
use crate::file::{Pipeline, Step};
use crate::outputs;
use crate::planner::PlanInputs;
use crate::problems::Problems;
use crate::template::{Piece, Template, join};
use crate::{scalars, schema, units};

/// Reads values by a schema, and evaluates what is known when the plan is made.
pub(crate) struct Reader<'a> {
    values: &'a Values,
    root: &'a Value,
    /// Single expressions, each with the JSON types that its place allows.
    pub(crate) wanted: Vec<(String, sidestep_events::Position, Vec<String>)>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(values: &'a Values, root: &'a Value) -> Self {
        Self {
            values,
            root,
            wanted: Vec::new(),
        }
    }

    pub(crate) fn read(
        &mut self,
        problems: &mut Problems<'_>,
        node: &Node,
        schemas: &[&Value],
    ) -> Template {
        match &node.kind {
            NodeKind::Scalar(_) => self.scalar(problems, node, schemas),
            NodeKind::List(list) => {
                let of = schema::items(self.root, schemas);
                Template::List(
                    list.iter()
                        .map(|item| self.read(problems, item, &of))
                        .collect(),
                )
            }
            NodeKind::Map(entries) => {
                let mut map = IndexMap::new();
                for (key, value) in entries {
                    let of = schema::property(self.root, schemas, &key.text);
                    map.insert(key.text.clone(), self.read(problems, value, &of));
                }
                Template::Map(map)
            }
        }
    }

    fn scalar(&mut self, problems: &mut Problems<'_>, node: &Node, schemas: &[&Value]) -> Template {
        let nothing = Template::Literal(Value::Null);
        let Some(scalar) = node.scalar() else {
            return nothing;
        };
        let types = schema::types(schemas);
        if !scalar.text.contains("${{") {
            return match scalars::value(scalar, &types) {
                Ok(value) => {
                    if let Some(text) = value.as_str()
                        && let Err((message, help)) = unit(schema::mark(schemas).as_deref(), text)
                    {
                        problems.add_help("input.unit", node.at, message, help);
                    }
                    Template::Literal(value)
                }
                Err((message, help)) if help.is_empty() => {
                    problems.add("input.type", node.at, message);
                    nothing
                }
                Err((message, help)) => {
                    problems.add_help("yaml.ambiguous", node.at, message, help);
                    nothing
                }
            };
        }
        if schema::mark(schemas).as_deref() == Some("code") {
            problems.add_help(
                "code.expression",
                node.at,
                "code takes no expressions: a value that is pasted into code can become code",
                "hand it over as a variable: env: { TAG: \"${{ inputs.tag }}\" }, then $TAG in the code",
            );
            return nothing;
        }
        let Some(parts) = context::parts(problems, IN_STEP, scalar, node.at) else {
            return nothing;
        };
        let known = parts.expressions.iter().filter(|expression| {
            let analysis = &expression.analysis;
            !analysis.reads("steps")
                && !analysis.reads("run")
                && !self.values.lacks(analysis)
                && !problems.has_at(expression.at)
        });
        let known: Vec<&str> = known.map(|expression| expression.text.as_str()).collect();
        let now = |text: &str| known.contains(&text);
        let at = parts
            .expressions
            .first()
            .map_or(node.at, |expression| expression.at);
        let result = match parts.pieces.as_slice() {
            [Piece::Expression(text)] => {
                self.wanted.push((
                    text.clone(),
                    at,
                    types.iter().map(|&t| t.to_owned()).collect(),
                ));
                if now(text) {
                    expression::evaluate(text, self.values).map(Template::Literal)
                } else {
                    Ok(Template::Expression(text.clone()))
                }
            }
            pieces => {
                let known = pieces.iter().all(|piece| match piece {
                    Piece::Text(_) => true,
                    Piece::Expression(text) => now(text),
                });
                if known {
                    join(pieces, self.values).map(|text| Template::Literal(Value::String(text)))
                } else {
                    Ok(Template::Text(pieces.to_vec()))
                }
            }
        };
        result.unwrap_or_else(|message| {
            problems.add("expression.failed", at, message);
            nothing
        })
    }
}

/// A step's `with` as a template, with the pipeline's default cluster where it is left out. None
/// when something in it is wrong, which is then reported.
pub(crate) fn of_step(
    problems: &mut Problems<'_>,
    pipeline: &Pipeline,
    given: &PlanInputs<'_>,
    step: &Step,
    root: &Value,
    values: &Values,
) -> Option<Template> {
    let before = problems.count();
    let top = schema::candidates(root, root);
    let mut reader = Reader::new(values, root);
    let mut map = IndexMap::new();
    for (key, node) in step.with.iter().flat_map(Node::entries) {
        let of = schema::property(root, &top, &key.text);
        map.insert(key.text.clone(), reader.read(problems, node, &of));
    }
    if let Some(cluster) = &pipeline.defaults.cluster {
        for name in schema::property_names(&top) {
            let of = schema::property(root, &top, name);
            if !map.contains_key(name) && schema::mark(&of).as_deref() == Some("cluster") {
                map.insert(name.to_owned(), reader.read(problems, cluster, &of));
            }
        }
    }
    for (text, at, wanted) in &reader.wanted {
        outputs::types(problems, pipeline, given, text, *at, wanted);
    }
    let read = problems.count() == before;
    let template = Template::Map(map).simplify();
    if !read {
        // What else is wrong is said in the same go: keys and what is missing.
        let (known, _) = template.known(values);
        check_keys(problems, step, root, &known);
        return None;
    }
    Some(template)
}

/// Checks what is known of the inputs against the schema. Says whether it found them right.
pub(crate) fn check(
    problems: &mut Problems<'_>,
    step: &Step,
    root: &Value,
    known: &Value,
    unknown: &[String],
) -> bool {
    let findings = match schema::validate(root, known) {
        Ok(findings) => findings,
        Err(message) => {
            problems.add(
                "plugin.schema",
                step.uses_at,
                format!(
                    "the input schema of `{}` can't be used: {message}",
                    step.uses
                ),
            );
            return false;
        }
    };
    let before = problems.count();
    for finding in findings {
        let at_or_below = |at: &String| {
            let waits = finding.pointer.strip_prefix(at.as_str());
            let decides = at.strip_prefix(finding.pointer.as_str());
            waits.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                || (finding.alternatives && decides.is_some_and(|rest| rest.starts_with('/')))
        };
        if unknown.iter().any(at_or_below) {
            continue;
        }
        report(problems, step, root, &finding);
    }
    problems.count() == before
}

/// What else is wrong with inputs of which some could not be read; those are null here.
fn check_keys(problems: &mut Problems<'_>, step: &Step, root: &Value, known: &Value) {
    // An unusable schema is reported when there are inputs to check against it.
    for finding in schema::validate(root, known).unwrap_or_default() {
        let unread = known.pointer(&finding.pointer).is_none_or(Value::is_null);
        if !unread && !finding.alternatives {
            report(problems, step, root, &finding);
        }
    }
}

/// Whether a text has the form that `x-sidestep` asks for; what is wrong and what to write.
fn unit(mark: Option<&str>, text: &str) -> Result<(), (String, &'static str)> {
    match mark {
        Some("duration") if units::milliseconds(text).is_none() => Err((
            format!("a time with its unit is wanted here, and `{text}` is not one"),
            "write 30s, 10m or 1h30m",
        )),
        Some("bytesize" | "byte-size") if units::bytes(text).is_none() => Err((
            format!("a size with its unit is wanted here, and `{text}` is not one"),
            "write 512Mi or 2Gi",
        )),
        _ => Ok(()),
    }
}

fn report(problems: &mut Problems<'_>, step: &Step, root: &Value, finding: &schema::Finding) {
    let path: Vec<String> = finding
        .pointer
        .split('/')
        .skip(1)
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect();
    let place = |path: &[String]| match &step.with {
        Some(with) if !path.is_empty() => locate(with, path),
        _ => step.with_at,
    };
    let mut schemas = schema::candidates(root, root);
    for part in &path {
        schemas = if part.parse::<usize>().is_ok() {
            schema::items(root, &schemas)
        } else {
            schema::property(root, &schemas, part)
        };
    }
    if finding.unexpected.is_empty() {
        let message = match path.last() {
            Some(name) if !finding.message.starts_with('`') => {
                format!("`{name}` of `{}`: {}", step.uses, finding.message)
            }
            _ => format!("{} in the inputs of `{}`", finding.message, step.uses),
        };
        problems.add("input.wrong", place(&path), message);
        return;
    }
    let known = schema::property_names(&schemas);
    for key in &finding.unexpected {
        let mut at = path.clone();
        at.push(key.clone());
        let message = format!("`{}` has no input `{key}`", step.uses);
        let help = match nearest(key, known.iter().copied()) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("its inputs are {}", known.join(", ")),
        };
        problems.add_help("input.unknown", place(&at), message, help);
    }
}

/// A tree as JSON in which every scalar is its text, with its expressions evaluated: for grants.
pub(crate) fn texts(problems: &mut Problems<'_>, node: &Node, values: &Values) -> Value {
    match &node.kind {
        NodeKind::Scalar(scalar) => {
            let Some(parts) = context::parts(problems, context::IN_GRANTS, scalar, node.at) else {
                return Value::Null;
            };
            let result = match parts.pieces.as_slice() {
                [Piece::Expression(text)] => expression::evaluate(text, values),
                _ if node.is_null() => Ok(Value::Null),
                pieces => join(pieces, values).map(Value::String),
            };
            result.unwrap_or_else(|message| {
                problems.add("expression.failed", node.at, message);
                Value::Null
            })
        }
        NodeKind::List(items) => items
            .iter()
            .map(|item| texts(problems, item, values))
            .collect(),
        NodeKind::Map(entries) => entries
            .iter()
            .map(|(key, value)| (key.text.clone(), texts(problems, value, values)))
            .collect(),
    }
}
