//! Faults of this machine: a full disk, unusable folders, damaged records.

use std::fs;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::gc::gc;
use crate::interrupted::{pod_of, pod_runs, signal, until};
use crate::jobs::UPLOAD;
use crate::printed::commands;
use crate::setup::{Setup, find};

/// Returns the command in a process whose files may not exceed this many blocks of 512 bytes. To
/// the command, this looks like a full disk.
fn on_a_full_disk(command: &Command, blocks: u32) -> Command {
    let mut limited = Command::new("sh");
    let script = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
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
    let mut setup = Setup::with_application();
    // Long lines, so that the log is full long before the journal.
    let filler = "x".repeat(150);
    let labels: String = (0..5_000)
        .map(|n| format!("LABEL n={n}{filler}\n"))
        .collect();
    setup.write(
        "Dockerfile",
        &format!("FROM scratch\nCOPY hello.txt /\n{labels}"),
    );
    // The sandbox is a separate process, on a disk that is not full.
    assert_eq!(setup.events(&["run", "--sandbox"]).0, 0);
    let run = ["run", "--sandbox", "--run-id", "full", "--output", "json"];
    let command = setup.command(&run);
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
        message.contains("full/logs/build.1.log: File too large"),
        "{message}"
    );
    assert!(help.starts_with("Free space on that disk"), "{help}");
    assert_eq!(commands(&told["help"]), ["sidestep resume full"]);
    let cleaned = find(&seen, "cleaned-up", |data| data["kind"] == "pod").expect("said");
    assert_eq!(cleaned["removed"], true);

    let (exit, after) = setup.events(&["resume", "full"]);
    assert_eq!(exit, 0, "{:#?}", after.last());
}

