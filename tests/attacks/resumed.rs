//! Stored state that is read back: a plan, journal or log that belongs to another user, or that
//! today's policy refuses.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::harness::{Arena, Bounds, Outcome};

/// Lists only the built-in plugins, on line 4.
const BUILT_IN_ALONE: &str =
    "version: 1\nrules:\n- match: { trust: unverified }\n  plugins: [{ name: \"sidestep/*\" }]\n";
/// The failing step's error code when it is retried.
const TRIED: &str = "attacker.unknown-act";
/// Another user: by convention, the user `nobody`.
const NOBODY: u32 = 65534;

/// Returns a workspace with the run `begun`, whose first step failed and whose second succeeded.
fn begun() -> Arena {
    let mut arena = Arena::new();
    arena.attack("act: none");
    let outcome = arena.run(&["run", "--run-id", "begun"], Bounds::default());
    assert_eq!(outcome.code, Some(1), "{outcome}");
    outcome.assert_next_step_ran();
    arena
}

fn record(arena: &Arena, name: &str) -> PathBuf {
    let run = arena.setup.folder().join("state/sidestep/runs/begun");
    if name.is_empty() { run } else { run.join(name) }
}

fn set(arena: &Arena, name: &str, mode: u32) {
    fs::set_permissions(record(arena, name), Permissions::from_mode(mode)).expect("set");
}

fn run(arena: &mut Arena, arguments: &[&str]) -> Outcome {
    arena.run(arguments, Bounds::default())
}

/// Asserts that the run can be resumed: its failed step is retried.
fn assert_resumes(arena: &mut Arena) {
    let outcome = run(arena, &["resume", "begun"]);
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.said().contains(TRIED), "{outcome}");
}

fn assert_refused(outcome: &Outcome, code: &str) {
    assert_eq!(outcome.code, Some(3), "{outcome}");
    assert!(outcome.said().contains(code), "{outcome}");
    outcome.assert_hides(TRIED);
}

#[test]
fn a_plan_that_today_s_policy_refuses_is_not_resumed() {
    let mut arena = begun();
    arena.setup.write("policy.yaml", BUILT_IN_ALONE);
    let named = run(&mut arena, &["resume", "begun", "--policy", "policy.yaml"]);
    assert_refused(&named, "policy.refused");
    assert!(named.said().contains("policy.yaml:4"), "{named}");
    let mut command = arena.setup.command(&["resume", "begun"]);
    command.env("SIDESTEP_POLICY", "policy.yaml");
    let variable = arena.run_command(command, Bounds::default());
    assert_refused(&variable, "policy.yaml:4");
    // A policy that was installed in the standard place since.
    let standard = arena.setup.folder().join("config/sidestep");
    fs::create_dir_all(&standard).expect("made");
    fs::write(standard.join("policy.yaml"), BUILT_IN_ALONE).expect("written");
    assert_refused(&run(&mut arena, &["resume", "begun"]), "policy.yaml:4");
    // The refusal did not change the run: without the policy it can be resumed.
    fs::remove_file(standard.join("policy.yaml")).expect("removed");
    assert_resumes(&mut arena);
}

#[test]
fn a_policy_that_was_changed_since_the_run_began_is_judged_anew() {
    let mut arena = Arena::new();
    arena.attack("act: none");
    let inspect = ["plugin", "inspect", "./attacker.wasm", "--output", "json"];
    let shown: Value = serde_json::from_str(&run(&mut arena, &inspect).stdout).expect("JSON");
    let listed = format!("{{ digest: {} }}", shown["digest"]);
    let policy = BUILT_IN_ALONE.replace("{ name: \"sidestep/*\" }", &listed);
    arena.setup.write("policy.yaml", &policy);
    let begin = ["run", "--run-id", "begun", "--policy", "policy.yaml"];
    let outcome = run(&mut arena, &begin);
    assert_eq!(outcome.code, Some(1), "{outcome}");
    outcome.assert_next_step_ran();
    arena.setup.write("policy.yaml", BUILT_IN_ALONE);
    let resume = ["resume", "begun", "--policy", "policy.yaml"];
    assert_refused(&run(&mut arena, &resume), "policy.yaml:4");
    arena.setup.write("policy.yaml", &policy);
    let outcome = run(&mut arena, &resume);
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.said().contains(TRIED), "{outcome}");
}

