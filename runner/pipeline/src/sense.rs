//! Finds expressions that can never work, given what is known of the names they read: a condition
//! that is not a boolean, a comparison that is never true, and a part that fails for all values.

mod known;
mod types;

use serde_json::Value;
use sidestep_evaluator::types::Scalars;
use sidestep_evaluator::{Comparison, Kind, Reference};
use sidestep_events::codes;
use sidestep_events::{Place, Status};
use sidestep_policy::nearest;

use crate::expression;
use crate::file::{Expression, Pipeline, Step};
use crate::given::PlanInputs;
use crate::problems::Problems;

use known::{Known, is_status};

/// Checks the expressions of a step.
pub(crate) fn of_step(
    problems: &mut Problems<'_>,
    pipeline: &Pipeline,
    given: &PlanInputs<'_>,
    step: &Step,
) {
    let known = Known {
        pipeline,
        given,
        step: Some(step),
    };
    if let Some(condition) = &step.condition {
        whole(problems, &known, condition);
    }
    for expression in step.reads.iter().chain(&step.granted) {
        parts(problems, &known, expression);
    }
}

/// Checks that an expression, which is the value of an input of a step, may have one of these JSON
/// types.
pub(crate) fn of_input(
    problems: &mut Problems<'_>,
    pipeline: &Pipeline,
    given: &PlanInputs<'_>,
    step: Option<&Step>,
    expression: &Expression,
    wanted: &[String],
) {
    let known = Known {
        pipeline,
        given,
        step,
    };
    if problems.has_within(expression.at) || wanted.is_empty() {
        return;
    }
    let (value, _) = types::of(&known, &expression.text, &expression.analysis);
    let wanted = types::of_json_types(wanted);
    if !value.overlaps(&wanted) {
        let wanted = wanted.describe();
        let message = format!(
            "this is {}, but {wanted} is expected here",
            value.describe()
        );
        problems.add(codes::input::TYPE, expression.at, message);
    }
}

/// Checks the expressions of one of the pipeline's outputs.
pub(crate) fn of_output(
    problems: &mut Problems<'_>,
    pipeline: &Pipeline,
    given: &PlanInputs<'_>,
    expressions: &[Expression],
) {
    let known = Known {
        pipeline,
        given,
        step: None,
    };
    for expression in expressions {
        parts(problems, &known, expression);
    }
}

/// Checks that a whole `if` can be a boolean.
fn whole(problems: &mut Problems<'_>, known: &Known<'_>, condition: &Expression) {
    let analysis = &condition.analysis;
    if let Some(kind) = analysis.yields.filter(|kind| *kind != Kind::Boolean) {
        not_a_boolean(problems, condition, kind.describe());
        return;
    }
    if let Some(reference) = expression::name(&condition.text, analysis) {
        boolean(problems, known, condition.at, reference);
        return;
    }
    let (value, found) = types::of(known, &condition.text, analysis);
    if found.is_empty() && !value.is_never() && !value.may_be(Scalars::BOOLEAN) {
        not_a_boolean(problems, condition, &value.describe());
    }
}

fn not_a_boolean(problems: &mut Problems<'_>, condition: &Expression, is: &str) {
    problems.add_help(
        codes::expression::TYPE,
        condition.at,
        format!("`if` must be a boolean, but this is {is}"),
        "write a comparison, such as `if: \"inputs.NAME == 'VALUE'\"`, or `true` or `false`",
    );
}

/// Checks the types of all parts, and comparisons.
fn parts(problems: &mut Problems<'_>, known: &Known<'_>, expression: &Expression) {
    let Expression { text, analysis, .. } = expression;
    for mistake in types::of(known, text, analysis).1 {
        let at = types::inside(expression, mistake.span);
        let part = types::part(text, mistake.span);
        let mut operands = analysis.conditions.iter();
        let operand = operands.find(|operand| mistake.boolean && operand.text() == part);
        match operand.filter(|operand| !known.kinds(operand).is_empty()) {
            Some(operand) => boolean(problems, known, at, operand),
            None => types::report(problems, at, mistake),
        }
    }
    for comparison in &expression.analysis.comparisons {
        compared(problems, known, expression, comparison);
    }
}

