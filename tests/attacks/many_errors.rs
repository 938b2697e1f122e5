//! Files with as many errors as fit: the time for the messages is proportional to their number.

use std::fmt::Write as _;
use std::time::Duration;

use super::harness::{Arena, Bounds, Outcome};

const MANY: usize = 10_000;
/// Usually 4 to 20 s of processor time in an unoptimised build.
const BOUNDS: Bounds = Bounds {
    memory: 512 << 20,
    time: Duration::from_mins(5),
    disk: 1 << 20,
};

fn validate(pipeline: &str) -> Outcome {
    let mut arena = Arena::new();
    arena.setup.write("many.yaml", pipeline);
    let outcome = arena.run(&["validate", "many.yaml"], BOUNDS);
    assert_ne!(outcome.code, None, "{outcome}");
    outcome
}

/// Returns the number of errors in the last line.
fn counted(outcome: &Outcome) -> usize {
    let last = outcome.stderr.trim_end().lines().last();
    let count = last.and_then(|line| line.strip_suffix(" errors"));
    count
        .and_then(|count| count.parse().ok())
        .unwrap_or_else(|| panic!("no count of errors: {outcome}"))
}

#[test]
fn ten_thousand_errors_are_each_shown_at_their_line() {
    let mut pipeline = String::from("version: 1\nname: many\nsteps: {}\n");
    for n in 0..MANY {
        writeln!(pipeline, "unknown{n}: 1").expect("a string");
    }
    let outcome = validate(&pipeline);
    assert_eq!(outcome.code, Some(2), "{outcome}");
    assert!(counted(&outcome) >= MANY, "{outcome}");
    assert!(outcome.stderr.contains("[many.yaml:4:1]"), "{outcome}");
    let last = format!("[many.yaml:{}:1]", MANY + 3);
    assert!(outcome.stderr.contains(&last), "{outcome}");
}

#[test]
fn errors_on_one_line_show_what_is_around_each_alone() {
    let mut pipeline = String::from("{ version: 1, name: many, steps: {}");
    for n in 0..MANY {
        write!(pipeline, ", \u{e4}unknown{n}: \"{}\"", "x".repeat(60)).expect("a string");
    }
    pipeline.push_str(" }\n");
    let outcome = validate(&pipeline);
    assert_eq!(outcome.code, Some(2), "{outcome}");
    assert!(counted(&outcome) >= MANY, "{outcome}");
    // Each message shows at most three lines of 200 characters, and not the line of 800 KiB.
    let bound = counted(&outcome) * 3_000;
    assert!(outcome.stderr.len() < bound, "{}", outcome.stderr.len());
}

#[test]
fn ten_thousand_steps_with_errors_are_all_named() {
    let mut pipeline = String::from("version: 1\nname: many\nsteps:\n");
    for n in 0..MANY {
        writeln!(pipeline, "  s{n}: {{ uses: ./attacker.wasm, wiht: {{}} }}").expect("a string");
    }
    let outcome = validate(&pipeline);
    assert_eq!(outcome.code, Some(2), "{outcome}");
    assert!(counted(&outcome) >= MANY, "{outcome}");
    assert!(outcome.stderr.contains("did you mean `with`?"), "{outcome}");
}

#[test]
fn ten_thousand_errors_as_json_and_sarif_are_whole() {
    let mut arena = Arena::new();
    let mut pipeline = String::from("version: 1\nname: many\nsteps: {}\n");
    for n in 0..MANY {
        writeln!(pipeline, "unknown{n}: 1").expect("a string");
    }
    arena.setup.write("many.yaml", &pipeline);
    for format in ["json", "sarif"] {
        let outcome = arena.run(&["validate", "many.yaml", "--output", format], BOUNDS);
        assert_eq!(outcome.code, Some(2), "{outcome}");
        let all: serde_json::Value = serde_json::from_str(&outcome.stdout).expect(format);
        let results = if format == "json" {
            &all
        } else {
            &all["runs"][0]["results"]
        };
        assert!(results.as_array().is_some_and(|all| all.len() >= MANY));
    }
}

#[test]
fn a_valid_file_of_ten_thousand_steps_is_valid() {
    let mut pipeline = String::from("version: 1\nname: many\nsteps:\n");
    for n in 0..MANY {
        writeln!(
            pipeline,
            "  s{n}: {{ uses: ./attacker.wasm, with: {{ act: honest.answer }} }}"
        )
        .expect("a string");
    }
    let outcome = validate(&pipeline);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert!(
        outcome.stdout.contains(&format!("valid ({MANY} steps)")),
        "{outcome}"
    );
}