#[test]
fn a_record_that_others_can_write_is_refused_with_the_command_that_repairs_it() {
    let mut arena = begun();
    for (name, mode, commands) in [
        ("journal", 0o666, &["resume", "show", "gc"][..]),
        ("journal", 0o620, &["resume", "show", "runs"]),
        ("plan.json", 0o602, &["resume"]),
        ("lock", 0o666, &["resume"]),
        ("", 0o777, &["resume", "show", "logs"]),
    ] {
        let before = fs::metadata(record(&arena, name))
            .expect("there")
            .permissions();
        set(&arena, name, mode);
        let path = record(&arena, name).display().to_string();
        for command in commands {
            let outcome = match *command {
                "resume" => run(&mut arena, &["resume", "begun"]),
                "show" => run(&mut arena, &["runs", "show", "begun"]),
                "logs" => run(&mut arena, &["logs", "begun"]),
                other => run(&mut arena, &[other]),
            };
            let said = outcome.said();
            assert!(said.contains(&path), "{name} {command}: {outcome}");
            assert!(said.contains(&format!("mode {mode:04o}")), "{outcome}");
            if *command != "runs" {
                assert_refused(&outcome, "state.not-own");
                assert!(said.contains(&format!("chmod go-w {path}")), "{outcome}");
            }
        }
        let repaired = Command::new("chmod").arg("go-w").arg(&path).status();
        assert!(repaired.expect("chmod").success());
        assert_resumes(&mut arena);
        fs::set_permissions(record(&arena, name), before).expect("set");
    }
}

#[test]
fn a_record_of_another_user_is_refused() {
    let mut arena = begun();
    if chown(record(&arena, "journal"), Some(NOBODY), None).is_err() {
        println!("not run: only root can give a file away");
        return;
    }
    let outcome = run(&mut arena, &["resume", "begun"]);
    assert_refused(&outcome, "state.not-own");
    let said = outcome.said();
    assert!(said.contains("owner uid 65534"), "{outcome}");
    assert!(said.contains("sudo chown 0 "), "{outcome}");
    chown(record(&arena, "journal"), Some(0), None).expect("given back");
    for name in ["plan.json", ""] {
        chown(record(&arena, name), Some(NOBODY), None).expect("given away");
        assert_refused(&run(&mut arena, &["resume", "begun"]), "state.not-own");
        chown(record(&arena, name), Some(0), None).expect("given back");
    }
    // A run that was not started here: another user created its folder under a predictable id.
    let folder = record(&arena, "").with_file_name("planted");
    fs::create_dir(&folder).expect("made");
    chown(&folder, Some(NOBODY), None).expect("given away");
    let outcome = run(&mut arena, &["run", "--run-id", "planted"]);
    assert_refused(&outcome, "state.not-own");
    assert_resumes(&mut arena);
}

/// Locking truncates the lock file, so a planted link would truncate another file.
#[test]
fn a_planted_link_does_not_empty_a_file_of_the_user() {
    let mut arena = begun();
    arena.setup.write("precious.txt", "precious");
    let precious = arena.setup.workspace().join("precious.txt");
    for name in ["lock", "plan.json.new", "journal"] {
        let path = record(&arena, name);
        let kept = fs::read(&path).ok();
        let _ = fs::remove_file(&path);
        symlink(&precious, &path).expect("made");
        set(&arena, "", 0o777);
        let outcome = run(&mut arena, &["resume", "begun"]);
        assert_refused(&outcome, "state.not-own");
        let outcome = run(&mut arena, &["run", "--run-id", "begun"]);
        assert_refused(&outcome, "state.not-own");
        assert_eq!(fs::read(&precious).expect("there"), b"precious", "{name}");
        fs::remove_file(&path).expect("removed");
        if let Some(kept) = kept {
            fs::write(&path, kept).expect("written");
        }
        set(&arena, "", 0o700);
    }
    assert_resumes(&mut arena);
}

