use sidestep_events::{Class, Place, codes};
use sidestep_policy::nearest;
use sidestep_policy::tree::Node;

use crate::plan::Retry;
use crate::problems::Problems;
use crate::read;

const KEYS: &[&str] = &["attempts", "on", "delay", "maxDelay"];
/// The default back-off before the second attempt, in milliseconds.
const DELAY_MS: u64 = 5_000;
/// The default maximum back-off, in milliseconds.
const MAX_DELAY_MS: u64 = 120_000;

/// Reads `retry`.
pub(crate) fn read(problems: &mut Problems<'_>, node: &Node) -> Option<Retry> {
    if !read::keys(problems, node, "`retry`", KEYS) {
        return None;
    }
    let attempts = match node.get("attempts") {
        Some(attempts) => read::count(problems, attempts, "`attempts`", 100),
        None => {
            problems.add_help(
                codes::pipeline::MISSING,
                node.at,
                "`retry` has no `attempts`",
                "write `retry: { attempts: 2 }`; the first attempt counts",
            );
            None
        }
    };
    let on = match node.get("on") {
        Some(node) => read::texts(problems, node, "`on`")
            .into_iter()
            .map(|(text, at)| {
                reason(problems, &text, at);
                text
            })
            .collect(),
        // By default, only failures of the infrastructure are retried.
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
    let max_delay_ms = time("maxDelay", MAX_DELAY_MS).max(delay_ms);
    Some(Retry {
        attempts: attempts?,
        on,
        delay_ms,
        max_delay_ms,
    })
}

/// Checks an entry of `on`: a class, a code, or a prefix of a code. Third-party plugins have codes
/// of their own, so unknown text is accepted unless it is similar to a known one: a word that is
/// similar to a class or to a family of codes, the rest of a code (`evicted`), or a code that is
/// similar to an existing one of the same family.
fn reason(problems: &mut Problems<'_>, text: &str, at: Place) {
    let names = || codes::all().map(|code| code.name);
    let family = |name: &'static str| name.split('.').next().unwrap_or(name);
    let words = || {
        let classes = Class::ALL.map(Class::as_str).into_iter();
        classes.chain(names().map(family))
    };
    if words().chain(names()).any(|known| known == text) {
        return;
    }
    let meant = match text.split_once('.') {
        Some((own, _)) => nearest(text, names().filter(|name| family(name) == own)),
        None => names()
            .find(|name| name.split_once('.').is_some_and(|(_, rest)| rest == text))
            .or_else(|| nearest(text, words())),
    };
    let word = |part: &str| {
        let mut characters = part.chars();
        !part.is_empty()
            && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    if meant.is_none() && text.split('.').all(word) {
        return;
    }
    let help = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!(
            "the classes are {}; a code has lower-case words with dots in between, such as \
             `pod.evicted`",
            Class::ALL.map(Class::as_str).join(", ")
        ),
    };
    problems.add_help(
        codes::retry::ON,
        at,
        format!("`{text}` is neither a failure class nor a failure code"),
        help,
    );
}
