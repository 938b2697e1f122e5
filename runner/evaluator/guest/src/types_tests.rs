//! The type checker and the evaluator agree on what fails.

use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use sidestep_evaluator::types::{Mistake, Names, Type, check};
use sidestep_evaluator::{Analysis, Answer, Evaluator, Question, Statuses, Tree};

use super::*;

/// The names of an expression, which have these values.
struct Exactly<'a>(&'a BTreeMap<&'static str, Value>);

impl Names for Exactly<'_> {
    fn of(&self, root: &str, _: &[&str]) -> (Type, usize) {
        (self.0.get(root).map_or_else(Type::any, Type::of), 0)
    }
}

fn values() -> BTreeMap<&'static str, Value> {
    BTreeMap::from([
        ("n", json!(null)),
        ("b", json!(true)),
        ("i", json!(2)),
        ("u", json!(u64::MAX)),
        ("d", json!(1.5)),
        ("t", json!("x")),
        ("l", json!([1, 2, 3])),
        ("m", json!({ "k": 1, "t": "y" })),
    ])
}

fn evaluate(text: &str) -> Result<Value, String> {
    let values = values();
    let variables = values.iter();
    let question = Question::Evaluate {
        text: text.into(),
        variables: variables
            .map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(value)))
            .collect(),
        statuses: Statuses::default(),
    };
    match Native.ask(&question) {
        Ok(Answer::Value(value)) => Ok(value),
        Ok(Answer::Wrong(why)) => Err(why),
        other => panic!("{other:?}"),
    }
}

fn tree(text: &str) -> Option<Tree> {
    let question = Question::Analyse {
        text: text.into(),
        tree: true,
    };
    match Native.ask(&question) {
        Ok(Answer::Analysis(Analysis { tree, .. })) => tree,
        other => panic!("{text}: {other:?}"),
    }
}

fn mistakes(text: &str) -> (Type, Vec<Mistake>) {
    let values = values();
    check(&tree(text).expect("a tree"), &Exactly(&values))
}

/// Returns the part of the text that a mistake points at.
fn part(text: &str, mistake: &Mistake) -> String {
    let characters = text.chars().skip(usize::from(mistake.span.0));
    characters.take(usize::from(mistake.span.1)).collect()
}

/// Returns whether a failure is one of types, which depends on the kinds of values alone.
fn is_of_types(why: &str) -> bool {
    let of_values = [
        "division by zero",
        "there is no `",
        "has no item at",
        "onversion error",
        "parse error",
        "JSON",
    ];
    !of_values.iter().any(|known| why.contains(known))
}

/// Expressions that yield one value of each kind, also of those that no JSON value has.
const ONE_OF_EACH: [&str; 11] = [
    "n",
    "b",
    "i",
    "7u",
    "d",
    "t",
    "b'x'",
    "l",
    "m",
    "duration('1h')",
    "timestamp('2026-01-02T03:04:05Z')",
];

#[test]
fn each_operator_is_refused_exactly_where_it_fails() {
    let binary = [
        "+", "-", "*", "/", "%", "<", "<=", ">", ">=", "==", "!=", "in", "&&", "||",
    ];
    let mut refused = 0;
    for operator in binary {
        for left in ONE_OF_EACH {
            for right in ONE_OF_EACH {
                // The size says that there is a value, also if it is one without a JSON form.
                let text = format!("type({left} {operator} {right}) == 1");
                let found = !mistakes(&text).1.is_empty();
                let short = matches!((operator, left), ("||", "b"));
                let fails = evaluate(&text).is_err() && !short;
                let boolean = matches!(operator, "&&" | "||") && (left, right) != ("b", "b");
                assert_eq!(found, fails || boolean, "{left} {operator} {right}");
                refused += usize::from(found);
            }
        }
    }
    assert!(refused > 900, "{refused}");
    for operator in ["-", "!"] {
        for operand in ONE_OF_EACH {
            let text = format!("type({operator}{operand}) == 1");
            let fails = evaluate(&text).is_err();
            assert_eq!(!mistakes(&text).1.is_empty(), fails, "{operator}{operand}");
        }
    }
}

