use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use sidestep_evaluator::{Analysis, Answer, Evaluator, Question, Statuses};

use super::*;

fn ask(question: &Question<'_>) -> Result<Answer, String> {
    match Native.ask(question) {
        Ok(Answer::Wrong(message)) => Err(message),
        Ok(answer) => Ok(answer),
        Err(stopped) => panic!("{stopped}"),
    }
}

/// Returns the result of an expression with these inputs.
pub(crate) fn evaluate(text: &str, inputs: &Value) -> Result<Value, String> {
    let question = Question::Evaluate {
        text: Cow::Borrowed(text),
        variables: BTreeMap::from([(Cow::Borrowed("inputs"), Cow::Borrowed(inputs))]),
        statuses: Statuses::default(),
    };
    match ask(&question)? {
        Answer::Value(value) => Ok(value),
        other => panic!("{other:?}"),
    }
}

fn analyse(text: &str) -> Result<Analysis, String> {
    let question = Question::Analyse {
        text: Cow::Borrowed(text),
        tree: false,
    };
    match ask(&question)? {
        Answer::Analysis(analysis) => Ok(analysis),
        other => panic!("{other:?}"),
    }
}

fn values() -> Value {
    json!({"n": 2, "s": "x", "l": [1, 2, 3], "none": null})
}

#[test]
fn whole_numbers_add_to_literals_and_values_keep_their_type() {
    for (text, expected) in [
        ("inputs.n + 1", json!(3)),
        ("inputs.l.map(x, x * 2)", json!([2, 4, 6])),
        ("{'b': inputs.s, 'a': true}", json!({"a": true, "b": "x"})),
        ("default(inputs.none, 'd')", json!("d")),
        ("default(inputs.s, 'd')", json!("x")),
        ("inputs['s'].startsWith('x') ? 1.5 : 0.0", json!(1.5)),
    ] {
        assert_eq!(evaluate(text, &values()), Ok(expected), "{text}");
    }
}

#[test]
fn a_name_with_a_dot_in_front_is_the_variable_of_the_expression() {
    for (text, expected) in [
        (".inputs.s", json!("x")),
        ("has(.inputs.s)", json!(true)),
        ("[1].map(inputs, .inputs.n + inputs)", json!([3])),
    ] {
        assert_eq!(evaluate(text, &values()), Ok(expected), "{text}");
    }
    // The values of one evaluation are not visible to the next.
    let question = Question::Evaluate {
        text: Cow::Borrowed("inputs.s + ''"),
        variables: BTreeMap::new(),
        statuses: Statuses::default(),
    };
    assert_eq!(ask(&question), Err("`inputs` is not known here".to_owned()));
}

#[test]
fn the_parts_of_a_cluster_s_name_are_read_zonal_ones_too() {
    for (text, location) in [
        (
            "projects/p1/locations/europe-west1/clusters/ci",
            "europe-west1",
        ),
        (
            "projects/p1/zones/europe-west1-b/clusters/ci",
            "europe-west1-b",
        ),
    ] {
        let text = format!("cluster('{text}').location");
        assert_eq!(evaluate(&text, &json!({})), Ok(json!(location)), "{text}");
    }
}

#[test]
fn references_are_found_with_their_guards() {
    let found =
        analyse("default(steps.a.outputs.x, '') + steps['b'].status + [1].map(y, y + inputs.n)[0]");
    let found: Vec<(String, bool)> = found
        .expect("reads")
        .references
        .iter()
        .map(|r| (r.text(), r.guarded))
        .collect();
    assert_eq!(
        found,
        [
            ("inputs.n".to_owned(), false),
            ("steps.a.outputs.x".to_owned(), true),
            ("steps.b.status".to_owned(), false)
        ]
    );
}

