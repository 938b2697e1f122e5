//! Names of files, arguments, and texts in a pipeline file.

use std::fs;

use super::screen::{Screen, assert_harmless, assert_json};
use super::{HOSTILE, JOBS, ascii, run};
use crate::attacks::harness::Arena;

/// Returns the hostile texts that are valid file names.
fn names() -> impl Iterator<Item = &'static str> {
    HOSTILE.into_iter().filter(|text| !text.contains('/'))
}

#[test]
fn names_of_files_are_shown_in_listings() {
    let mut arena = Arena::new();
    let workspace = arena.setup.workspace();
    arena.setup.write("Dockerfile", "FROM scratch\nCOPY . /\n");
    // A pattern ends at the end of its line, and must be valid.
    let plain = names().filter(|name| !name.contains(['[', '\\', '\n']));
    let ignored: Vec<String> = plain.map(|name| format!("i{name}")).collect();
    arena.setup.write(".dockerignore", &ignored.join("\n"));
    for name in names() {
        fs::write(workspace.join(name), "x").expect("written");
    }
    let socket = std::os::unix::net::UnixListener::bind(workspace.join("\u{1b}]0;x\u{7}"));
    drop(socket);
    for job in JOBS {
        let outcome = run(&mut arena, &["context", "ls"], job);
        assert_eq!(outcome.code, Some(0), "{outcome}");
        assert_harmless(&outcome, Screen::Plain);
        assert!(outcome.stdout.contains(r"\u{202e}gnp.exe"), "{outcome}");
        let outcome = run(&mut arena, &["context", "ls", "--output", "json"], job);
        let json = assert_json(&outcome).remove(0);
        let entries = json["entries"].as_array().expect("a list");
        for name in names() {
            assert!(
                entries.iter().any(|entry| entry["path"] == name),
                "{name:?}: {outcome}"
            );
        }
        for name in names() {
            let outcome = run(&mut arena, &["context", "explain", "--", name], job);
            assert_harmless(&outcome, Screen::Plain);
        }
    }
}

#[test]
fn what_the_command_line_says_is_shown() {
    let mut arena = Arena::new();
    arena.attack("act: honest.answer");
    for hostile in HOSTILE {
        let flag = format!("--{hostile}");
        let color = format!("--color={hostile}");
        let input = format!("{hostile}=x");
        for arguments in [
            &[hostile][..],
            &["run", &flag],
            &["run", &color],
            &["run", "--sandbox", hostile],
            &["run", "-i", hostile],
            &["run", "-i", &input],
            &["run", "--step", hostile],
            &["run", "--run-id", hostile],
            &["run", "--policy", hostile],
            &["validate", hostile],
            &["plan", "-o", hostile, "--output", "yaml"],
            &["logs", hostile],
            &["runs", "show", hostile],
            &["exec", hostile],
            &["plugin", "inspect", hostile],
            &["context", "ls", hostile],
            &["sandbox", "status", "--scenario", hostile],
            &["--workspace", hostile, "runs"],
        ] {
            let outcome = run(&mut arena, arguments, &[]);
            assert_ne!(outcome.code, Some(0), "{arguments:?}: {outcome}");
            assert_ne!(outcome.code, Some(70), "{arguments:?}: {outcome}");
            assert_harmless(&outcome, Screen::Plain);
        }
    }
}

