use proptest::prelude::*;
use serde_json::json;

use crate::fixtures::{lines, planned, read};

/// Every file under `tests/bad` is invalid. Its snapshot contains all of its diagnostics.
#[test]
fn bad_files() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bad");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    files.sort();
    assert!(files.len() >= 80, "fixtures are missing");
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a fixture");
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("a name");
        let inputs = if text.contains("bucket: { type") {
            json!({ "bucket": "b" })
        } else {
            json!({})
        };
        let problems = planned(&text, inputs).expect_err(name);
        insta::assert_snapshot!(name, lines(&problems));
    }
}

#[test]
fn given_inputs_that_the_file_does_not_declare_are_errors() {
    let text = "version: 1\nname: x\nsteps:\n  a: { uses: sidestep/pod-run, needs: [a] }\n";
    let problems = planned(text, json!({ "bucket": "b" })).expect_err("no such input");
    let codes: Vec<&str> = problems.iter().map(|found| found.code.exact()).collect();
    assert_eq!(codes, ["input.unknown", "step.cycle", "input.wrong"]);
    assert_eq!(problems[0].at, None);
}

/// Many steps that wait for each other have one short list of errors in a short time.
#[test]
fn thousands_of_cycles_are_reported_within_bounds() {
    let mut text = String::from("version: 1\nname: x\nsteps:\n");
    for i in 0..4_000 {
        let script = "with: { script: x }";
        let next = (i + 1) % 4_000;
        text.push_str(&format!(
            "  s{i}: {{ uses: sidestep/pod-run, needs: [s{next}, s0, s{}], {script} }}\n",
            i / 2
        ));
    }
    let problems = planned(&text, json!({})).expect_err("cycles");
    let length: usize = problems
        .iter()
        .map(|found| found.message.exact().len())
        .sum();
    assert!(length < 100_000, "{length} bytes");
    assert!(problems.iter().all(|found| found.code == "step.cycle"));
}

#[test]
fn ten_thousand_steps_in_a_row_use_no_stack() {
    let mut text = String::from("version: 1\nname: long\nsteps:\n");
    for i in (0..9_000).rev() {
        let needs = if i == 0 {
            String::new()
        } else {
            format!(", needs: [s{}]", i - 1)
        };
        text.push_str(&format!("  s{i}: {{ uses: sidestep/pod-run{needs} }}\n"));
    }
    let pipeline = read(&text).expect("a long chain is no cycle");
    assert_eq!(pipeline.uses().count(), 1);
}

#[test]
fn a_billion_laughs_is_an_error_within_a_second() {
    let mut text = String::from("version: 1\nname: x\na0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for i in 1..20 {
        let all = vec![format!("*a{}", i - 1); 9].join(", ");
        text.push_str(&format!("a{i}: &a{i} [{all}]\n"));
    }
    let start = std::time::Instant::now();
    let problems = read(&text).expect_err("far too large");
    assert_eq!(problems[0].code, "yaml.too-large");
    assert!(start.elapsed().as_secs() < 5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = planned(&text, json!({}));
    }

    /// Valid files with one line replaced, as in common mistakes.
    #[test]
    fn no_broken_file_panics(line in 0usize..24, with in "[ a-z0-9:{}\\[\\]\"'$&*|>-]{0,40}") {
        let mut lines: Vec<String> = crate::good::FILE.lines().map(str::to_owned).collect();
        let line = line % lines.len();
        lines[line] = with;
        let _ = planned(&lines.join("\n"), json!({ "bucket": "b", "image": "e.dev/p/i" }));
    }
}
