//! What expressions read of other steps: whether it exists, has the right type, and may be null.

use std::collections::BTreeMap;

use serde_json::Value;
use sidestep_events::Position;

use crate::file::{Expression, Pipeline, Step};
use crate::given::PlanInputs;
use crate::plan::Seen;
use crate::problems::Problems;
use crate::schema;

fn output_schema<'a>(
    pipeline: &Pipeline,
    given: &'a PlanInputs<'_>,
    step: &str,
) -> Option<(&'a Value, &'a str)> {
    let step = pipeline.steps.iter().find(|other| other.id == step)?;
    let (uses, plugin) = given.plugins.get_key_value(step.uses.as_ref()?)?;
    Some((&plugin.manifest.outputs, uses.as_str()))
}

/// Checks that every `steps.X.…` that is read exists.
pub(crate) fn names(
    problems: &mut Problems<'_>,
    pipeline: &Pipeline,
    given: &PlanInputs<'_>,
    sees: &BTreeMap<String, Seen>,
    expressions: &[Expression],
) {
    for expression in expressions {
        for reference in &expression.analysis.references {
            if reference.root != "steps" {
                continue;
            }
            let [step, rest @ ..] = reference.path.as_slice() else {
                continue;
            };
            let Some(what) = rest.first() else { continue };
            if matches!(sees.get(step), Some(Seen::All(_))) {
                problems.add_help(
                    "step.list",
                    expression.at,
                    format!("`{step}` has a matrix, so `steps.{step}` is a list here"),
                    format!("write steps.{step}.map(one, one.{})", rest.join(".")),
                );
                continue;
            }
            if what == "status" {
                continue;
            }
            if what != "outputs" {
                let message = format!("a step has no `{what}`");
                problems.unknown(
                    "step.field",
                    expression.at,
                    message,
                    what,
                    ["outputs", "status"],
                );
                continue;
            }
            let (Some(name), Some((schema, uses))) =
                (rest.get(1), output_schema(pipeline, given, step))
            else {
                continue;
            };
            let known = schema::property_names(&schema::candidates(schema, schema));
            if !known.contains(&name.as_str()) {
                problems.unknown(
                    "output.unknown",
                    expression.at,
                    format!("`{uses}` has no output `{name}`"),
                    name,
                    known,
                );
            }
        }
    }
}

/// Checks the type of an input that is one output of another step.
pub(crate) fn types(
    problems: &mut Problems<'_>,
    pipeline: &Pipeline,
    given: &PlanInputs<'_>,
    text: &str,
    at: Position,
    wanted: &[String],
) {
    let parts: Vec<&str> = text.split('.').collect();
    let ["steps", step, "outputs", name] = parts.as_slice() else {
        return;
    };
    let has_matrix = pipeline
        .steps
        .iter()
        .any(|s| s.id == *step && s.matrix.is_some());
    let Some((root, uses)) = output_schema(pipeline, given, step).filter(|_| !has_matrix) else {
        return;
    };
    let top = schema::candidates(root, root);
    let given = schema::types(&schema::property(root, &top, name));
    let fits = |give: &&str| {
        *give == "null"
            || wanted
                .iter()
                .any(|want| want == give || (want == "number" && *give == "integer"))
    };
    let real: Vec<&str> = given
        .iter()
        .copied()
        .filter(|kind| *kind != "null")
        .collect();
    if wanted.is_empty() || real.is_empty() || real.iter().any(fits) {
        return;
    }
    problems.add(
        "input.type",
        at,
        format!(
            "`{name}` of `{uses}` is of type {}, and {} is wanted here",
            real.join(" or "),
            wanted.join(" or ")
        ),
    );
}

/// Outputs that may be null where they are read, without anything that says what then.
pub(crate) fn nulls(problems: &mut Problems<'_>, pipeline: &Pipeline, step: &Step) {
    let asks = step.condition.as_ref();
    let runs_anyway =
        step.finally || asks.is_some_and(|c| c.analysis.calls(&["always", "failure", "cancelled"]));
    let condition_tests = |other: &str| {
        asks.is_some_and(|condition| {
            condition
                .analysis
                .references
                .iter()
                .any(|r| r.root == "steps" && r.path.first().is_some_and(|name| name == other))
        })
    };
    for read in &step.reads {
        if asks.is_some_and(|condition| condition.text == read.text) {
            continue;
        }
        for reference in &read.analysis.references {
            let [other, outputs, name, ..] = reference.path.as_slice() else {
                continue;
            };
            if reference.root != "steps" || outputs != "outputs" || reference.guarded {
                continue;
            }
            let own_if = pipeline
                .steps
                .iter()
                .any(|s| s.id == *other && s.condition.is_some());
            let tested = condition_tests(other)
                || read.analysis.references.iter().any(|r| {
                    r.root == "steps"
                        && r.path.first() == Some(other)
                        && r.path.get(1).is_some_and(|f| f == "status")
                });
            if (runs_anyway || own_if) && !tested {
                let why = if runs_anyway {
                    format!("`{}` runs even when `{other}` failed", step.id)
                } else {
                    format!("`{other}` has an `if`, so it may be skipped")
                };
                problems.add_help(
                    "expression.null",
                    read.at,
                    format!("steps.{other}.outputs.{name} may be null here: {why}"),
                    format!("write default(steps.{other}.outputs.{name}, \"…\"), or test steps.{other}.status in `if`"),
                );
            }
        }
    }
}