#[test]
fn what_a_pipeline_file_says_is_shown() {
    let mut arena = Arena::new();
    let keys = |texts: &[&str]| -> String {
        let keys = texts
            .iter()
            .map(|text| format!("  {}: {{}}\n", ascii(text)));
        keys.collect()
    };
    let pipelines = [
        // The raw text in the lines that a diagnostic shows, as far as YAML accepts it.
        HOSTILE
            .map(|text| format!("version: 1\nname: x # {text}\nstpes: {{}}\n"))
            .to_vec(),
        // Invalid names, escaped by YAML and not by us.
        vec![format!("version: 1\nname: x\nsteps:\n{}", keys(&HOSTILE))],
        vec![format!(
            "version: 1\nname: x\n{}",
            keys(&HOSTILE).replace("  ", "")
        )],
        HOSTILE
            .map(|text| {
                let text = ascii(text);
                format!(
                    "version: 1\nname: {text}\nsteps:\n  a:\n    uses: {text}\n    if: {text}\n"
                )
            })
            .to_vec(),
    ];
    for pipeline in pipelines.concat() {
        arena.setup.write("sidestep.yaml", &pipeline);
        for command in [&["validate"][..], &["plan"]] {
            let outcome = run(&mut arena, command, JOBS[1]);
            assert_ne!(outcome.code, Some(70), "{outcome}");
            assert_harmless(&outcome, Screen::Plain);
        }
        let outcome = run(&mut arena, &["validate", "--output", "github"], JOBS[1]);
        assert_harmless(&outcome, Screen::Annotations);
        for format in ["json", "sarif"] {
            assert_json(&run(&mut arena, &["validate", "--output", format], JOBS[1]));
        }
    }
}

#[test]
fn a_place_in_hostile_lines_is_marked_where_it_is() {
    let mut arena = Arena::new();
    let line = "stpes: {} # \u{202e}";
    arena.setup.write(
        "sidestep.yaml",
        &format!("version: 1 # \u{200b}\nname: x # \u{202e}\n{line}\n"),
    );
    let outcome = run(&mut arena, &["validate"], &[]);
    assert_harmless(&outcome, Screen::Plain);
    let said = outcome.said();
    let at = said.lines().position(|line| line.contains("stpes: {}"));
    let lines: Vec<&str> = said.lines().collect();
    let at = at.expect("the line is shown");
    assert!(lines[at].contains(r"# \u{202e}"), "{outcome}");
    let column = lines[at]
        .find("stpes")
        .map(|byte| lines[at][..byte].chars().count());
    let mark = lines[at + 1]
        .find('\u{2500}')
        .map(|byte| lines[at + 1][..byte].chars().count());
    assert!(column.is_some() && column == mark, "{outcome}");
}

#[test]
fn what_a_plan_names_is_shown() {
    let mut arena = Arena::new();
    let many: Vec<String> = HOSTILE.iter().map(|text| ascii(text)).collect();
    let pipeline = format!(
        "version: 1\nname: {}\nsteps:\n  attack:\n    matrix: {{ of: [{}] }}\n    uses: \
         ./attacker.wasm\n    with: {{ act: honest.answer }}\n",
        ascii(HOSTILE[0]),
        many.join(", "),
    );
    arena.setup.write("sidestep.yaml", &pipeline);
    for job in JOBS {
        for command in [
            &["plan"][..],
            &["plan", "--color=always"],
            &["plan", "--output", "mermaid"],
            &["plan", "--rbac"],
            &["plan", "--rbac=\u{1b}]0;x\u{7}/a"],
            &["plan", "--iam"],
            &["plan", "--iam=user:\u{202e}a"],
            &["run"],
        ] {
            let outcome = run(&mut arena, command, job);
            assert_eq!(outcome.code, Some(0), "{outcome}");
            assert_harmless(&outcome, Screen::with(command));
        }
        let outcome = run(&mut arena, &["plan", "--output", "json"], job);
        super::assert_exact(&assert_json(&outcome), &outcome);
    }
}

#[test]
fn what_a_plan_suggests_is_shown() {
    let mut arena = Arena::new();
    arena.setup.write("Dockerfile", "FROM scratch\n");
    for hostile in HOSTILE {
        let pipeline = format!(
            "version: 1\nname: x\nsteps:\n  a:\n    uses: sidestep/context-upload\n    with: {{ \
             path: ., bucket: demo-contexts, prefix: {} }}\n",
            ascii(hostile),
        );
        arena.setup.write("sidestep.yaml", &pipeline);
        for format in ["--suggest-grants", "--iam", "--output=json"] {
            let outcome = run(&mut arena, &["plan", format], JOBS[1]);
            assert_ne!(outcome.code, Some(70), "{outcome}");
            assert_harmless(&outcome, Screen::Plain);
        }
    }
}
