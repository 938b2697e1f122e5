use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};
use sidestep_evaluator::types::Type;
use sidestep_events::Place;
use sidestep_events::codes;
use sidestep_policy::tree::{Node, NodeKind};

use crate::file::Matrix;
use crate::problems::Problems;
use crate::{read, scalars};

/// The maximum number of combinations of one matrix.
pub(crate) const MAX_COMBINATIONS: usize = 10_000;

/// Reads `matrix`: all combinations of its lists, without those of `exclude`, and with those of
/// `include`.
pub(crate) fn read(problems: &mut Problems<'_>, node: &Node) -> Option<Matrix> {
    let before = problems.count();
    let mut keys: Vec<String> = Vec::new();
    let mut combinations = vec![Map::new()];
    let mut size = 1_usize;
    for (key, _, values) in read::named(problems, node, "`matrix`") {
        if matches!(key, "include" | "exclude") {
            continue;
        }
        let values = list(problems, values, key);
        keys.push(key.to_owned());
        size = size.saturating_mul(values.len());
        if size > MAX_COMBINATIONS {
            // The rest is checked, but no combinations are made.
            combinations.clear();
            continue;
        }
        combinations = combinations
            .iter()
            .flat_map(|combination: &Map<String, Value>| {
                values.iter().map(|value| {
                    let mut combination = combination.clone();
                    combination.insert(key.to_owned(), value.clone());
                    combination
                })
            })
            .collect();
    }
    if size > MAX_COMBINATIONS {
        let message = format!("this matrix has more than {MAX_COMBINATIONS} combinations");
        problems.add(codes::matrix::TOO_MANY, node.at, message);
    }
    if keys.is_empty() {
        combinations.clear();
    }
    let all = combinations.clone();
    let excluded = maps(problems, node.get("exclude"), "exclude", &keys);
    let right = problems.count() == before;
    for (exclude, at) in excluded {
        let is_excluded = |combination: &Map<String, Value>| {
            let mut entries = exclude.iter();
            entries.all(|(key, value)| combination.get(key) == Some(value))
        };
        if right && !all.iter().any(is_excluded) {
            excludes_nothing(problems, at, &exclude, &all);
        }
        combinations.retain(|combination| !is_excluded(combination));
    }
    let include = maps(problems, node.get("include"), "include", &[]);
    let mut known: HashSet<String> = combinations.iter().map(|one| sorted(one, &keys)).collect();
    if keys.is_empty()
        && let Some((first, _)) = include.first()
    {
        keys = first.keys().cloned().collect();
    }
    for (combination, at) in include {
        let same =
            combination.len() == keys.len() && keys.iter().all(|key| combination.contains_key(key));
        if !same {
            let message = format!(
                "an entry of `include` must have the matrix's keys: {}",
                keys.join(", ")
            );
            problems.add(codes::matrix::INCLUDE, at, message);
        } else if !known.insert(sorted(&combination, &keys)) {
            problems.add_help(
                codes::matrix::INCLUDE,
                at,
                "this entry of `include` adds nothing: the matrix already has this combination",
                "remove it",
            );
        } else {
            combinations.push(combination);
        }
    }
    if combinations.is_empty() && problems.count() == before {
        problems.add(
            codes::matrix::EMPTY,
            node.at,
            "this matrix has no combinations, so the step would never run",
        );
    }
    let mut types: BTreeMap<String, Type> = BTreeMap::new();
    for (key, value) in combinations.iter().flatten() {
        let known = types.entry(key.clone()).or_default();
        *known = std::mem::take(known).or(Type::of(value));
    }
    (problems.count() == before).then_some(Matrix {
        keys,
        combinations,
        types,
    })
}

/// Returns a combination's values in the order of the keys, as one text.
fn sorted(combination: &Map<String, Value>, keys: &[String]) -> String {
    let values: Value = keys
        .iter()
        .map(|key| combination.get(key).cloned().unwrap_or_default())
        .collect();
    values.to_string()
}

