//! What the runner links: only the evaluator's module has the libraries that read expressions, and
//! no client of Google's control plane is built.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;

use crate::sources::{Sources, without_tests};

/// Crates that every start would pay for, with tables that the loader relocates (decision 0039).
const ABSENT: [&str; 4] = ["cel", "antlr4rust", "chrono-tz", "sidestep-evaluator-guest"];

#[test]
fn the_runner_does_not_link_the_reader_of_expressions() {
    let output = Command::new(env!("CARGO"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        // With the features of the whole workspace, cargo lists the crates of all its members.
        .env_remove("CARGO_RESOLVER_FEATURE_UNIFICATION")
        .args(["tree", "--package", "sidestep", "--edges", "normal"])
        .args([
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--locked",
            "--offline",
        ])
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8_lossy(&output.stdout);
    let linked: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(linked.contains("sidestep-evaluator") && linked.len() > 300);
    for name in ABSENT {
        assert!(
            !linked.contains(name),
            "the runner depends on {name}; see who brings it:\n    cargo tree -p sidestep -e normal -i {name}"
        );
    }
}

/// A client brings the code of all its methods (decision 0042). The crates are there for their
/// types.
#[test]
fn the_runner_builds_no_client_of_google_s_control_plane() {
    let client = Regex::new(r"\bgoogle_cloud_(\w+)::client\b").expect("a pattern");
    let mut used = BTreeSet::new();
    for (place, file) in Sources::all().shipped() {
        let text = fs::read_to_string(file).expect("text");
        for found in client.captures_iter(without_tests(&text)) {
            used.insert((found[1].to_owned(), place.clone()));
        }
    }
    let place = "runner/capabilities/storage/src/client.rs".to_owned();
    assert_eq!(used, BTreeSet::from([("storage".to_owned(), place)]));
}