#[test]
fn each_function_is_refused_only_where_it_fails() {
    let mut refused = 0;
    for name in [
        "size",
        "string",
        "int",
        "uint",
        "double",
        "bool",
        "bytes",
        "type",
        "dyn",
        "duration",
        "timestamp",
        "image",
        "cluster",
        "bucket",
        "project",
        "repository",
        "startsWith",
        "endsWith",
        "matches",
        "contains",
        "default",
        "getHours",
        "getDate",
        "success",
        "always",
    ] {
        for first in ONE_OF_EACH {
            let mut calls = vec![
                format!("{name}({first})"),
                format!("{first}.{name}()"),
                format!("{name}()"),
            ];
            for second in ONE_OF_EACH {
                calls.push(format!("{name}({first}, {second})"));
                calls.push(format!("{first}.{name}({second})"));
            }
            for call in calls {
                if !mistakes(&call).1.is_empty() {
                    let text = format!("type({call}) == 1");
                    assert!(evaluate(&text).is_err(), "{call} is refused");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}

#[test]
fn mistakes_have_their_place_and_a_reason() {
    for (text, at, message) in [
        (
            "t + 1",
            "t + 1",
            "`+` can't be applied to a string and a whole number",
        ),
        (
            "size('é') + (i + d) * 2",
            "i + d",
            "`+` can't be applied to a whole number and a number with a fraction",
        ),
        (
            "b && (t)",
            "t",
            "this is a string, but a boolean is expected here",
        ),
        (
            "size( i ) > 1",
            "size( i )",
            "size() can't be applied to a whole number",
        ),
        (
            "t.size(1, 2)",
            "t.size(1, 2)",
            "size() takes 0 arguments, not 2",
        ),
        ("m.k . x", "m.k . x", "a whole number has no field `x`"),
        ("m['z'] + 1", "m['z']", "this map has no field `z`"),
        (
            "l.map(x, x + 'a')",
            "x + 'a'",
            "`+` can't be applied to a whole number and a string",
        ),
        (
            "t.map(x, x)",
            "t",
            "a list or a map is expected here, not a string",
        ),
        (
            "image(t).tga == ''",
            "image(t).tga",
            "this map has no field `tga`",
        ),
        (
            "'x' in t",
            "'x' in t",
            "`in` needs a list or a map, not a string",
        ),
        (
            "b ? t + 1 : 2",
            "t + 1",
            "`+` can't be applied to a string and a whole number",
        ),
        ("-(t)", "-(t)", "`-` can't be applied to a string"),
        ("l[0].k", "l[0].k", "a whole number has no field `k`"),
        ("i[0]", "i[0]", "a whole number has no items"),
        (
            "default(n, i) + t",
            "default(n, i) + t",
            "`+` can't be applied to a whole number and a string",
        ),
        (
            "has(t.k) && i",
            "i",
            "this is a whole number, but a boolean is expected here",
        ),
        (
            "[t, 'y'].filter(x, x > 1)",
            "x > 1",
            "`>` can't be applied to a string and a whole number",
        ),
    ] {
        let (_, found) = mistakes(text);
        let said: Vec<(String, &str)> = found
            .iter()
            .map(|one| (part(text, one), one.message.as_str()))
            .collect();
        assert_eq!(said, [(at.to_owned(), message)], "{text}");
    }
}

#[test]
fn what_is_right_or_not_known_is_accepted() {
    for text in [
        "other.x + 1",
        "l.map(x, x * 2)[0] + 1",
        "l.filter(x, x > 1).map(x, {'a': x})[0].a + 1",
        "[].map(x, x + 'a')",
        "[1, 'a'].map(x, x + 1)",
        "m.map(k, k + 'x')",
        "{1: 2}.map(k, k + 1)",
        "(b ? t : i) + 1",
        "default(n, 'x') + t",
        "l.exists(x, x == 2) && l.all(x, x > 0)",
        "image(t).tag + t",
        "cluster(t).project + t",
        "[1] + ['a']",
        "m[t]",
        "type(i) == int",
        "l.map(x, l.map(y, x + y))",
        "has(m.k) ? m.k : 0",
        "{'a': {'b': i}}.a.b + 1",
    ] {
        assert_eq!(mistakes(text).1, [], "{text}");
    }
}

fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "n", "b", "i", "d", "t", "l", "m", "1", "2.5", "'a'", "true", "null", "m.k", "m.t", "l[1]",
        "[]", "{}", "m['k']",
    ]);
    leaf.prop_map(str::to_owned)
        .prop_recursive(4, 16, 3, |inner| {
            let binary = prop::sample::select(vec![
                "+", "-", "*", "/", "%", "<", ">=", "==", "!=", "&&", "||", "in",
            ]);
            let call =
                prop::sample::select(vec!["size", "string", "int", "double", "bool", "image"]);
            prop_oneof![
                (inner.clone(), binary, inner.clone())
                    .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
                (inner.clone(), inner.clone(), inner.clone())
                    .prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
                (call, inner.clone()).prop_map(|(name, a)| format!("{name}({a})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("default({a}, {b})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
                (inner.clone(), inner.clone())
                    .prop_map(|(a, b)| format!("{{'k': {a}, 't': {b}}}.k")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}].map(v, v == {b})")),
                inner.clone().prop_map(|a| format!("!({a})")),
                inner.prop_map(|a| format!("({a}).k")),
            ]
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// A part that is refused fails by itself, and an expression that is accepted does not fail for
    /// the types of its values, unless a part of it has several types.
    #[test]
    fn refused_parts_fail_and_accepted_expressions_do_not(text in expressions()) {
        let (_, found) = mistakes(&text);
        for mistake in &found {
            let part = part(&text, mistake);
            let alone = if mistake.boolean { format!("!({part})") } else { part.clone() };
            let result = evaluate(&alone);
            prop_assert!(result.is_err(), "{part} of {text} is refused, but yields {result:?}");
        }
        let several = ["?", "[", "default", "null", "n"].iter().any(|sign| text.contains(sign));
        if let (true, false, Err(why)) = (found.is_empty(), several, evaluate(&text)) {
            prop_assert!(!is_of_types(&why), "{text} is accepted, but fails: {why}");
        }
    }
}
