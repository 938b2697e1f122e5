//! Untrusted expressions, schemas and patterns: each has a budget of steps and of memory.

use std::fs;

use serde_json::{Map, Value, json};

use super::harness::{Arena, Bounds, Outcome};
use super::manifest;

/// The evaluator's 64 MiB, plus the memory of the runner and an honest plugin.
const MEMORY: u64 = 320 << 20;

fn bounds() -> Bounds {
    Bounds {
        memory: MEMORY,
        ..Bounds::default()
    }
}

/// Writes `sidestep.yaml` with an input `l` of a thousand numbers, and these steps.
fn write(arena: &Arena, steps: &str) {
    let list = vec!["7"; 1000].join(", ");
    let text = "abc".repeat(200);
    let head = format!(
        "version: 1\nname: expressions\ninputs:\n  s: {{ type: string, default: {text} }}\n"
    );
    let file = format!("{head}  l: {{ type: list, default: [{list}] }}\nsteps:\n{steps}");
    arena.setup.write("sidestep.yaml", &file);
}

/// The honest step that runs whatever the outcome of `attack`.
const NEXT: &str = "  next:
    needs: [attack]
    if: \"always()\"
    uses: ./attacker.wasm
    with: { act: honest.answer }
";

/// Replaces the manifest of the plugin in the workspace.
fn change(arena: &Arena, change: impl FnOnce(&mut Map<String, Value>)) {
    let path = arena.setup.workspace().join("attacker.wasm");
    let component = fs::read(&path).expect("it is there");
    fs::write(path, manifest::changed(&component, change)).expect("written");
}

/// Makes each of the plugin's requests yield no scopes, whatever its inputs are.
fn request_nothing(manifest: &mut Map<String, Value>) {
    let requests = manifest["requests"].as_object_mut().expect("requests");
    for request in requests.values_mut() {
        *request = "[]".into();
    }
}

fn assert_says(outcome: &Outcome, parts: &[&str]) {
    // Lines are wrapped to the terminal's width.
    let said: String = outcome.said().split_whitespace().collect();
    for part in parts {
        let part: String = part.split_whitespace().collect();
        assert!(said.contains(&part), "{part:?} is not said: {outcome}");
    }
}

#[test]
fn expressions_that_grow_are_refused_at_their_places() {
    let mut arena = Arena::new();
    let grow = [
        "size(inputs.l.map(x, inputs.l.map(y, inputs.l)))",
        "size(inputs.l.map(x, inputs.s+inputs.s+inputs.s).map(x, x+x+x+x+x+x+x+x).map(x, x+x+x+x+x+x+x+x))",
        "size(inputs.l.map(x, inputs.l.filter(y, inputs.s.matches('(a|b|ab|bc|c)*d{1,200}'))))",
    ];
    let steps: String = (0..)
        .zip(grow)
        .map(|(n, text)| {
            format!(
                "  s{n}:\n    uses: ./attacker.wasm\n    with: {{ act: honest.answer, count: \"${{{{ {text} }}}}\" }}\n"
            )
        })
        .collect();
    write(&arena, &steps);
    let outcome = arena.run(&["validate"], bounds());
    assert_eq!(outcome.code, Some(2), "{outcome}");
    let places = [
        "sidestep.yaml:9:45",
        "sidestep.yaml:12:45",
        "sidestep.yaml:15:45",
    ];
    assert_says(&outcome, &places);
    assert_says(&outcome, &["expression.budget", "simplify it", "3 errors"]);
}

#[test]
fn a_condition_that_runs_for_long_fails_its_step_and_the_next_one_runs() {
    let mut arena = Arena::new();
    let condition = "size(inputs.l.map(x, size(inputs.l.map(y, x + y)))) > 0";
    write(
        &arena,
        &format!(
            "  attack:\n    uses: ./attacker.wasm\n    if: \"{condition}\"\n    with: {{ act: honest.answer }}\n{NEXT}"
        ),
    );
    let outcome = arena.run(&["run"], bounds());
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert_says(
        &outcome,
        &[
            "the condition of attack at sidestep.yaml:9:10 can't be evaluated: this takes more than \
             1,000,000,000 steps",
            "expression.budget",
        ],
    );
    outcome.assert_next_step_ran();
}

#[test]
fn inputs_that_grow_while_a_run_goes_on_fail_their_step_alone() {
    let mut arena = Arena::new();
    let first = "  first: { uses: ./attacker.wasm, with: { act: honest.answer } }\n";
    let grow = "inputs.l.map(x, inputs.l.map(y, steps.first.outputs.found))";
    write(
        &arena,
        &format!(
            "{first}  attack:\n    uses: ./attacker.wasm\n    with:\n      act: honest.answer\n      texts: \"${{{{ {grow} }}}}\"\n{NEXT}"
        ),
    );
    let outcome = arena.run(&["run"], bounds());
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert_says(&outcome, &["at sidestep.yaml:12:19", "expression.budget"]);
    outcome.assert_next_step_ran();
}

