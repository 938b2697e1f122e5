//! Checks the dependencies between steps and sorts the steps.

use std::collections::{HashMap, HashSet};

use sidestep_events::Place;
use sidestep_events::codes;

use crate::file::{Declared, Expression, Pipeline, Step};
use crate::problems::Problems;

/// Checks the names of all steps that others read or need, adds the steps that expressions read
/// to `needs`, and sorts the steps so that each comes after those it needs.
pub(crate) fn check(
    problems: &mut Problems<'_>,
    mut pipeline: Pipeline,
    mut steps: Vec<Step>,
) -> Pipeline {
    let mut index: HashMap<String, usize> = HashMap::new();
    for (position, step) in steps.iter().enumerate() {
        if let Some(first) = index.insert(step.id.clone(), position) {
            let line = steps[first].at.line;
            problems.add_help(
                codes::step::TWICE,
                step.at,
                format!("the step `{}` already exists, at line {line}", step.id),
                "give one of the two a different id",
            );
        }
    }
    let ids: Vec<String> = steps.iter().map(|step| step.id.clone()).collect();
    let finally: Vec<bool> = steps.iter().map(|step| step.finally).collect();
    let known = Known {
        inputs: &pipeline.inputs,
        env: &pipeline.env,
        declared: &pipeline.declared,
    };
    for step in &mut steps {
        names(problems, &known, step);
        for secret in &step.secrets {
            let declared = pipeline.declared.secrets.contains(&secret.0);
            if !declared && !pipeline.secrets.contains_key(&secret.0) {
                let message = format!("the pipeline has no secret `{}`", secret.0);
                if pipeline.secrets.is_empty() {
                    let help = format!(
                        "declare it at the top: `secrets: {{ {}: {{ env: VARIABLE }} }}`",
                        secret.0
                    );
                    problems.add_help(codes::secret::UNKNOWN, secret.1, message, help);
                    continue;
                }
                problems.unknown(
                    codes::secret::UNKNOWN,
                    secret.1,
                    message,
                    &secret.0,
                    pipeline.secrets.keys().map(String::as_str),
                );
            }
        }
        let mut wanted: Vec<(String, Place)> = step.needs_at.clone();
        for expression in &step.reads {
            wanted.extend(read_steps(expression));
        }
        let mut needed: HashSet<String> = step.needs.iter().cloned().collect();
        for (need, at) in wanted {
            match index.get(&need) {
                // The errors of that step are reported there.
                None if pipeline.declared.steps.contains(&need) => {}
                None => {
                    let message = format!("there is no step `{need}`");
                    let known = ids.iter().map(String::as_str).filter(|id| **id != step.id);
                    problems.unknown(codes::step::UNKNOWN, at, message, &need, known);
                }
                Some(&position) if finally[position] && !step.finally => problems.add_help(
                    codes::step::FINALLY,
                    at,
                    format!("`{need}` is in `finally`, which runs last, so nothing in `steps` can wait for it"),
                    "move one of the two",
                ),
                Some(_) => {
                    if needed.insert(need.clone()) {
                        step.needs.push(need);
                    }
                }
            }
        }
    }
    for (at, written) in pipeline.outputs.values() {
        for expression in &written.expressions {
            expression_names(problems, &known, expression);
            for (step, at) in read_steps(expression) {
                if !index.contains_key(&step) && !pipeline.declared.steps.contains(&step) {
                    let message = format!("there is no step `{step}`");
                    problems.unknown(
                        codes::step::UNKNOWN,
                        at,
                        message,
                        &step,
                        ids.iter().map(String::as_str),
                    );
                }
            }
        }
        let _ = at;
    }
    pipeline.steps = order(problems, steps).into();
    pipeline
}

/// Returns the steps that an expression reads.
pub(crate) fn read_steps(expression: &Expression) -> Vec<(String, Place)> {
    expression
        .analysis
        .references
        .iter()
        .filter(|reference| reference.root == "steps")
        .filter_map(|reference| Some((reference.path.first()?.clone(), expression.at)))
        .collect()
}

/// The names that expressions may read.
struct Known<'a> {
    inputs: &'a indexmap::IndexMap<String, crate::file::Input>,
    env: &'a [(String, Place)],
    declared: &'a Declared,
}

fn names(problems: &mut Problems<'_>, known: &Known<'_>, step: &Step) {
    let keys: Vec<&str> = step
        .matrix
        .iter()
        .flat_map(|matrix| matrix.keys.iter().map(String::as_str))
        .collect();
    for expression in step.reads.iter().chain(&step.granted) {
        expression_names(problems, known, expression);
        for reference in &expression.analysis.references {
            if reference.root == "matrix"
                && !step.broken_matrix
                && let Some(key) = reference.path.first()
                && !keys.contains(&key.as_str())
            {
                if keys.is_empty() {
                    problems.add_help(
                        codes::matrix::KEY,
                        expression.at,
                        "this step has no matrix",
                        format!("add it to the step: `matrix: {{ {key}: [VALUE, …] }}`"),
                    );
                    continue;
                }
                problems.unknown(
                    codes::matrix::KEY,
                    expression.at,
                    format!("the matrix has no key `{key}`"),
                    key,
                    keys.iter().copied(),
                );
            }
        }
    }
}

