use sidestep_events::{Class, Position, codes};
use sidestep_policy::nearest;
use sidestep_policy::tree::Node;

use crate::plan::Retry;
use crate::problems::Problems;
use crate::read;

const KEYS: &[&str] = &["attempts", "on", "delay", "maxDelay"];
/// The pause before the second attempt, where the file says nothing.
const DELAY_MS: u64 = 5_000;
/// The longest pause, where the file says nothing.
const MAX_DELAY_MS: u64 = 120_000;

/// Reads `retry`.
pub(crate) fn read(problems: &mut Problems<'_>, node: &Node) -> Option<Retry> {
    if let Some((key, _)) = node.entries().iter().find(|(key, _)| key.text == "grow") {
        problems.add(
            codes::pipeline::UNSUPPORTED,
            key.at,
            "`grow` is not supported by this version",
        );
        return None;
    }
    if !read::keys(problems, node, "`retry`", KEYS) {
        return None;
    }
    let Some(attempts) = node.get("attempts") else {
        problems.add_help(
            codes::pipeline::MISSING,
            node.at,
            "`retry` does not say how often",
            "write `retry: { attempts: 2 }`; the first attempt counts",
        );
        return None;
    };
    let attempts = read::count(problems, attempts, "`attempts`", 100)?;
    let on = match node.get("on") {
        Some(node) => read::texts(problems, node, "`on`")
            .into_iter()
            .map(|(text, at)| {
                reason(problems, &text, at);
                text
            })
            .collect(),
        // What is worth another try when nobody said otherwise: the infrastructure's failures.
        None => ["unavailable", codes::pod::EVICTED, codes::pod::NODE_LOST]
            .map(str::to_owned)
            .to_vec(),
    };
    let mut time = |key: &str, otherwise: u64| {
        node.get(key)
            .and_then(|node| read::duration(problems, node, &format!("`{key}`")))
            .unwrap_or(otherwise)
    };
    let delay_ms = time("delay", DELAY_MS);
    Some(Retry {
        attempts,
        on,
        delay_ms,
        max_delay_ms: time("maxDelay", MAX_DELAY_MS).max(delay_ms),
    })
}

/// The first words of codes that failures of the runner and of its built-in plugins have.
const FAMILIES: &[&str] = &[
    "checkpoint",
    "context",
    "expression",
    "google",
    "grant",
    "http",
    "iam",
    "identity",
    "input",
    "journal",
    "kaniko",
    "kubernetes",
    "limit",
    "log",
    "output",
    "plugin",
    "pod",
    "policy",
    "registry",
    "secret",
    "step",
    "storage",
    "workspace",
];

/// Checks an entry of `on`: a class, or a code or what it begins with. A word that is neither may be
/// the first one of a plugin's own codes, unless it is nearly one of ours.
fn reason(problems: &mut Problems<'_>, text: &str, at: Position) {
    let known = || {
        Class::ALL
            .map(Class::as_str)
            .into_iter()
            .chain(FAMILIES.iter().copied())
    };
    if known().any(|known| known == text) {
        return;
    }
    let word = |part: &str| {
        let mut characters = part.chars();
        !part.is_empty()
            && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let near = nearest(text, known());
    let is_code = text.split('.').all(word) && (text.contains('.') || near.is_none());
    if is_code {
        return;
    }
    let help = match near {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!(
            "the classes are {}; a code has words in lower case with dots between, as `pod.evicted`",
            Class::ALL.map(Class::as_str).join(", ")
        ),
    };
    problems.add_help(
        codes::retry::ON,
        at,
        format!("`{text}` is neither a class of failures nor a code"),
        help,
    );
}
