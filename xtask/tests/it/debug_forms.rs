//! No message uses Rust's debug form: `{error:?}` prints the internals of a library's error, which
//! are unreadable and may contain anything.

use std::fs;

use crate::sources::{Sources, without_tests};

/// Lines where a debug form quotes a text, and why. Errors must not use it there either.
const QUOTES: [(&str, &str); 17] = [
    (
        "runner/capabilities/gate/src/gate/held.rs",
        "counts the bytes, prints none",
    ),
    ("runner/dockerfile/", "as BuildKit's and Go's %q"),
    ("runner/sandbox/", "as the servers that it stands for"),
    ("plugins/kaniko-launch/src/dockerfile", "as Go's %q"),
    ("runner/sidestep/build.rs", "writes Rust literals"),
    ("runner/authoring/build.rs", "writes Rust literals"),
    ("runner/state/src/id.rs", "a text of the user's"),
    ("sdk/rust/src/values/text.rs", "a text of the author's"),
    ("runner/policy/src/pattern.rs", "an implementation of Debug"),
    ("runner/launch/src/prepare/check.rs", "a key, never printed"),
    ("runner/pipeline/src/problems.rs", "a key, never printed"),
    (
        "runner/launch/src/prepare/contexts.rs",
        "a key, never printed",
    ),
    ("sdk/pod/src/amount/cpu.rs", "a text of the author's"),
    ("runner/capabilities/registry/src/index.rs", "for fuzzing"),
    (
        "runner/tracing/src/events.rs",
        "how tracing hands values over",
    ),
    ("plugins/wi-verify/src/verdict.rs", "for tests"),
    (
        "sdk/rust/src/testing/",
        "calls and handles, as Rust shows them to a test",
    ),
];

/// Variable names of errors.
const ERRORS: [&str; 10] = [
    "error", "err", "e", "why", "cause", "source", "failure", "status", "refusal", "trap",
];

/// Returns the names in debug form in a line, with an empty name for an argument that has none.
fn debug_forms(line: &str) -> Vec<String> {
    if line.trim_start().starts_with("//") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (end, _) in line.match_indices(":?}").chain(line.match_indices(":#?}")) {
        let name = line[..end].rsplit('{').next().unwrap_or_default();
        let is_name = name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
        if is_name && line[..end].contains('{') {
            found.push(name.to_owned());
        }
    }
    if line.contains("dbg!(") {
        found.push("dbg!".to_owned());
    }
    found
}

#[test]
fn no_message_holds_a_debug_form() {
    let mut wrong = Vec::new();
    for (place, file) in Sources::all().shipped() {
        let text = fs::read_to_string(file).expect("text");
        let quotes = QUOTES.iter().any(|(path, _)| place.starts_with(path));
        for (number, line) in (1..).zip(without_tests(&text).lines()) {
            let mut forms = debug_forms(line);
            forms.retain(|name| !quotes || ERRORS.contains(&name.as_str()));
            if !forms.is_empty() {
                wrong.push(format!("{place}:{number}: {}", line.trim()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "write text for people, or list the place in QUOTES with a reason:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn debug_forms_are_found() {
    assert_eq!(debug_forms(r#"format!("no: {error:?}")"#), ["error"]);
    assert_eq!(debug_forms(r#"format!("no: {:#?}", error)"#), [""]);
    assert_eq!(debug_forms(r#"format!("{0:?} and {a.b:?}")"#), ["0", "a.b"]);
    assert_eq!(debug_forms("dbg!(error);"), ["dbg!"]);
    assert!(debug_forms("// like `{error:?}`").is_empty());
    assert!(debug_forms(r#"format!("{error}")"#).is_empty());
    assert!(debug_forms("`${NAME:?why}`").is_empty());
}