fn expression_names(problems: &mut Problems<'_>, known: &Known<'_>, expression: &Expression) {
    let Known {
        inputs,
        env,
        declared,
    } = known;
    for reference in &expression.analysis.references {
        let Some(name) = reference.path.first() else {
            continue;
        };
        match reference.root.as_str() {
            "inputs" if declared.inputs.contains(name) => {}
            "inputs" if !inputs.contains_key(name) => problems.unknown(
                codes::input::UNKNOWN,
                expression.at,
                format!("the pipeline has no input `{name}`"),
                name,
                inputs.keys().map(String::as_str),
            ),
            "env" if !env.iter().any(|(known, _)| known == name) => problems.add_help(
                codes::env::UNLISTED,
                expression.at,
                format!("`env.{name}` is read, but the file does not list it"),
                format!("add it at the top: `env: [{name}]`"),
            ),
            _ => {}
        }
    }
}

/// The progress of the sort at one step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Not,
    /// It waits for the end of one of its needs.
    OnPath,
    Sorted,
}

/// The number of ids in cycles of one file after which no further cycle is reported.
const MAX_IN_CYCLES: usize = 10_000;

/// Sorts the steps so that each comes after those it needs, otherwise in the file's order.
/// Reports cycles, and ignores the need that closes each of them, so that the rest of the file can
/// be checked.
fn order(problems: &mut Problems<'_>, steps: Vec<Step>) -> Vec<Step> {
    let index: HashMap<&str, usize> = steps
        .iter()
        .enumerate()
        .map(|(position, step)| (step.id.as_str(), position))
        .collect();
    let needs: Vec<Vec<usize>> = steps
        .iter()
        .map(|step| {
            step.needs
                .iter()
                .filter_map(|need| index.get(need.as_str()).copied())
                .collect()
        })
        .collect();
    let mut seen = vec![Seen::Not; needs.len()];
    let mut sorted = Vec::with_capacity(needs.len());
    // A cycle is reported if it has a step that no reported one has.
    let (mut reported, mut listed) = (vec![false; needs.len()], 0);
    // The path is kept on the heap: a chain of 10,000 steps must not overflow the stack.
    for start in 0..needs.len() {
        if seen[start] != Seen::Not {
            continue;
        }
        seen[start] = Seen::OnPath;
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((step, next)) = path.last_mut() {
            let Some(&need) = needs[*step].get(*next) else {
                seen[*step] = Seen::Sorted;
                sorted.push(*step);
                path.pop();
                continue;
            };
            *next += 1;
            match seen[need] {
                Seen::Sorted => {}
                Seen::Not => {
                    seen[need] = Seen::OnPath;
                    path.push((need, 0));
                }
                // A file may have many cycles over the same steps, and each may be long.
                Seen::OnPath if listed > MAX_IN_CYCLES => {}
                Seen::OnPath => {
                    let cycle = path.iter().map(|(step, _)| *step);
                    let cycle: Vec<usize> = cycle
                        .skip_while(|step| *step != need)
                        .chain([need])
                        .collect();
                    listed += cycle.len();
                    if cycle.iter().any(|step| !reported[*step]) {
                        report_cycle(problems, &steps, &cycle);
                    }
                    for step in cycle {
                        reported[step] = true;
                    }
                }
            }
        }
    }
    let mut steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
    // `finally` runs after all other steps, whatever it needs.
    let (last, first): (Vec<usize>, Vec<usize>) = sorted
        .into_iter()
        .partition(|step| steps[*step].as_ref().is_some_and(|s| s.finally));
    let sorted = first.into_iter().chain(last);
    sorted.filter_map(|step| steps[step].take()).collect()
}

/// Reports a cycle: the indexes of its steps, of which the first is also the last.
fn report_cycle(problems: &mut Problems<'_>, steps: &[Step], cycle: &[usize]) {
    let ids: Vec<&str> = cycle.iter().map(|step| steps[*step].id.as_str()).collect();
    let [first, ..] = cycle else { return };
    let step = &steps[*first];
    let message = if cycle.len() == 2 {
        format!("`{}` waits for itself", step.id)
    } else {
        format!("these steps wait for each other: {}", ids.join(" → "))
    };
    problems.add_help(
        codes::step::CYCLE,
        step.at,
        message,
        "remove one of their `needs`, or an expression that reads a step's output",
    );
}