fn boolean(problems: &mut Problems<'_>, known: &Known<'_>, at: Place, reference: &Reference) {
    let kinds = known.kinds(reference);
    if kinds.is_empty() || kinds.contains(&Kind::Boolean) {
        return;
    }
    let name = reference.text();
    let help = match (reference.root.as_str(), kinds.contains(&Kind::Text)) {
        ("steps", true) if is_status(reference) => {
            format!("compare it: {name} == '{}'", Status::Succeeded)
        }
        ("inputs", true) => {
            format!("compare it: {name} == 'VALUE', or declare the input with `type: boolean`")
        }
        (_, true) => format!("compare it: {name} == 'VALUE'"),
        (_, false) => format!("compare it: {name} == VALUE"),
    };
    problems.add_help(
        codes::expression::TYPE,
        at,
        format!(
            "`{name}` is {}, but a boolean is expected here",
            describe(&kinds)
        ),
        help,
    );
}

fn compared(
    problems: &mut Problems<'_>,
    known: &Known<'_>,
    expression: &Expression,
    comparison: &Comparison,
) {
    let Comparison { reference, literal } = comparison;
    if literal.is_null() {
        return;
    }
    let (name, at) = (reference.text(), expression.at);
    if let (true, Some(text)) = (is_status(reference), literal.as_str()) {
        if !known.is_list(reference) {
            status(problems, expression, &name, text);
        }
        return;
    }
    let kinds = known.kinds(reference);
    let kind = Kind::of(literal);
    if !kinds.is_empty() && !kinds.contains(&kind) {
        let help = match literal {
            Value::String(text) if matches!(text.as_str(), "true" | "false") => {
                format!("write `{text}` without quotes")
            }
            Value::String(text) if kinds.contains(&Kind::Number) && text.parse::<f64>().is_ok() => {
                format!("write `{text}` without quotes")
            }
            other if kinds.contains(&Kind::Text) => format!("write '{other}' in quotes"),
            _ => format!("compare it with {}", describe(&kinds)),
        };
        problems.add_help(
            codes::expression::TYPE,
            at,
            format!(
                "`{name}` is {}, so it never equals {}",
                describe(&kinds),
                kind.describe()
            ),
            help,
        );
        return;
    }
    if let Some(choices) = known.choices(reference)
        && !choices.contains(literal)
    {
        let texts: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
        let shown: Vec<String> = choices.iter().map(Value::to_string).collect();
        let help = match literal.as_str().and_then(|text| nearest(text, texts)) {
            Some(known) => format!("did you mean '{known}'?"),
            None => format!("its choices are {}", shown.join(", ")),
        };
        problems.add_help(
            codes::expression::CHOICE,
            at,
            format!("{literal} is not a choice of `{name}`, so the two are never equal"),
            help,
        );
    }
}

/// The words of other systems for Sidestep's statuses.
const SYNONYMS: [(&str, Status); 8] = [
    ("success", Status::Succeeded),
    ("successful", Status::Succeeded),
    ("passed", Status::Succeeded),
    ("failure", Status::Failed),
    ("error", Status::Failed),
    ("timeout", Status::TimedOut),
    ("timedout", Status::TimedOut),
    ("canceled", Status::Cancelled),
];

fn status(problems: &mut Problems<'_>, expression: &Expression, name: &str, text: &str) {
    let all = Status::ALL.into_iter().filter(|status| status.is_final());
    let all: Vec<&str> = all.map(Status::as_str).collect();
    if all.contains(&text) {
        return;
    }
    let synonym = SYNONYMS.iter().find(|(other, _)| *other == text);
    let meant = synonym.map(|(_, status)| status.as_str());
    let help = match meant.or_else(|| nearest(text, all.iter().copied())) {
        Some(known) => format!("did you mean '{known}'?"),
        None => format!("the possible values are {}", all.join(", ")),
    };
    problems.add_help(
        codes::expression::STATUS,
        expression.at,
        format!("`{name}` is never '{text}'"),
        help,
    );
}

/// Returns the kinds for a message, without null if there is another kind.
fn describe(kinds: &[Kind]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for kind in kinds
        .iter()
        .filter(|kind| **kind != Kind::Null || kinds.len() == 1)
    {
        if !names.contains(&kind.describe()) {
            names.push(kind.describe());
        }
    }
    names.join(" or ")
}
