use serde_json::json;

use super::*;

/// A schema like those of plugins.
fn inputs() -> Value {
    json!({
        "$schema": DIALECT,
        "title": "Inputs",
        "type": "object",
        "additionalProperties": false,
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "minLength": 1, "description": "A name."},
            "lines": {"type": "integer", "format": "uint32", "minimum": 0, "default": 0},
            "wait": {"type": ["string", "null"], "pattern": TIME_PATTERN},
            "targets": {"type": "array", "items": {"$ref": "#/$defs/Target"}},
            "kind": {"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}]},
        },
        "$defs": {"Target": {
            "type": "object",
            "properties": {"next": {"$ref": "#/$defs/Target"}},
            "additionalProperties": {"type": "boolean"},
            "x-sidestep": "target",
        }},
    })
}

#[test]
fn values_that_fit_a_plugin_s_inputs_need_no_evaluator() {
    for value in [
        json!({"name": "x"}),
        json!({"name": "é", "lines": u64::MAX, "wait": null, "kind": "b"}),
        json!({"name": "x", "targets": [{"next": {"next": {}, "more": true}}], "kind": null}),
    ] {
        assert!(fits(&inputs(), &value), "{value}");
    }
}

#[test]
fn values_that_do_not_fit_are_left_to_the_evaluator() {
    for value in [
        json!(null),
        json!({}),
        json!({"name": ""}),
        json!({"name": "x", "more": 1}),
        json!({"name": "x", "lines": -1}),
        json!({"name": "x", "lines": 1.0}),
        json!({"name": "x", "wait": "1s"}),
        json!({"name": "x", "targets": [{"next": {"more": 1}}]}),
        json!({"name": "x", "kind": "c"}),
    ] {
        assert!(!fits(&inputs(), &value), "{value}");
    }
}

#[test]
fn schemas_that_are_wrong_or_unknown_are_left_to_the_evaluator() {
    for schema in [
        json!(null),
        json!({"$schema": "http://json-schema.org/draft-07/schema#"}),
        json!({"items": {"$schema": DIALECT}}),
        json!({"type": "text"}),
        json!({"type": []}),
        json!({"type": ["null", "null"]}),
        json!({"required": "name"}),
        json!({"minLength": -1}),
        json!({"pattern": "("}),
        json!({"anyOf": []}),
        json!({"not": {}}),
        json!({"$id": "x"}),
        json!({"$ref": "#/$defs/none"}),
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}),
        json!({"properties": {"a": {"unevaluatedProperties": false}}}),
    ] {
        assert!(!fits(&schema, &json!({})), "{schema}");
    }
}

#[test]
fn a_schema_that_multiplies_is_left_to_the_evaluator() {
    let next = |level: usize| json!({"$ref": format!("#/$defs/d{level}")});
    let mut definitions: Map<String, Value> = (0..40)
        .map(|level| {
            let both = json!({"allOf": [next(level + 1), next(level + 1)]});
            (format!("d{level}"), both)
        })
        .collect();
    definitions.insert("d40".to_owned(), json!({}));
    let schema = json!({"$ref": "#/$defs/d0", "$defs": definitions});
    assert!(!fits(&schema, &json!(1)));
    let long = json!({"allOf": vec![json!({"minLength": 1}); 100]});
    assert!(fits(&long, &json!("x")));
    assert!(!fits(&long, &json!("x".repeat(MAX_STEPS * BYTES_PER_STEP))));
    let choices = json!({"items": {"enum": (0..200).collect::<Vec<_>>()}});
    assert!(fits(&choices, &json!([0, 199])));
    assert!(!fits(&choices, &json!(vec![0; 100])));
    let notes: Map<String, Value> = (0..2_000)
        .map(|number| (format!("x-{number}"), json!(0)))
        .collect();
    let noted = json!({"items": notes});
    assert!(fits(&noted, &json!([1])));
    assert!(!fits(&noted, &json!(vec![1; 10])));
    let name = "d".repeat(10 * BYTES_PER_STEP);
    let named = json!({"items": {"$ref": format!("#/$defs/{name}")}, "$defs": {&name: {}}});
    assert!(fits(&named, &json!([1])));
    assert!(!fits(&named, &json!(vec![1; MAX_STEPS / 10])));
}