#[test]
fn folders_that_are_none_are_named_with_what_to_do() {
    let mut setup = Setup::with_application();
    let file = setup.workspace().join("hello.txt");
    let output = setup
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

    // A cache is only an optimisation.
    let output = setup
        .command(&["run", "--sandbox"])
        .env("XDG_CACHE_HOME", &file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_damaged_record_hides_neither_the_run_nor_the_others() {
    let mut setup = Setup::with_application();
    for id in ["good", "bad", "worse"] {
        let (exit, _) = setup.events(&["run", "--sandbox", "--run-id", id]);
        assert_eq!(exit, 0);
    }
    let runs = setup.workspace().join("../state/sidestep/runs");
    // One record in the middle of one journal, and all records of another.
    let journal = runs.join("bad/journal");
    let mut bytes = fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&journal, &bytes).unwrap();
    fs::write(runs.join("worse/journal"), "no journal at all").unwrap();

    let output = setup.run(&["runs"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
    assert!(output.status.success(), "{text}");
    for id in ["good", "bad", "worse"] {
        assert!(text.contains(id), "{id} in {text}");
    }
    assert!(text.contains("succeeded, damaged"), "{text}");
    // Intact records are shown, with a note that there are more. Resuming from them is refused.
    for command in [
        &["runs", "show", "bad"][..],
        &["logs", "bad"],
        &["resume", "bad"],
    ] {
        let output = setup.run(command);
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
        assert!(
            told.contains("the journal of run bad is damaged: record"),
            "{told}"
        );
        assert!(told.contains("sidestep gc --sandbox=healthy"), "{told}");
        let code = i32::from(command[0] != "runs");
        assert_eq!(output.status.code(), Some(code), "{command:?}: {told}");
    }
    let output = setup.run(&["logs", "bad"]);
    assert!(
        !output.stdout.is_empty(),
        "the lines that are whole are shown"
    );
    let output = setup.run(&["gc", "--sandbox"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        told.contains("the objects of its run are not known"),
        "{told}"
    );
    assert!(journal.is_file(), "a run that ended stays in the list");
    let output = setup.run(&["resume", "worse"]);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("is not a journal"), "{told}");
}

#[test]
fn a_lost_intent_builds_nothing_twice_and_its_pod_is_found_by_its_mark() {
    let mut setup = Setup::with_application();
    let arguments = [
        "run",
        "--sandbox=build-hangs",
        "--run-id",
        "lost",
        "--output",
        "json",
    ];
    let mut child = setup.start(&arguments);
    let pod = pod_of(&until(&mut child, pod_runs));
    signal(&child, "KILL");
    child.wait().unwrap();
    let run = setup.folder().join("state/sidestep/runs/lost");
    let mut bytes = fs::read(run.join("journal")).unwrap();
    let text = format!("\"name\":\"{}\"", pod.trim_start_matches("builds/"));
    let is_intent = |at: &usize| bytes[*at..].starts_with(br#"{"record":"intent""#);
    let intents: Vec<usize> = (0..bytes.len()).filter(is_intent).collect();
    let of_pod = |at: &&usize| {
        let end = bytes.len().min(**at + 600);
        String::from_utf8_lossy(&bytes[**at..end]).contains(&text)
    };
    let intent = *intents.iter().rfind(of_pod).expect("it is journaled");
    bytes[intent + 12] ^= 1;
    fs::write(run.join("journal"), &bytes).unwrap();

    for arguments in [
        &["resume", "lost"][..],
        &["run", "--sandbox=build-hangs", "--run-id", "lost"],
    ] {
        let output = setup.run(arguments);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(
            told.contains("the journal of run lost is damaged"),
            "{told}"
        );
        assert!(told.contains("sidestep gc --sandbox=build-hangs"), "{told}");
    }
    let output = setup.run(&["runs"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("damaged"), "{told}");

    let gc = |setup: &mut Setup, flags: &[&str]| {
        let output = setup.run(&[&["gc"], flags].concat());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let told = gc(&mut setup, &[]);
    assert!(told.contains("sidestep gc --sandbox=build-hangs"), "{told}");
    let told = gc(&mut setup, &["--sandbox=build-hangs", "--dry-run"]);
    assert!(told.contains(&format!("would remove: pod {pod}")), "{told}");
    let told = gc(&mut setup, &["--sandbox=build-hangs"]);
    assert!(told.contains(&format!("removed: pod {pod}")), "{told}");
    let aside = run.with_extension("damaged");
    assert!(
        told.contains(&format!("set aside: run {}", run.display())),
        "{told}"
    );
    assert!(
        told.contains(&format!("its folder was moved to {}", aside.display())),
        "{told}"
    );
    assert!(!run.exists() && aside.join("plan.json").is_file());

    // The id is free, so the run starts from the beginning.
    let mut child = setup.start(&arguments);
    until(&mut child, pod_runs);
    signal(&child, "INT");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
}

#[test]
fn an_old_damaged_run_is_set_aside_and_not_deleted() {
    let mut setup = Setup::with_application();
    setup.write("upload.yaml", UPLOAD);
    let (exit, _) = setup.events(&["run", "upload.yaml", "--sandbox", "--run-id", "old"]);
    assert_eq!(exit, 0);
    let runs = setup.folder().join("state/sidestep/runs");
    let journal = runs.join("old/journal");
    let mut bytes = fs::read(&journal).unwrap();
    // Without its end, and with one changed byte in what is left.
    bytes.truncate(bytes.len() * 3 / 4);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&journal, &bytes).unwrap();
    let old = SystemTime::now() - Duration::from_hours(40 * 24);
    let file = fs::File::options().write(true).open(&journal).unwrap();
    file.set_modified(old).unwrap();

    let planned = gc(&mut setup, &["--sandbox", "--dry-run"], &[]);
    let path = runs.join("old").display().to_string();
    assert_eq!(planned, [(path.clone(), "would-set-aside".to_owned())]);
    let found = gc(&mut setup, &["--sandbox"], &[]);
    assert_eq!(found, [(path, "set-aside".to_owned())]);
    assert_eq!(fs::read(runs.join("old.damaged/journal")).unwrap(), bytes);
}

#[test]
fn a_plan_that_is_another_now_is_not_run() {
    let mut setup = Setup::with_application();
    let (exit, _) = setup.events(&["run", "--sandbox", "--run-id", "other", "--as", "nobody"]);
    assert_eq!(exit, 4);
    let plan = setup.folder().join("state/sidestep/runs/other/plan.json");
    let text = fs::read_to_string(&plan).unwrap();
    assert!(text.contains("demo-contexts"));
    fs::write(&plan, text.replace("demo-contexts", "demo-c0ntexts")).unwrap();
    let output = setup.run(&["resume", "other"]);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    let named = format!("the plan of run other, {},", plan.display());
    let changed = format!("{named} is not the plan that the run was started with");
    assert!(told.contains(&changed), "{told}");
    fs::remove_file(&plan).unwrap();
    let output = setup.run(&["resume", "other"]);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(&format!("{named} is missing")), "{told}");
}

/// Collects all texts of a run: its output, and every file that it left.
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
        let mut setup = Setup::with_application();
        let sandbox = format!("--sandbox={scenario}");
        for format in ["json", "human"] {
            let output = setup
                .command(&["run", &sandbox, "-vv", "--output", format])
                .env("RUST_LOG", "trace")
                .output()
                .unwrap();
            let mut all = output.stdout.clone();
            all.extend(&output.stderr);
            texts(&setup.workspace().join("../state/sidestep/runs"), &mut all);
            texts(&setup.workspace(), &mut all);
            let text = String::from_utf8_lossy(&all);
            assert!(
                text.contains("kaniko"),
                "there is something to look through"
            );
            let token = setup.sandbox_file(scenario, "access-token");
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
    let mut setup = Setup::with_application();
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
    setup.write(
        "Dockerfile",
        &format!("FROM scratch\n{labels}COPY hello.txt /\n"),
    );
    let output = setup.run(&["run", "--sandbox", "--output", "human", "--run-id", "ci"]);
    let logs = setup.run(&["logs", "ci", "build"]);
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
