//! Tests that the runner's answers without CEL equal CEL's answers.

use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use sidestep_evaluator::{Answer, Question, Statuses, plain};

use super::answer;

const ROOTS: [&str; 8] = [
    "env", "git", "inputs", "matrix", "run", "steps", "int", "other",
];
const KEYS: [&str; 10] = [
    "a", "b", "x_1", "_", "outputs", "size", "in", "true", "é", "1",
];

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            4 => map(inner).prop_map(Value::from),
        ]
    })
}

/// Generates maps with their keys in any order.
fn map(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let entry = (prop::sample::select(&KEYS[..]), inner);
    prop::collection::vec(entry, 0..6).prop_map(|entries| {
        let entries = entries.into_iter();
        entries
            .map(|(key, value)| (key.to_owned(), value))
            .collect()
    })
}

/// Generates names and texts that resemble names.
fn texts() -> impl Strategy<Value = String> {
    let parts = prop::collection::vec(prop::sample::select(&KEYS[..]), 0..4);
    let around = prop::sample::select(&["", " ", "\n", "\u{a0}", ".", "!"][..]);
    (
        around.clone(),
        prop::sample::select(&ROOTS[..]),
        parts,
        around,
    )
        .prop_map(|(before, root, parts, after)| {
            let mut text = format!("{before}{root}");
            for part in parts {
                text.push('.');
                text.push_str(part);
            }
            text + after
        })
}

/// Generates calls of status functions, and texts that resemble them.
fn calls() -> impl Strategy<Value = String> {
    let names = ["success", "failure", "cancelled", "always", "default", ""];
    let after = ["()", "( )", "() ", "", "(1)", "().a"];
    (
        prop::sample::select(names.to_vec()),
        prop::sample::select(after.to_vec()),
    )
        .prop_map(|(name, after)| format!("{name}{after}"))
}

fn questions<'a>(text: &'a str, value: &'a Value) -> [Question<'a>; 2] {
    let variables = ROOTS.map(|root| (Cow::Borrowed(root), Cow::Borrowed(value)));
    [
        Question::Analyse {
            text: text.into(),
            tree: false,
        },
        Question::Evaluate {
            text: text.into(),
            variables: BTreeMap::from(variables),
            statuses: Statuses::default(),
        },
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn a_plain_reference_has_the_answer_that_cel_gives(text in texts(), value in values()) {
        for question in questions(&text, &value) {
            if let Some(plain) = plain(&question) {
                prop_assert_eq!(plain, answer(&question), "{:?}", question);
            }
        }
    }
}

proptest! {
    #[test]
    fn a_status_function_has_the_answer_that_cel_gives(
        text in calls(), success in any::<bool>(), failure in any::<bool>(), cancelled in any::<bool>(),
    ) {
        let statuses = Statuses { success, failure, cancelled };
        let evaluate = Question::Evaluate {
            text: (&*text).into(),
            variables: BTreeMap::new(),
            statuses,
        };
        for question in [Question::Analyse { text: (&*text).into(), tree: false }, evaluate] {
            if let Some(plain) = plain(&question) {
                prop_assert_eq!(plain, answer(&question), "{:?}", question);
            }
        }
    }
}

#[test]
fn plain_references_are_answered_and_the_rest_is_left_to_cel() {
    let value = json!({"a": {"b": [1, {"z": 1, "c": null}]}});
    for (text, expected) in [
        ("inputs.a.b", Some(json!([1, {"c": null, "z": 1}]))),
        ("always()", Some(json!(true))),
        ("success()", Some(json!(true))),
        ("cancelled()", Some(json!(false))),
        (" steps.a\n", Some(json!({"b": [1, {"c": null, "z": 1}]}))),
        ("inputs.none", None),
        ("inputs.a.b.c", None),
        ("inputs.a.b[0]", None),
        ("int", None),
        ("!success()", None),
        ("default()", None),
    ] {
        let [_, evaluate] = questions(text, &value);
        assert_eq!(plain(&evaluate), expected.map(Answer::Value), "{text}");
    }
}
