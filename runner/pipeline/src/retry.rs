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
            "unsupported",
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
            "pipeline.missing",
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
            .map(|(text, _)| text)
            .collect(),
        // What is worth another try when nobody said otherwise: the infrastructure's failures.
        None => ["unavailable", "pod.evicted", "pod.node-lost"]
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
