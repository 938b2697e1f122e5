//! Readers of small values: maps with known keys, texts, numbers, times.

use sidestep_contract::units;
use sidestep_events::Place;
use sidestep_events::codes;
use sidestep_policy::tree::{Node, NodeKind};

use crate::problems::Problems;
use crate::{ids, scalars};

/// Keys of the contract that this version does not support.
const UNSUPPORTED: &[&str] = &[
    "concurrency",
    "cache",
    "approval",
    "include",
    "artifacts",
    "grow",
];

/// Checks that a value is a map with known keys only; reports everything else.
pub(crate) fn keys(problems: &mut Problems<'_>, node: &Node, what: &str, known: &[&str]) -> bool {
    keys_and(problems, node, what, known, |_| false)
}

/// Checks keys as [`keys`] does, and allows others by their form.
pub(crate) fn keys_and(
    problems: &mut Problems<'_>,
    node: &Node,
    what: &str,
    known: &[&str],
    others: impl Fn(&str) -> bool,
) -> bool {
    let NodeKind::Map(entries) = &node.kind else {
        problems.add_help(
            codes::pipeline::TYPE,
            node.at,
            format!("{what} must be a map, not {}", node.describe()),
            format!("its keys are {}", known.join(", ")),
        );
        return false;
    };
    for (key, _) in entries {
        let text = key.text.as_str();
        if known.contains(&text) || others(text) {
            continue;
        }
        if UNSUPPORTED.contains(&text) {
            problems.add_help(
                codes::pipeline::UNSUPPORTED,
                key.at,
                format!("`{text}` is not supported by this version"),
                "remove it, or use a version of Sidestep that supports it",
            );
            continue;
        }
        let message = format!("{what} has no key `{text}`");
        problems.unknown(
            codes::pipeline::UNKNOWN_KEY,
            key.at,
            message,
            text,
            known.iter().copied(),
        );
    }
    true
}

/// Returns the entries of a map whose keys are ids.
pub(crate) fn named<'n>(
    problems: &mut Problems<'_>,
    node: &'n Node,
    what: &str,
) -> Vec<(&'n str, Place, &'n Node)> {
    let NodeKind::Map(entries) = &node.kind else {
        if !node.is_null() {
            let message = format!("{what} must be a map of names, not {}", node.describe());
            problems.add(codes::pipeline::TYPE, node.at, message);
        }
        return Vec::new();
    };
    let mut all = Vec::new();
    for (key, value) in entries {
        match ids::check(&key.text) {
            Ok(()) => all.push((key.text.as_str(), key.at, value)),
            Err((message, help)) => problems.add_help(codes::pipeline::ID, key.at, message, help),
        }
    }
    all
}

/// Reads a text without expressions.
pub(crate) fn text(problems: &mut Problems<'_>, node: &Node, what: &str) -> Option<String> {
    let Some(scalar) = node.scalar() else {
        let message = format!("{what} must be a string, not {}", node.describe());
        problems.add(codes::pipeline::TYPE, node.at, message);
        return None;
    };
    if scalar.text.contains("${{") {
        problems.add(
            codes::expression::PLACE,
            node.at,
            format!("{what} can't contain expressions"),
        );
        return None;
    }
    match scalars::value(scalar, &["string"]) {
        Ok(_) => Some(scalar.text.clone()),
        Err((message, help)) => {
            problems.add_help(codes::yaml::AMBIGUOUS, node.at, message, help);
            None
        }
    }
}

/// Reads a list of texts; where allowed, a single text counts as a list of one.
pub(crate) fn texts(problems: &mut Problems<'_>, node: &Node, what: &str) -> Vec<(String, Place)> {
    match &node.kind {
        NodeKind::List(items) => items
            .iter()
            .filter_map(|item| Some((text(problems, item, what)?, item.at)))
            .collect(),
        NodeKind::Scalar(scalar) if !node.is_null() => {
            let message = format!("{what} must be a list");
            problems.add_help(
                codes::pipeline::TYPE,
                node.at,
                message,
                format!("write [{}]", scalar.text),
            );
            Vec::new()
        }
        _ => {
            problems.add(
                codes::pipeline::TYPE,
                node.at,
                format!("{what} must be a list of strings"),
            );
            Vec::new()
        }
    }
}

/// Reads a time with its unit; returns milliseconds.
pub(crate) fn duration(problems: &mut Problems<'_>, node: &Node, what: &str) -> Option<u64> {
    let text = node.scalar().map(|scalar| scalar.text.as_str());
    let misfit = match units::milliseconds(text.unwrap_or_default()) {
        Ok(0) => units::Misfit::time(),
        Ok(time) => return Some(time),
        Err(misfit) => misfit,
    };
    let message = match text {
        Some(text) => format!("{what}: `{text}` is not a valid time"),
        None => format!("{what} must be a time, not {}", node.describe()),
    };
    let help = format!("write {misfit}");
    problems.add_help(codes::pipeline::DURATION, node.at, message, help);
    None
}

/// Reads an integer of at least one.
pub(crate) fn count(
    problems: &mut Problems<'_>,
    node: &Node,
    what: &str,
    most: u32,
) -> Option<u32> {
    let value = node
        .scalar()
        .filter(|scalar| scalar.plain)
        .and_then(|scalar| scalar.text.parse::<u32>().ok())
        .filter(|n| (1..=most).contains(n));
    if value.is_none() {
        let message = format!("{what} must be a whole number from 1 to {most}");
        problems.add(codes::pipeline::NUMBER, node.at, message);
    }
    value
}

/// Reads `true` or `false`.
pub(crate) fn boolean(problems: &mut Problems<'_>, node: &Node, what: &str) -> Option<bool> {
    let scalar = node.scalar().filter(|scalar| scalar.plain);
    match scalar.map(|scalar| scalar.text.as_str()) {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => {
            let message = format!("{what} must be `true` or `false`");
            problems.add(codes::pipeline::BOOLEAN, node.at, message);
            None
        }
    }
}
