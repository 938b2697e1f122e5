use super::*;
use proptest::prelude::*;
use serde_json::json;

fn values() -> Values {
    let mut values = Values::default();
    values.roots.insert(
        "inputs",
        json!({"n": 2, "s": "x", "l": [1, 2, 3], "none": null}),
    );
    values
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
    let mut long = Values::default();
    long.roots.insert("inputs", json!({"l": vec![0; 1001]}));
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
