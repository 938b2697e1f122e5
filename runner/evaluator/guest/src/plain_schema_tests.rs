//! Tests that the runner's answers about schemas equal those of the JSON Schema library.

use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::{Value, json};
use sidestep_evaluator::{Answer, Question, plain};

use super::answer;

/// Generates schemas of the keywords that the runner knows, and of a few others.
fn schemas() -> impl Strategy<Value = Value> {
    let types = prop::sample::select(vec![
        json!("string"),
        json!("integer"),
        json!("number"),
        json!("object"),
        json!("array"),
        json!(["string", "null"]),
        json!(["null", "null"]),
        json!("text"),
    ]);
    let simple = prop::sample::select(vec![
        json!(null),
        json!(1),
        json!(1.0),
        json!(1.5),
        json!(-3),
        json!("a"),
        json!("aé"),
        json!([]),
    ]);
    let count = prop::sample::select(vec![json!(0), json!(1), json!(2), json!(-1), json!("1")]);
    const COUNTS: [&str; 11] = [
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
        "minProperties",
        "maxProperties",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
    ];
    let pattern = prop::sample::select(vec!["^([0-9]+(ms|s|m|h|d))+$", "^a$", "("]);
    let reference = prop::sample::select(vec!["#/$defs/a", "#/$defs/b", "#", "b"]);
    let note = prop::sample::select(vec![
        "title", "format", "$comment", "x-note", "default", "y",
    ]);
    let keyword = prop_oneof![
        4 => types.prop_map(|one| ("type", one)),
        1 => simple.clone().prop_map(|one| ("const", one)),
        1 => prop::collection::vec(simple, 0..3).prop_map(|all| ("enum", json!(all))),
        3 => (prop::sample::select(&COUNTS[..]), count),
        1 => pattern.prop_map(|one| ("pattern", json!(one))),
        1 => reference.prop_map(|one| ("$ref", json!(one))),
        1 => prop::collection::vec(prop::sample::select(&["a", "b"][..]), 0..3)
            .prop_map(|names| ("required", json!(names))),
        1 => note.prop_map(|one| (one, json!("date"))),
    ];
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(Value::from),
        8 => prop::collection::vec(keyword, 0..3).prop_map(|words| object(words.into_iter())),
    ];
    leaf.prop_recursive(3, 24, 3, |inner| {
        let named = prop::collection::vec((prop::sample::select(&["a", "b"][..]), inner.clone()), 0..3)
            .prop_map(|all| object(all.into_iter()));
        let list = prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from);
        let word = prop_oneof![
            3 => (prop::sample::select(&["properties", "$defs"][..]), named),
            2 => (prop::sample::select(&["anyOf", "oneOf", "allOf", "prefixItems"][..]), list),
            3 => (prop::sample::select(&["items", "additionalProperties", "not"][..]), inner.clone()),
        ];
        (inner, prop::collection::vec(word, 0..3)).prop_map(|(mut schema, words)| {
            if let Value::Object(map) = &mut schema {
                map.extend(words.into_iter().map(|(word, value)| (word.to_owned(), value)));
            }
            schema
        })
    })
}

fn object<'a>(entries: impl Iterator<Item = (&'a str, Value)>) -> Value {
    entries
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn instances() -> impl Strategy<Value = Value> {
    let leaf = prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(1.0),
        json!(1.5),
        json!(-3),
        json!(u64::MAX),
        json!(""),
        json!("a"),
        json!("aé"),
        json!("5m"),
    ]);
    leaf.prop_recursive(3, 12, 3, |inner| {
        let named = (prop::sample::select(&["a", "b", "c"][..]), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(Value::from),
            prop::collection::vec(named, 0..3).prop_map(|all| object(all.into_iter())),
        ]
    })
}

fn validate<'a>(schema: &'a Value, value: &'a Value) -> Question<'a> {
    Question::Validate {
        schema: Cow::Borrowed(schema),
        value: Cow::Borrowed(value),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn a_plain_schema_has_the_answer_that_the_validator_gives(
        schema in schemas(), value in instances()
    ) {
        let question = validate(&schema, &value);
        if let Some(plain) = plain(&question) {
            prop_assert_eq!(plain, answer(&question), "{:?}", question);
        }
    }
}

#[test]
fn values_that_fit_are_answered_and_the_rest_is_left_to_the_validator() {
    let schema = json!({
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": ["integer", "null"], "minimum": 1}},
        "additionalProperties": {"anyOf": [{"enum": ["x", "y"]}, {"$ref": "#/$defs/texts"}]},
        "$defs": {"texts": {"type": "array", "items": {"type": "string", "maxLength": 2}}},
    });
    for (value, fits) in [
        (json!({"a": 1}), true),
        (json!({"a": null, "b": "y", "c": ["aé"]}), true),
        (json!({}), false),
        (json!({"a": 0}), false),
        (json!({"a": 1, "b": "z"}), false),
        (json!({"a": 1, "c": ["abc"]}), false),
    ] {
        let question = validate(&schema, &value);
        assert_eq!(
            answer(&question) == Answer::Findings(vec![]),
            fits,
            "{value}"
        );
        assert_eq!(plain(&question).is_some(), fits, "{value}");
    }
}
