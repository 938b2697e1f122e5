//! Value files are parsed like pipeline files.

use proptest::prelude::*;
use serde_json::{Value, json};
use sidestep_events::Diagnostic;
use sidestep_pipeline::{Source, read_values};

use crate::fixtures::{lines, planned};

fn read(text: &str) -> Result<Value, Vec<Diagnostic>> {
    read_values(&Source {
        name: "inputs.yaml".to_owned(),
        text: text.to_owned(),
    })
}

#[test]
fn what_would_not_stay_as_it_is_written_asks_for_quotes() {
    let problems = read("list: [no, 1.10, 010, ~, 0o17]\nrelease: 1.10\n").expect_err("ambiguous");
    let said = lines(&problems);
    for (place, quoted) in [
        ("1:8+2", "write \"no\" if it is a string"),
        ("1:12+4", "write \"1.10\" if it is a string"),
        ("1:18+3", "write \"010\" if it is a string"),
        ("1:26+4", "write \"0o17\" if it is a string"),
        ("2:10+4", "write \"1.10\" if it is a string"),
    ] {
        let found = format!("{place} yaml.ambiguous: ");
        let at = said
            .find(&found)
            .unwrap_or_else(|| panic!("{place}: {said}"));
        assert!(said[at..].contains(quoted), "{quoted}: {said}");
    }
    assert_eq!(problems.len(), 5, "{said}");
}

#[test]
fn values_are_what_they_look_like() {
    assert_eq!(
        read("a: [\"1.10\", 1, 1.5, true, ~, v1]\nb: { c: 'no' }\n").expect("values"),
        json!({ "a": ["1.10", 1, 1.5, true, null, "v1"], "b": { "c": "no" } })
    );
    assert_eq!(read("").expect("nothing"), Value::Null);
    let twice = read("a: 1\na: 2\n").expect_err("a key twice");
    assert!(lines(&twice).contains("yaml."), "{}", lines(&twice));
}

proptest! {
    /// A scalar has the same meaning in an input file and as an input's default in a pipeline file.
    #[test]
    fn a_scalar_means_the_same_in_both_files(text in "[-+0-9a-z.~_'\"]{1,8}") {
        let pipeline = format!(
            "version: 1\nname: x\ninputs: {{ a: {{ type: list, default: [{text}] }} }}\nsteps: {{ s: {{ uses: sidestep/pod-run, with: {{ script: x }} }} }}\n"
        );
        let given = read(&format!("a: [{text}]\n")).ok();
        let default = planned(&pipeline, json!({})).ok();
        prop_assert_eq!(
            given.map(|given| given["a"].clone()),
            default.map(|plan| plan.inputs["a"].clone())
        );
    }
}