#[test]
fn a_pipe_in_the_place_of_a_record_is_not_waited_for() {
    let mut arena = begun();
    for name in ["plan.json", "lock"] {
        let path = record(&arena, name);
        let kept = fs::read(&path).expect("there");
        fs::remove_file(&path).expect("removed");
        let made = Command::new("mkfifo")
            .arg("-m")
            .arg("600")
            .arg(&path)
            .status();
        assert!(made.expect("mkfifo").success());
        let outcome = run(&mut arena, &["resume", "begun"]);
        assert_eq!(outcome.code, Some(1), "{outcome}");
        assert!(outcome.said().contains("not a regular file"), "{outcome}");
        fs::remove_file(&path).expect("removed");
        fs::write(&path, kept).expect("written");
    }
    assert_resumes(&mut arena);
}

/// The files of a run belong to the user whatever the umask, so that they can be read back.
#[test]
fn a_wide_umask_makes_no_record_that_others_can_write() {
    let mut arena = Arena::new();
    arena.attack("act: none");
    let sidestep = arena.setup.command(&["run", "--run-id", "begun"]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "umask 000; exec \"$0\" \"$@\""])
        .arg(sidestep.get_program())
        .args(sidestep.get_args())
        .current_dir(arena.setup.workspace());
    for (name, value) in sidestep.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let outcome = arena.run_command(command, Bounds::default());
    assert_eq!(outcome.code, Some(1), "{outcome}");
    for name in ["", "journal", "plan.json", "lock", "logs"] {
        let mode = fs::metadata(record(&arena, name))
            .expect(name)
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{name} has mode {mode:o}");
    }
    assert_resumes(&mut arena);
}

#[test]
fn a_plan_that_names_its_plugin_in_another_way_is_refused() {
    let mut arena = begun();
    let path = record(&arena, "plan.json");
    let plan = fs::read_to_string(&path).expect("there");
    assert!(plan.contains("./attacker.wasm"), "{plan}");
    for other in [
        "sidestep/attacker.wasm",
        "attacker.wasm",
        "sidestep/context-upload",
    ] {
        fs::write(&path, plan.replace("./attacker.wasm", other)).expect("written");
        let outcome = run(&mut arena, &["resume", "begun"]);
        assert_eq!(outcome.code, Some(1), "{other}: {outcome}");
        assert!(outcome.said().contains("state.damaged"), "{outcome}");
        outcome.assert_hides(TRIED);
    }
    fs::write(&path, plan).expect("written");
    assert_resumes(&mut arena);
}

/// In a folder of runs that others can write, one run can be renamed to another's name.
#[test]
fn a_run_under_another_one_s_name_is_not_resumed() {
    let mut arena = begun();
    let (begun, other) = (
        record(&arena, ""),
        record(&arena, "").with_file_name("other"),
    );
    fs::rename(&begun, &other).expect("renamed");
    let outcome = run(&mut arena, &["resume", "other"]);
    assert_refused(&outcome, "belongs to run begun, not to this run");
    fs::rename(&other, &begun).expect("renamed");
    assert_resumes(&mut arena);
}

#[test]
fn a_changed_plugin_s_help_keeps_the_sandbox() {
    let mut arena = Arena::new();
    arena.attack("act: none");
    let begin = ["run", "--sandbox", "--run-id", "begun"];
    let outcome = run(&mut arena, &begin);
    assert_eq!(outcome.code, Some(1), "{outcome}");
    // A custom section without content changes the bytes, but not the plugin.
    let path = arena.setup.workspace().join("attacker.wasm");
    let mut bytes = fs::read(&path).expect("readable");
    bytes.extend([0, 2, 1, b'x']);
    fs::write(&path, bytes).expect("written");
    let outcome = run(&mut arena, &["resume", "begun"]);
    assert_refused(&outcome, "plugin.changed");
    let help = "sidestep run sidestep.yaml --sandbox";
    assert!(outcome.said().contains(help), "{outcome}");
}
