//! What the runner links: only the evaluator's module has the libraries that read expressions.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

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
