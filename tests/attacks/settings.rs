//! Settings, policies and caches that another user can write.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::harness::{Arena, Bounds, Outcome};

/// Another user's uid.
const OTHER: u32 = 4321;
/// Applies to every run of these tests, and allows none of their plugins.
const REFUSES: &str = "version: 1
rules:
- match: { trust: unverified }
  plugins: [{ name: \"sidestep/*\" }]
  allow: {}
";
const EVIL: &str = "maxParallel: 77\nendpoints: { STS: \"https://evil.example\" }\n";

fn arena() -> Arena {
    let arena = Arena::new();
    arena.attack("act: honest.answer");
    arena
}

fn config(arena: &Arena) -> PathBuf {
    arena.setup.folder().join("config/sidestep")
}

fn write(path: &Path, text: &str, mode: u32) {
    let folder = path.parent().expect("a folder");
    fs::create_dir_all(folder).expect("made");
    set(folder, 0o700);
    fs::write(path, text).expect("written");
    set(path, mode);
}

fn set(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("set");
}

/// Returns whether the tests may change the owner of files.
fn may_chown(arena: &Arena) -> bool {
    let probe = arena.setup.folder().join("probe");
    fs::write(&probe, "").expect("written");
    chown(&probe, Some(OTHER), None).is_ok()
}

fn run(arena: &mut Arena, arguments: &[&str]) -> Outcome {
    arena.run(arguments, Bounds::default())
}

#[test]
fn a_settings_file_that_others_can_write_is_a_warning_with_the_command() {
    let mut arena = arena();
    let file = config(&arena).join("config.yaml");
    write(&file, EVIL, 0o666);
    let outcome = run(&mut arena, &["run"]);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    outcome.assert_next_step_ran();
    for said in ["settings.not-own", "mode 0666", "chmod go-w"] {
        assert!(outcome.stderr.contains(said), "{said}: {outcome}");
    }
    let settings = run(&mut arena, &["settings"]);
    settings.assert_hides("evil.example");
    settings.assert_hides("77");
    set(&file, 0o600);
    let folder = config(&arena);
    set(&folder, 0o770);
    let settings = run(&mut arena, &["settings"]);
    settings.assert_hides("evil.example");
    assert!(settings.stderr.contains("mode 0770"), "{settings}");
    set(&folder, 0o700);
    let settings = run(&mut arena, &["settings"]);
    assert!(settings.stdout.contains("evil.example"), "{settings}");
    if may_chown(&arena) {
        chown(&file, Some(OTHER), None).expect("given away");
        let settings = run(&mut arena, &["settings"]);
        settings.assert_hides("evil.example");
        let said = format!("owner uid {OTHER}, mode 0600");
        // The line wraps at a position that depends on the folder's name.
        let unfolded = settings.stderr.replace("\n  │", "");
        assert!(unfolded.contains(&said), "{settings}");
        assert!(settings.stderr.contains("sudo chown"), "{settings}");
    }
}

#[test]
fn a_policy_that_others_can_write_ends_the_command_and_is_never_skipped() {
    let mut arena = arena();
    let file = config(&arena).join("policy.yaml");
    write(&file, REFUSES, 0o646);
    for command in ["run", "validate", "plan"] {
        let outcome = run(&mut arena, &[command]);
        assert_eq!(outcome.code, Some(6), "{outcome}");
        for said in ["policy.not-own", "mode 0646", "chmod go-w"] {
            assert!(outcome.stderr.contains(said), "{said}: {outcome}");
        }
    }
    set(&file, 0o600);
    let outcome = run(&mut arena, &["validate"]);
    assert_eq!(outcome.code, Some(3), "the policy applies: {outcome}");
    if may_chown(&arena) {
        chown(&file, Some(OTHER), None).expect("given away");
        let outcome = run(&mut arena, &["validate"]);
        assert_eq!(outcome.code, Some(6), "{outcome}");
        assert!(
            outcome.stderr.contains(&format!("owner uid {OTHER}")),
            "{outcome}"
        );
    }
    fs::remove_file(&file).expect("removed");
    fs::create_dir(&file).expect("made");
    let outcome = run(&mut arena, &["validate"]);
    assert_eq!(outcome.code, Some(6), "{outcome}");
}

#[test]
fn a_policy_that_the_caller_names_may_belong_to_anybody() {
    let mut arena = arena();
    let file = arena.setup.workspace().join("theirs.yaml");
    write(&file, REFUSES, 0o666);
    let outcome = run(&mut arena, &["validate", "--policy", "theirs.yaml"]);
    assert_eq!(outcome.code, Some(3), "it only narrows: {outcome}");
    set(&arena.setup.workspace(), 0o755);
}

fn without_home(arena: &mut Arena, arguments: &[&str]) -> Command {
    let mut command = arena.setup.command(arguments);
    for name in [
        "HOME",
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
    ] {
        command.env_remove(name);
    }
    command
}

/// Without `HOME`, `/tmp/.config/sidestep` is not this user's settings folder, even if this user wrote
/// it.
#[test]
fn without_a_home_there_are_no_user_settings_and_the_state_has_to_be_named() {
    let mut arena = arena();
    let tmp = arena.setup.folder().join("tmp");
    write(&tmp.join(".config/sidestep/config.yaml"), EVIL, 0o644);
    let mut command = without_home(&mut arena, &["settings"]);
    command.env("TMPDIR", &tmp);
    let settings = arena.run_command(command, Bounds::default());
    assert_eq!(settings.code, Some(0), "{settings}");
    settings.assert_hides("evil.example");
    for arguments in [
        &["run"][..],
        &["runs"],
        &["resume", "x"],
        &["sandbox", "status"],
    ] {
        let mut command = without_home(&mut arena, arguments);
        command.env("TMPDIR", &tmp);
        let outcome = arena.run_command(command, Bounds::default());
        assert_eq!(outcome.code, Some(6), "{arguments:?}: {outcome}");
        assert!(outcome.stderr.contains("neither HOME nor"), "{outcome}");
        let names = ["SIDESTEP_STATE=dir:", "XDG_STATE_HOME="];
        assert!(
            names.iter().any(|name| outcome.stderr.contains(name)),
            "{outcome}"
        );
    }
    let mut command = without_home(&mut arena, &["run"]);
    let state = format!("dir:{}", arena.setup.folder().join("runs").display());
    command.env("TMPDIR", &tmp).env("SIDESTEP_STATE", state);
    let outcome = arena.run_command(command, Bounds::default());
    assert_eq!(outcome.code, Some(0), "{outcome}");
    outcome.assert_next_step_ran();
    let validated = without_home(&mut arena, &["validate"]);
    let validated = arena.run_command(validated, Bounds::default());
    assert_eq!(validated.code, Some(0), "{validated}");
}

#[test]
fn a_cache_that_others_can_write_is_not_used() {
    let mut arena = arena();
    let outcome = run(&mut arena, &["run"]);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let cache = arena.setup.folder().join("cache/sidestep/plugins");
    let entries = || fs::read_dir(&cache).expect("there").count();
    assert!(entries() > 0, "compiled code is kept");
    for entry in fs::read_dir(&cache).expect("there") {
        fs::remove_file(entry.expect("listed").path()).expect("removed");
    }
    set(&cache, 0o777);
    let outcome = run(&mut arena, &["run"]);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert_eq!(entries(), 0, "nothing is kept where others can write");
    set(&cache, 0o700);
}

#[test]
fn a_project_s_settings_name_no_endpoint_secret_path_or_state() {
    let mut arena = arena();
    for (line, why) in [
        (
            "endpoints: { STS: \"https://evil.example\" }",
            "receive credentials",
        ),
        ("secretFiles: [\"/etc/*\"]", "files outside"),
        ("state: \"dir:/tmp/theirs\"", "`state` determines"),
    ] {
        arena.setup.write(".sidestep/config.yaml", line);
        let outcome = run(&mut arena, &["run"]);
        assert_eq!(outcome.code, Some(6), "{outcome}");
        let said: Vec<_> = outcome.stderr.split_whitespace().collect();
        assert!(said.join(" ").contains(why), "{outcome}");
    }
}