#[test]
fn a_plugin_s_request_that_grows_is_refused_where_the_file_names_the_plugin() {
    let mut arena = Arena::new();
    change(&arena, |manifest| {
        let list = format!("[{}]", vec!["7"; 500].join(","));
        let grow = format!("{list}.map(x, {list}.map(y, inputs.texts))");
        manifest.insert("requests".to_owned(), json!({ "http": grow }));
    });
    arena.attack("{ act: honest.answer, texts: [aaaaaaaaaaaaaaaaaaaaaaaa, b, c, d, e, f] }");
    let outcome = arena.run(&["validate"], bounds());
    assert_eq!(outcome.code, Some(2), "{outcome}");
    assert_says(
        &outcome,
        &[
            "sidestep.yaml:5:11",
            "the request of `./attacker.wasm` under `http` can't be evaluated",
            "expression.budget",
        ],
    );
}

/// Returns `depth` definitions, each of which refers to the next one twice.
fn bomb(combinator: &str, depth: usize) -> Value {
    let mut definitions = Map::new();
    for level in 0..depth {
        let next = json!({ "$ref": format!("#/$defs/d{}", level + 1) });
        definitions.insert(format!("d{level}"), json!({ combinator: [next, next] }));
    }
    definitions.insert(format!("d{depth}"), json!({ "type": "object" }));
    json!({ "$ref": "#/$defs/d0", "$defs": definitions })
}

#[test]
fn an_input_schema_that_multiplies_is_refused_where_the_file_names_the_plugin() {
    for combinator in ["allOf", "oneOf"] {
        let mut arena = Arena::new();
        change(&arena, |manifest| {
            manifest.insert("inputs".to_owned(), bomb(combinator, 40));
            request_nothing(manifest);
        });
        arena.attack("act: honest.answer");
        let outcome = arena.run(&["validate"], bounds());
        assert_eq!(outcome.code, Some(2), "{outcome}");
        let said = [
            "sidestep.yaml:5:11",
            "the input schema of `./attacker.wasm` can't be used",
            "schema.budget",
        ];
        assert_says(&outcome, &said);
    }
}

#[test]
fn an_output_schema_that_multiplies_fails_the_attempt_and_the_next_step_runs() {
    let mut arena = Arena::new();
    fs::copy(
        arena.setup.workspace().join("attacker.wasm"),
        arena.setup.workspace().join("honest.wasm"),
    )
    .expect("copied");
    change(&arena, |manifest| {
        manifest.insert("outputs".to_owned(), bomb("oneOf", 40));
    });
    write(
        &arena,
        &format!(
            "  attack:\n    uses: ./attacker.wasm\n    timeout: 5m\n    with: {{ act: honest.answer }}\n{}",
            NEXT.replace("attacker", "honest")
        ),
    );
    let outcome = arena.run(&["run"], bounds());
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert_says(
        &outcome,
        &[
            "the output schema of `attacker`",
            "1,000,000,000 steps",
            "schema.budget",
        ],
    );
    outcome.assert_next_step_ran();
}

#[test]
fn a_large_default_of_many_inputs_is_refused() {
    let mut arena = Arena::new();
    change(&arena, |manifest| {
        let many = (0..2000).map(|n| (format!("p{n}"), json!({ "$ref": "#/$defs/d" })));
        let mut properties: Map<String, Value> = many.collect();
        properties.insert("act".to_owned(), json!({ "type": "string" }));
        let large = "x".repeat(100_000);
        let inputs = json!({ "properties": properties, "$defs": { "d": { "default": large } } });
        manifest.insert("inputs".to_owned(), inputs);
        request_nothing(manifest);
    });
    arena.attack("act: honest.answer");
    let outcome = arena.run(&["validate"], bounds());
    assert_eq!(outcome.code, Some(2), "{outcome}");
    assert_says(
        &outcome,
        &[
            "the defaults:",
            "yields more than 1 MiB",
            "expression.budget",
        ],
    );
}

#[test]
fn a_large_schema_of_many_instances_is_kept_once() {
    let mut arena = Arena::new();
    change(&arena, |manifest| {
        let many = (0..6000).map(|n| (format!("p{n}"), json!({ "enum": [n, n + 1, n + 2] })));
        let properties: Map<String, Value> = many.collect();
        let inputs = manifest["inputs"].as_object_mut().expect("a schema");
        inputs.insert(
            "$defs".to_owned(),
            json!({ "many": { "properties": properties } }),
        );
        request_nothing(manifest);
    });
    let matrix: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    arena.setup.write(
        "sidestep.yaml",
        &format!(
            "version: 1\nname: many\nsteps:\n  attack:\n    uses: ./attacker.wasm\n    matrix: {{ n: [{}] }}\n    with: {{ act: honest.answer }}\n",
            matrix.join(", ")
        ),
    );
    let planned = arena.run(&["plan", "--output", "json"], bounds());
    assert_eq!(planned.code, Some(0), "{planned}");
    assert!(
        planned.stdout.len() < 2 << 20,
        "{} bytes",
        planned.stdout.len()
    );
}
