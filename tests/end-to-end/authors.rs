//! An author's way from an empty folder to a pipeline that runs the new step, with only the binary
//! and Rust.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use sidestep_test_harness::guests;

use crate::command::{stderr, stdout};
use crate::setup::Setup;

/// Lets a command use the Rust of these tests: the toolchain and the crates that they were built
/// with, without a network.
fn with_rust(command: &mut Command) -> &mut Command {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        let value = std::env::var_os(name).unwrap_or_else(|| home.join(folder).into());
        command.env(name, value);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    command
        .env("CARGO_TARGET_DIR", target.join("authored"))
        .env("CARGO_NET_OFFLINE", "true")
}

#[test]
fn a_stranger_makes_builds_and_runs_a_step() {
    if !guests::can_be_built() {
        return;
    }
    let mut setup = Setup::new();
    let made = setup.run(&["plugin", "new", "stranger-step"]);
    assert!(made.status.success(), "{}", stderr(&made));
    assert!(
        stdout(&made).contains("stranger-step/src/lib.rs"),
        "{}",
        stdout(&made)
    );
    let folder = setup.workspace().join("stranger-step");

    let mut build = setup.command(&["plugin", "build", "--output", "json"]);
    let built = with_rust(&mut build).current_dir(&folder).output().unwrap();
    assert!(built.status.success(), "{}", stderr(&built));
    let facts: Value = serde_json::from_slice(&built.stdout).expect("JSON");
    assert_eq!(facts["file"], "stranger-step.wasm");

    let mut inspect = setup.command(&[
        "plugin",
        "inspect",
        "./stranger-step.wasm",
        "--output",
        "json",
    ]);
    let inspected = inspect.current_dir(&folder).output().unwrap();
    let inspected: Value = serde_json::from_slice(&inspected.stdout).expect("JSON");
    for key in ["digest", "size"] {
        assert_eq!(inspected[key], facts[key], "{key}");
    }

    // The pipeline of the project, as it is and without its grant.
    let run = setup
        .command(&["run"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", stderr(&run));
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let lines = format!("lines  {}", readme.lines().count());
    assert!(stdout(&run).contains(&lines), "{}", stdout(&run));
    let pipeline = std::fs::read_to_string(folder.join("sidestep.yaml")).unwrap();
    let (before, rest) = pipeline.split_once("    grants:\n").unwrap();
    let (_, after) = rest.split_once("outputs:").unwrap();
    std::fs::write(
        folder.join("sidestep.yaml"),
        format!("{before}outputs:{after}"),
    )
    .unwrap();
    let refused = setup
        .command(&["run"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(3), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("read"), "{}", stderr(&refused));

    // Results that can't be printed are an error, as for every command.
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut build = setup.command(&["plugin", "build"]);
    let output = with_rust(&mut build)
        .current_dir(&folder)
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("output.unwritable"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_watched_plugin_is_built_after_each_change() {
    if !guests::can_be_built() {
        return;
    }
    let mut setup = Setup::new();
    assert!(
        setup
            .run(&["plugin", "new", "watched-step"])
            .status
            .success()
    );
    let folder = setup.workspace().join("watched-step");
    let mut command = setup.command(&["plugin", "build", "watched-step", "--debug", "--watch"]);
    let mut child = with_rust(&mut command)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut until = |part: &str| {
        let found = lines
            .by_ref()
            .find(|line| line.as_ref().unwrap().contains(part));
        assert!(found.is_some(), "no line has {part}");
    };
    until("waiting for changes");
    let source = folder.join("src/lib.rs");
    let text = std::fs::read_to_string(&source).unwrap();
    std::fs::write(&source, text.replace("[inputs.path]", "[inputs.other]")).unwrap();
    until("the plugin has no input `other`");
    until("waiting for changes");
    std::fs::write(&source, text).unwrap();
    until("waiting for changes");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(folder.join("watched-step.wasm").is_file());
}

#[test]
fn an_author_without_rust_is_told_how_to_get_it() {
    let mut setup = Setup::new();
    assert!(setup.run(&["plugin", "new", "no-rust"]).status.success());
    let mut command = setup.command(&["plugin", "build", "no-rust"]);
    let output = command.env("PATH", setup.folder()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    for part in [
        "plugin.toolchain",
        "cargo and rustc are not on the path",
        "https://rustup.rs",
    ] {
        assert!(said.contains(part), "{said}");
    }
}