/// Reports an entry of `exclude` that matches no combination, with the likely reason.
fn excludes_nothing(
    problems: &mut Problems<'_>,
    at: Place,
    exclude: &Map<String, Value>,
    all: &[Map<String, Value>],
) {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let other_type = exclude.iter().find_map(|(key, value)| {
        let mut values = all.iter().filter_map(|combination| combination.get(key));
        let known = values.find(|known| *known != value && text(known) == text(value))?;
        Some(format!(
            "`{key}` is {known} in the matrix, but {value} here: write {known}"
        ))
    });
    let help = other_type.unwrap_or_else(|| "correct its values, or remove it".to_owned());
    let message = "this entry of `exclude` matches no combination";
    problems.add_help(codes::matrix::EXCLUDE, at, message, help);
}

fn scalar(problems: &mut Problems<'_>, node: &Node) -> Option<Value> {
    let Some(scalar) = node.scalar() else {
        problems.add(
            codes::matrix::VALUE,
            node.at,
            format!(
                "a matrix value must be a single value, not {}",
                node.describe()
            ),
        );
        return None;
    };
    if scalar.text.contains("${{") {
        problems.add(
            codes::pipeline::UNSUPPORTED,
            node.at,
            "expressions in `matrix` are not supported by this version",
        );
        return None;
    }
    match scalars::value(scalar, &[]) {
        Ok(Value::Null) => {
            problems.add(
                codes::matrix::VALUE,
                node.at,
                "a matrix value can't be null",
            );
            None
        }
        Ok(value) => Some(value),
        Err((message, help)) => {
            problems.add_help(codes::yaml::AMBIGUOUS, node.at, message, help);
            None
        }
    }
}

fn list(problems: &mut Problems<'_>, node: &Node, key: &str) -> Vec<Value> {
    match &node.kind {
        NodeKind::List(items) => {
            let mut values: Vec<Value> = Vec::new();
            let mut known = HashSet::new();
            for item in items {
                if let Some(value) = scalar(problems, item) {
                    if known.insert(value.to_string()) {
                        values.push(value);
                    } else {
                        problems.add(
                            codes::matrix::VALUE,
                            item.at,
                            format!("{value} is listed twice"),
                        );
                    }
                }
            }
            values
        }
        NodeKind::Scalar(scalar) if scalar.text.contains("${{") => {
            problems.add(
                codes::pipeline::UNSUPPORTED,
                node.at,
                "expressions in `matrix` are not supported by this version",
            );
            Vec::new()
        }
        _ => {
            problems.add(
                codes::matrix::VALUE,
                node.at,
                format!("`{key}` of a matrix must be a list of values"),
            );
            Vec::new()
        }
    }
}

fn maps(
    problems: &mut Problems<'_>,
    node: Option<&Node>,
    what: &str,
    keys: &[String],
) -> Vec<(Map<String, Value>, Place)> {
    let Some(node) = node else { return Vec::new() };
    let NodeKind::List(items) = &node.kind else {
        problems.add(
            codes::pipeline::TYPE,
            node.at,
            format!("`{what}` must be a list of maps"),
        );
        return Vec::new();
    };
    let mut all = Vec::new();
    for item in items {
        let mut map = Map::new();
        for (key, at, value) in read::named(problems, item, &format!("an entry of `{what}`")) {
            if !keys.is_empty() && !keys.iter().any(|known| known == key) {
                let message = format!("the matrix has no key `{key}`");
                problems.unknown(
                    codes::matrix::KEY,
                    at,
                    message,
                    key,
                    keys.iter().map(String::as_str),
                );
                continue;
            }
            if let Some(value) = scalar(problems, value) {
                map.insert(key.to_owned(), value);
            }
        }
        if !map.is_empty() {
            all.push((map, item.at));
        }
    }
    all
}
