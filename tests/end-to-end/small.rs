use std::fs;

use serde_json::Value;

use crate::command::{run, sidestep, stderr, stdout};

#[test]
fn a_wrong_command_line_ends_with_2_and_help_with_0() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(run(folder.path(), &["frobnicate"]).status.code(), Some(2));
    assert_eq!(run(folder.path(), &["logs"]).status.code(), Some(2));
    let help = run(folder.path(), &["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(stdout(&help).contains("Usage: sidestep"));
}

#[test]
fn a_run_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    for args in [
        &["logs", "nosuch"][..],
        &["runs", "show", "nosuch"],
        &["logs", "../etc"],
    ] {
        let output = run(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(
            stderr(&output).contains("`sidestep runs` lists"),
            "{}",
            stderr(&output)
        );
    }
    let output = run(folder.path(), &["runs", "--output", "json"]);
    assert_eq!(stdout(&output).trim(), "[]");
}

#[test]
fn a_context_is_listed_packed_and_explained() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("Dockerfile"), "FROM scratch\n").expect("written");
    fs::write(folder.path().join("a.txt"), "hello").expect("written");
    fs::write(folder.path().join("b.log"), "noise").expect("written");
    fs::write(folder.path().join(".dockerignore"), "*.log\n").expect("written");
    let list = run(folder.path(), &["context", "ls"]);
    assert_eq!(list.status.code(), Some(0), "{}", stderr(&list));
    assert_eq!(stdout(&list), ".dockerignore\nDockerfile\na.txt\n");

    let list = run(folder.path(), &["context", "ls", "--output", "json"]);
    let list: Value = serde_json::from_slice(&list.stdout).expect("JSON");
    assert_eq!(list["entries"][2]["path"], "a.txt");
    assert_eq!(list["entries"][2]["size"], 5);
    assert_eq!(list["entries"][2]["mode"], "0644");

    for _ in 0..2 {
        let pack = run(folder.path(), &["context", "pack", "-o", "ctx.tar.gz"]);
        assert_eq!(pack.status.code(), Some(0), "{}", stderr(&pack));
        let digest = list["digest"].as_str().expect("a digest");
        assert!(
            stderr(&pack).contains(digest),
            "the archive is not part of itself"
        );
    }

    let explain = run(folder.path(), &["context", "explain", "gone.txt"]);
    assert_eq!(
        stderr(&explain).trim(),
        "gone.txt does not exist; this rule would apply to it"
    );
    let explain = run(folder.path(), &["context", "explain", "b.log"]);
    assert_eq!(stderr(&explain), "");
    assert!(
        stdout(&explain).contains(".dockerignore"),
        "{}",
        stdout(&explain)
    );
}

#[test]
fn settings_schema_and_completions_are_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = sidestep(folder.path(), &["settings", "--output", "json"])
        .env("SIDESTEP_ENDPOINT_STS", "http://127.0.0.1:9")
        .output()
        .expect("it starts");
    let settings: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        settings["endpoints.STS"]["source"],
        "$SIDESTEP_ENDPOINT_STS"
    );
    assert_eq!(settings["maxParallel"]["source"], "default");

    let schema = run(folder.path(), &["schema", "events"]);
    let schema: Value = serde_json::from_slice(&schema.stdout).expect("JSON");
    assert_eq!(schema["title"], "Envelope");

    let completions = run(folder.path(), &["completions", "bash"]);
    assert!(stdout(&completions).contains("_sidestep"));

    fs::create_dir(folder.path().join(".sidestep")).expect("made");
    fs::write(
        folder.path().join(".sidestep/config.yaml"),
        "endpoints: {STS: x}",
    )
    .expect("written");
    let output = run(folder.path(), &["settings"]);
    assert_eq!(output.status.code(), Some(6));
    assert!(
        stderr(&output).contains("receive credentials"),
        "{}",
        stderr(&output)
    );
}
