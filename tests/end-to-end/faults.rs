//! This machine's own faults: a full disk, folders that can't be used, records that are damaged.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

use crate::place::{Place, find};

/// The command in a process whose files may not grow past so many blocks of 512 bytes: what a full
/// disk is to it, without one.
fn on_a_full_disk(command: &Command, blocks: u32) -> Command {
    let mut limited = Command::new("sh");
    // Without the trap the signal would end it before the write is refused.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    limited
        .args(["-c", &script])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(command.get_current_dir().unwrap())
        .env_clear();
    for (name, value) in command.get_envs() {
        limited.env(name, value.unwrap_or_default());
    }
    limited
}

fn events(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_full_disk_stops_the_run_says_so_and_the_run_can_be_gone_on_with() {
    let mut place = Place::with_application();
    let labels: String = (0..1500).map(|n| format!("LABEL n={n}\n")).collect();
    place.write(
        "Dockerfile",
        &format!("FROM scratch\nCOPY hello.txt /\n{labels}"),
    );
    // The sandbox is a process of its own, on a disk that isn't full.
    assert_eq!(place.events(&["run", "--sandbox"]).0, 0);
    let run = ["run", "--sandbox", "--run-id", "full", "--output", "json"];
    let command = place.command(&run);
    let output = on_a_full_disk(&command, 400).output().unwrap();
    let seen = events(&output);
    let end = find(&seen, "run-finished", |_| true).expect("an end");
    assert_eq!(end["status"], "failed", "{end}");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let told = find(&seen, "warning", |data| data["code"] == "state.full").expect("a cause");
    let (message, help) = (
        told["message"].as_str().unwrap(),
        told["help"][0].as_str().unwrap(),
    );
    assert!(
        message.contains("full/journal: File too large"),
        "{message}"
    );
    assert!(help.starts_with("Free space on that disk"), "{help}");
    let cleaned = find(&seen, "cleaned-up", |data| data["kind"] == "pod").expect("said");
    assert_eq!(cleaned["removed"], true);

    let (exit, after) = place.events(&["resume", "full"]);
    assert_eq!(exit, 0, "{:#?}", after.last());
}

#[test]
fn folders_that_are_none_are_named_with_what_to_do() {
    let mut place = Place::with_application();
    let file = place.workspace().join("hello.txt");
    let output = place
        .command(&["exec", "sidestep/context-upload", "-i", "bucket=contexts"])
        .env("XDG_STATE_HOME", &file)
        .env("STORAGE_EMULATOR_HOST", "127.0.0.1:1")
        .output()
        .unwrap();
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains(&format!("{}/sidestep/runs", file.display())),
        "{told}"
    );
    assert!(told.contains("Make the folder writable"), "{told}");

    // A cache is only there to be faster.
    let output = place
        .command(&["run", "--sandbox"])
        .env("XDG_CACHE_HOME", &file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_damaged_record_hides_neither_the_run_nor_the_others() {
    let mut place = Place::with_application();
    for id in ["good", "bad", "worse"] {
        let (exit, _) = place.events(&["run", "--sandbox", "--run-id", id]);
        assert_eq!(exit, 0);
    }
    let runs = place.workspace().join("../state/sidestep/runs");
    // One record in the middle of one, and all of another.
    let journal = runs.join("bad/journal");
    let mut bytes = fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&journal, &bytes).unwrap();
    fs::write(runs.join("worse/journal"), "no journal at all").unwrap();

    let output = place.run(&["runs"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
    assert!(output.status.success(), "{text}");
    for id in ["good", "bad", "worse"] {
        assert!(text.contains(id), "{id} in {text}");
    }
    // What stood before the damage counts, and the run goes on from there.
    let (exit, events) = place.events(&["resume", "bad"]);
    assert_eq!(exit, 0, "{events:#?}");
    let output = place.run(&["resume", "worse"]);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("is not a journal"), "{told}");
}

/// All texts of a run: what it printed, and every file that it left.
fn texts(folder: &std::path::Path, into: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, into);
        } else if path.is_file() {
            into.extend(fs::read(path).unwrap());
        }
    }
}

#[test]
fn no_token_is_in_anything_that_a_run_says_or_keeps() {
    for scenario in ["healthy", "bucket-denied"] {
        let mut place = Place::with_application();
        let sandbox = format!("--sandbox={scenario}");
        for format in ["json", "human"] {
            let output = place
                .command(&["run", &sandbox, "-vv", "--output", format])
                .env("RUST_LOG", "trace")
                .output()
                .unwrap();
            let mut all = output.stdout.clone();
            all.extend(&output.stderr);
            texts(&place.workspace().join("../state/sidestep/runs"), &mut all);
            texts(&place.workspace(), &mut all);
            let text = String::from_utf8_lossy(&all);
            assert!(
                text.contains("kaniko"),
                "there is something to look through"
            );
            let token = place.sandbox_file(scenario, "access-token");
            assert!(token.trim().starts_with("ya29."), "{token}");
            for secret in [token.trim(), "ya29.", "Bearer ", "PRIVATE KEY"] {
                let at = text.find(secret);
                let near = at.map(|at| text[..at].chars().rev().take(80).collect::<String>());
                assert!(at.is_none(), "{secret:.12} after (reversed) {near:?}");
            }
        }
    }
}

#[test]
fn what_a_build_says_is_no_command_to_a_ci_system() {
    let mut place = Place::with_application();
    let commands = [
        "::set-output name=image::evil",
        "##[set-output name=image;]evil",
        "##vso[task.setvariable variable=image]evil",
        "::add-path::/evil",
    ];
    let labels: String = commands
        .iter()
        .enumerate()
        .map(|(n, command)| format!("LABEL l{n}=\"{command}\"\n"))
        .collect();
    place.write(
        "Dockerfile",
        &format!("FROM scratch\n{labels}COPY hello.txt /\n"),
    );
    let output = place.run(&["run", "--sandbox", "--output", "human", "--run-id", "ci"]);
    let logs = place.run(&["logs", "ci", "build"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(logs.status.success(), "{}", stderr(&logs));
    let shown = [output.stdout, output.stderr, logs.stdout].concat();
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("name=image::evil"), "{shown}");
    for line in shown.lines() {
        assert!(!line.trim_start().starts_with("::"), "{line}");
        assert!(!line.contains("##[") && !line.contains("##vso["), "{line}");
    }
}
