//! Fuzz targets for the readers of untrusted bytes. Comprehensions and schemas need the host's
//! limits to terminate, so the tests of the host cover them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::json;
use sidestep_evaluator::{Answer, Evaluator as _, Kind, Question, Statuses};

use crate::{Native, read};

/// A target: its name, its reader and its seed inputs.
pub type Target = (&'static str, fn(&[u8]), fn() -> Vec<Vec<u8>>);

/// The targets of this crate.
pub const TARGETS: [Target; 2] = [
    ("evaluator-expression", expression, expressions),
    ("evaluator-pattern", pattern, patterns),
];

/// Analyses an expression, and evaluates it unless it iterates over a list.
pub fn expression(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let analysed = ask(&Question::Analyse {
        text: Cow::Borrowed(&text),
        tree: true,
    });
    let Answer::Analysis(analysis) = analysed else {
        return;
    };
    let mut sorted = analysis.references.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted, analysis.references, "each name stands once");
    if read::expression(&text).is_ok_and(|read| read.comprehensions > 0) {
        return;
    }
    let inputs = json!({ "a": "b", "n": 3, "list": [1, "x", null], "map": { "k": 0.5 } });
    let question = Question::Evaluate {
        text: Cow::Borrowed(&text),
        variables: BTreeMap::from([(Cow::Borrowed("inputs"), Cow::Borrowed(&inputs))]),
        statuses: Statuses::default(),
    };
    // The value must have the kind that the analysis found without values.
    if let (Answer::Value(value), Some(kind)) = (ask(&question), analysis.yields) {
        assert!(
            kind == Kind::of(&value),
            "{text:?} is to yield {kind:?}: {value}"
        );
    }
}

/// Compiles a pattern and matches a text: `PATTERN NEWLINE TEXT`.
pub fn pattern(bytes: &[u8]) {
    let both = String::from_utf8_lossy(bytes);
    let (pattern, text) = both.split_once('\n').unwrap_or((&both, "abc"));
    ask(&Question::Match {
        pattern: Cow::Borrowed(pattern),
        text: Cow::Borrowed(text),
    });
}

/// Answers a question with a stack of the evaluator's size.
fn ask(question: &Question<'_>) -> Answer {
    Native.ask(question).expect("it answers")
}

fn expressions() -> Vec<Vec<u8>> {
    [
        "inputs.a == 'b' && (inputs.n > 2 || !failure()) ? inputs.list[1] : 'x' + string(inputs.n)",
        "default(inputs.map.z, {'k': [1, 2.5, null, true]}).k[0] in [1u, 2]",
        "has(inputs.a) && inputs.a.startsWith('b') && inputs.a.matches('^b+$') && size(inputs.list) == 3",
        "inputs.list.map(x, x).filter(y, y != null).exists(z, z == 'x')",
        "\"\\u0041\\x41\\n\" + r'\\d' + '''a'''",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn patterns() -> Vec<Vec<u8>> {
    [
        "^(a|b)*c{2,9}[^x-z\\d]$\naacc",
        "(?i)\\p{L}+(?:x(?P<n>y))?\nÄy",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

#[cfg(test)]
mod tests {
    #[test]
    fn strangers_bytes_are_read_without_harm() {
        super::TARGETS
            .into_iter()
            .for_each(sidestep_mutations::check);
    }
}