#[test]
fn no_expression_ends_the_process_or_holds_it_up() {
    let deep =
        |open: &str, close: &str, n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
    for text in [
        vec!["1"; 1000].join("+"),
        vec!["1"; 20_000].join("+"),
        deep("(", ")", 1000),
        deep("[", "]", 1000),
        "!".repeat(2000) + "true",
        "-".repeat(2000) + "1",
        "true?1:".repeat(290) + "1",
        "a".to_owned() + &".b".repeat(1000),
        "inputs.l".to_owned() + &".map(x,x+x)".repeat(100),
        "inputs.l.map(a,inputs.l.map(b,inputs.l.map(c,inputs.l.map(d,1))))".to_owned(),
        "inputs.l".to_owned() + &"[0]".repeat(600),
        "'".to_owned() + &"x".repeat(3000),
        String::new(),
        "Foo{a: 1}".to_owned(),
    ] {
        let start = std::time::Instant::now();
        let _ = analyse(&text);
        let _ = evaluate(&text, &values());
        assert!(start.elapsed().as_secs() < 5, "{text}");
    }
    assert!(analyse(&deep("(", ")", 40)).is_err());
    assert!(analyse("inputs.l.map(a,inputs.l.map(b,inputs.l.map(c,1)))").is_err());
    assert!(analyse(&("['a']".to_owned() + &".map(x,x+x)".repeat(5))).is_err());
    let long = json!({"l": vec![0; 1001]});
    assert!(evaluate("inputs.l.map(x, x)", &long).is_err());
    assert_eq!(evaluate("size(inputs.l)", &long), Ok(json!(1001)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_text_panics(text in "[a-z0-9.()\\[\\]{}'\"+?:!&|<>= ${-]{0,60}") {
        let _ = analyse(&text);
        let _ = evaluate(&text, &values());
    }
}

#[test]
fn a_schema_finds_what_is_wrong_and_names_no_value() {
    let schema = json!({
        "type": "object",
        "properties": { "a": { "type": "string", "pattern": "^x" } },
        "required": ["b"],
        "additionalProperties": false,
    });
    let findings = |schema: &Value, value: Value| {
        ask(&Question::Validate {
            schema: Cow::Borrowed(schema),
            value: Cow::Owned(value),
        })
    };
    let Ok(Answer::Findings(found)) = findings(&schema, json!({ "a": "secret", "c": 1 })) else {
        panic!("no findings");
    };
    let mut lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "`b` is missing",
            "`c` is not known here",
            "a: this does not match ^x"
        ]
    );
    let wrong = findings(&json!({ "type": 7 }), json!({})).expect_err("no schema");
    assert!(wrong.starts_with("the schema itself is wrong: "), "{wrong}");
    let fetches = findings(&json!({ "$ref": "https://example.com/s" }), json!({}));
    assert!(fetches.is_err(), "nothing is fetched");
}

#[test]
fn patterns_match_in_linear_time_or_are_wrong() {
    let matches = |pattern: &str, text: &str| {
        ask(&Question::Match {
            pattern: pattern.into(),
            text: text.into(),
        })
    };
    assert_eq!(matches("^a+$", "aaa"), Ok(Answer::Matches(true)));
    assert_eq!(
        matches("^(a+)+$", &("a".repeat(5000) + "b")),
        Ok(Answer::Matches(false))
    );
    let wrong = matches("(", "").expect_err("no pattern");
    assert_eq!(wrong, "error: unclosed group");
    assert!(matches("(?:(?:a{1000}){1000}){1000}", "a").is_err());
}

#[test]
fn questions_and_answers_cross_the_boundary_unchanged() {
    let question = Question::Evaluate {
        text: "1 + 1".into(),
        variables: BTreeMap::from([("inputs".into(), Cow::Owned(json!({"a": [1.5, "é\u{1b}"]})))]),
        statuses: Statuses {
            success: false,
            failure: true,
            cancelled: false,
        },
    };
    let text = serde_json::to_string(&question).expect("JSON");
    assert_eq!(
        serde_json::from_str::<Question<'_>>(&text).expect("read"),
        question
    );
    let answer = Answer::Value(json!({"z": 1, "a": null}));
    let text = serde_json::to_string(&answer).expect("JSON");
    assert_eq!(serde_json::from_str::<Answer>(&text).expect("read"), answer);
}

#[test]
fn an_analysis_says_what_is_yielded_compared_and_used_as_a_condition() {
    use sidestep_evaluator::Kind;
    for (text, yields) in [
        ("1", Some(Kind::Number)),
        ("'x'", Some(Kind::Text)),
        ("[1]", Some(Kind::List)),
        ("{'a': 1}", Some(Kind::Map)),
        ("null", Some(Kind::Null)),
        ("inputs.n == 1", Some(Kind::Boolean)),
        ("success() && inputs.s", Some(Kind::Boolean)),
        ("has(inputs.s)", Some(Kind::Boolean)),
        ("size(inputs.l)", Some(Kind::Number)),
        ("inputs.b ? 'x' : 'y'", Some(Kind::Text)),
        ("inputs.b ? 'x' : 1", None),
        ("inputs.s", None),
        ("inputs.s + 'x'", None),
    ] {
        assert_eq!(analyse(text).expect(text).yields, yields, "{text}");
    }
    let found = analyse(
        "inputs.a == 'x' && !inputs.b || 'y' != steps.s.status \
         || steps['t'].status in ['u', 'v'] || inputs.l.exists(i, i == 1 && inputs.c)",
    )
    .expect("an expression");
    let compared: Vec<_> = found
        .comparisons
        .iter()
        .map(|one| (one.reference.text(), one.literal.clone()))
        .collect();
    let expected = [
        ("inputs.a", "x"),
        ("steps.s.status", "y"),
        ("steps.t.status", "u"),
        ("steps.t.status", "v"),
    ];
    assert_eq!(compared.len(), expected.len(), "{compared:?}");
    for (name, literal) in expected {
        assert!(
            compared.contains(&(name.to_owned(), json!(literal))),
            "{name}"
        );
    }
    let conditions: Vec<_> = found
        .conditions
        .iter()
        .map(sidestep_evaluator::Reference::text)
        .collect();
    assert!(
        conditions.contains(&"inputs.b".to_owned()),
        "{conditions:?}"
    );
    assert!(
        conditions.contains(&"inputs.c".to_owned()),
        "{conditions:?}"
    );
    assert!(
        !conditions
            .iter()
            .any(|name| name.starts_with('i') && !name.starts_with("inputs"))
    );
}
