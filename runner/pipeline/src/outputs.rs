//! Checks what expressions read of other steps: whether it exists, its type, and whether it may be
//! null.

use std::collections::BTreeMap;

use serde_json::Value;
use sidestep_evaluator::Reference;
use sidestep_events::Place;
use sidestep_events::codes;

use crate::file::{Expression, Pipeline, Step};
use crate::given::PlanInputs;
use crate::plan::Seen;
use crate::problems::Problems;
use crate::{schema, sense};

/// Returns the schema of a step's outputs, and the reference of its plugin.
pub(crate) fn output_schema<'a>(
    pipeline: &Pipeline,
    given: &'a PlanInputs<'_>,
    step: &str,
) -> Option<(&'a Value, &'a str)> {
    let step = pipeline.steps.get(step)?;
    let (uses, plugin) = given.plugins.get_key_value(step.uses.as_ref()?)?;
    Some((&plugin.manifest.outputs, uses.as_str()))
}

/// Checks that every `steps.X.…` that expressions read exists.
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
                    codes::step::LIST,
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
                let message = format!("a step has no field `{what}`");
                problems.unknown(
                    codes::step::FIELD,
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
                    codes::output::UNKNOWN,
                    expression.at,
                    format!("`{uses}` has no output `{name}`"),
                    name,
                    known,
                );
            }
        }
    }
}

/// Checks the type of an input whose value is not known yet, such as an output of another step.
pub(crate) fn types(
    problems: &mut Problems<'_>,
    pipeline: &Pipeline,
    given: &PlanInputs<'_>,
    step: Option<&Step>,
    expression: &Expression,
    wanted: &[String],
) {
    let parts: Vec<&str> = expression.text.split('.').collect();
    let ["steps", other, "outputs", name] = parts.as_slice() else {
        sense::of_input(problems, pipeline, given, step, expression, wanted);
        return;
    };
    let has_matrix = pipeline.steps.have_matrix(other);
    let Some((root, uses)) = output_schema(pipeline, given, other).filter(|_| !has_matrix) else {
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
        codes::input::TYPE,
        expression.at,
        format!(
            "`{name}` of `{uses}` is of type {}, but {} is expected here",
            real.join(" or "),
            wanted.join(" or ")
        ),
    );
}

/// Reports outputs of other steps that may be null where a step reads them and does not handle
/// null.
pub(crate) fn nulls(problems: &mut Problems<'_>, pipeline: &Pipeline, step: &Step) {
    let asks = step.condition.as_ref();
    let runs_anyway =
        step.finally || asks.is_some_and(|c| c.analysis.calls(&["always", "failure", "cancelled"]));
    let reads = step.reads.iter();
    let reads = reads.filter(|read| asks.is_none_or(|condition| condition.text != read.text));
    for read in reads {
        for reference in unguarded(read) {
            let other = &reference.path[0];
            if asks.is_some_and(|asks| reads_of(asks, other)) || tests(read, other) {
                continue;
            }
            if runs_anyway {
                let why = format!("`{}` runs even when `{other}` failed", step.id);
                may_be_null(problems, read.at, reference, &why);
            } else if may_be_skipped(pipeline, other) {
                may_be_null(problems, read.at, reference, &skipped(other));
            }
        }
    }
}

/// Reports the same for the pipeline's outputs, which are read after a successful run.
pub(crate) fn nulls_of_outputs(
    problems: &mut Problems<'_>,
    pipeline: &Pipeline,
    reads: &[Expression],
) {
    for read in reads {
        for reference in unguarded(read) {
            let other = &reference.path[0];
            if !tests(read, other) && may_be_skipped(pipeline, other) {
                may_be_null(problems, read.at, reference, &skipped(other));
            }
        }
    }
}

/// Returns the outputs that an expression reads outside `default(…)` and `has(…)`.
fn unguarded(read: &Expression) -> impl Iterator<Item = &Reference> {
    let references = read.analysis.references.iter();
    references.filter(|reference| {
        reference.root == "steps"
            && !reference.guarded
            && reference.path.len() >= 3
            && reference.path[1] == "outputs"
    })
}

/// Returns whether an expression reads the step's status, and so can handle a null output.
fn tests(read: &Expression, step: &str) -> bool {
    references_to(read, step).any(|path| path.first().is_some_and(|field| field == "status"))
}

/// Returns whether a condition reads anything of the step.
fn reads_of(condition: &Expression, step: &str) -> bool {
    references_to(condition, step).next().is_some()
}

/// Returns what an expression reads of a step: the names after its id.
fn references_to<'e>(
    expression: &'e Expression,
    step: &'e str,
) -> impl Iterator<Item = &'e [String]> {
    let references = expression.analysis.references.iter();
    references.filter_map(move |reference| match reference.path.as_slice() {
        [name, rest @ ..] if reference.root == "steps" && name == step => Some(rest),
        _ => None,
    })
}

/// Returns whether a step's own `if` can skip it in a successful run.
fn may_be_skipped(pipeline: &Pipeline, step: &str) -> bool {
    let step = pipeline.steps.get(step);
    step.and_then(|step| step.condition.as_ref())
        .is_some_and(|condition| !matches!(condition.text.trim(), "always()" | "success()"))
}

fn skipped(step: &str) -> String {
    format!("`{step}` has an `if`, so it may be skipped")
}

fn may_be_null(problems: &mut Problems<'_>, at: Place, reference: &Reference, why: &str) {
    let (step, name) = (&reference.path[0], &reference.path[2]);
    problems.add_help(
        codes::expression::NULL,
        at,
        format!("steps.{step}.outputs.{name} may be null here: {why}"),
        format!("write default(steps.{step}.outputs.{name}, \"…\"), or test steps.{step}.status"),
    );
}
