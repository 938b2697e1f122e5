//! Every failure code is a row of the contract's table (`sdk/contract/src/codes.rs`): no code is
//! written as a string, no row is unused, and classes and owners match the row.

use std::collections::BTreeMap;
use std::fs;

use crate::sources::{Sources, without_tests};
use regex::Regex;
use sidestep_contract::codes::{self, Code};

/// The folder of the table.
const TABLE: &str = "sdk/contract/src/codes";

/// The folder of the emulated servers, whose texts look like codes.
const IMITATED: &str = "runner/sandbox/";

/// Returns the sources, each with its path, without comments, tests and emulated servers.
fn shipped() -> Vec<(String, String)> {
    let sources = Sources::all();
    let shipped = sources.shipped();
    shipped
        .filter(|(place, _)| !place.starts_with(TABLE) && !place.starts_with(IMITATED))
        .map(|(place, file)| {
            let text = fs::read_to_string(file).expect("text");
            let lines = without_tests(&text).lines();
            let code = lines.filter(|line| !line.trim_start().starts_with("//"));
            (place, code.collect::<Vec<_>>().join("\n"))
        })
        .collect()
}

/// Returns the constant of each code: `pod::EVICTED`.
fn constants() -> BTreeMap<String, &'static Code> {
    let constant = |code: &'static Code| {
        let (family, rest) = code.name.split_once('.').unwrap_or(("pipeline", code.name));
        let name = rest.replace('-', "_").to_uppercase();
        (format!("{family}::{name}"), code)
    };
    codes::all().map(constant).collect()
}

#[test]
fn no_code_is_written_as_a_text() {
    let text = Regex::new(r#""([a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*)""#).expect("a pattern");
    // The code is the second argument of the first two, and the first argument of the others.
    let code = Regex::new(concat!(
        r#"(?:\b(?:Failure|Error)::new\(\s*(?:Class::\w+|class)\s*,|"#,
        r#"\bDiagnostic::(?:error|warning)\(|\bError::(?:failed|invalid_input)\(|"#,
        r#"\bPluginError::new\(|\bproblems\.(?:add|add_help|unknown)\()\s*"([^"]*)""#,
    ))
    .expect("a pattern");
    let mut wrong = Vec::new();
    for (place, source) in shipped() {
        for found in text.captures_iter(&source) {
            if codes::all().any(|code| code.name == &found[1]) {
                wrong.push(format!("{place}: {}", &found[0]));
            }
        }
        for found in code.captures_iter(&source) {
            wrong.push(format!("{place}: \"{}\"", &found[1]));
        }
    }
    assert!(
        wrong.is_empty(),
        "give each code a row in {TABLE}, and write its constant:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_row_is_used() {
    let sources: Vec<(String, String)> = shipped();
    let unused: Vec<String> = constants()
        .into_keys()
        .filter(|constant| {
            let used = Regex::new(&format!(r"\bcodes::{constant}\b")).expect("a pattern");
            !sources.iter().any(|(_, source)| used.is_match(source))
        })
        .collect();
    assert!(
        unused.is_empty(),
        "no source uses these codes; remove their rows from {TABLE}:\n{}",
        unused.join("\n")
    );
}

#[test]
fn classes_and_owners_are_those_of_the_row() {
    let constants = constants();
    let both =
        Regex::new(r"\(\s*Class::(\w+),\s*codes::(\w+::\w+),\s*Owner::(\w+)").expect("a pattern");
    let class = Regex::new(r"\(\s*Class::(\w+),\s*codes::(\w+::\w+)").expect("a pattern");
    let author =
        Regex::new(r"Error::(failed|invalid_input)\(\s*codes::(\w+::\w+)").expect("a pattern");
    let mut seen = 0;
    let mut wrong = Vec::new();
    let mut judge = |place: &str, constant: &str, class: &str, owner: Option<&str>| {
        seen += 1;
        let row = constants[constant];
        // Debug writes the variant's name, as the source does.
        let fits = row
            .classes
            .iter()
            .any(|known| format!("{known:?}") == class)
            && owner
                .is_none_or(|owner| row.owners.iter().any(|known| format!("{known:?}") == owner));
        if !fits {
            wrong.push(format!("{place}: {} with {class}, {owner:?}", row.name));
        }
    };
    for (place, source) in shipped() {
        for found in class.captures_iter(&source) {
            judge(&place, &found[2], &found[1], None);
        }
        for found in both.captures_iter(&source) {
            judge(&place, &found[2], &found[1], Some(&found[3]));
        }
        for found in author.captures_iter(&source) {
            let class = if &found[1] == "failed" {
                "Failed"
            } else {
                "InvalidInput"
            };
            judge(&place, &found[2], class, Some("Author"));
        }
    }
    assert!(seen > 200, "{seen}");
    assert!(
        wrong.is_empty(),
        "these classes and owners contradict their rows:\n{}",
        wrong.join("\n")
    );
}
