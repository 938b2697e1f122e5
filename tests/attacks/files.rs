//! Files that a pipeline, a plugin or a diagnostic names without permission to read them.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{TryRecvError, channel};
use std::thread;
use std::time::Duration;

use super::harness::{Arena, Bounds, Outcome};
use crate::interrupted::signal;

/// The runner reads no named file beyond a small limit, and waits for no writer.
const BOUNDS: Bounds = Bounds {
    memory: 512 << 20,
    time: Duration::from_mins(2),
    disk: 32 << 20,
};

/// A pipeline for honest steps.
const HONEST: &str = "version: 1\nname: arena\nsteps:\n  next:\n    uses: ./attacker.wasm\n    with: { act: honest.answer }\n";

/// Returns the same pipeline, with a secret from a file.
fn with_secret(file: &str) -> String {
    HONEST
        .replace(
            "steps:",
            &format!("secrets: {{ s: {{ file: \"{file}\" }} }}\nsteps:"),
        )
        .replace("    with:", "    secrets: [s]\n    with:")
        .replace(
            "honest.answer }",
            "honest.answer, secrets: [{ names: [s] }] }",
        )
}

fn fifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.expect("coreutils").success());
}

/// Returns a workspace with a public and a private folder, and a file outside the workspace.
fn arena() -> Arena {
    let arena = Arena::new();
    arena.setup.write("public/open.txt", "an open line\n");
    arena.setup.write("private/key.txt", "a private line\n");
    fs::write(
        arena.setup.folder().join("outside.txt"),
        "an outside line\n",
    )
    .expect("written");
    let root = arena.setup.workspace();
    for (target, name) in [
        ("../private/key.txt", "public/to-private"),
        ("../private/none.txt", "public/to-nothing"),
        ("../../outside.txt", "public/to-outside"),
        ("/proc/self/environ", "public/to-environ"),
    ] {
        symlink(target, root.join(name)).expect("made");
    }
    arena
}

fn run_with_secret(arena: &mut Arena, arguments: &[&str]) -> Outcome {
    let mut command = arena.setup.command(arguments);
    command.env("TOKEN", "hunter2-of-the-runner");
    arena.run_command(command, BOUNDS)
}

/// Asserts that the output has no content of files that the steps may not read.
fn assert_hides_all(outcome: &Outcome) {
    for text in ["hunter2", "root:", "a private line", "an outside line"] {
        outcome.assert_hides(text);
    }
}

#[test]
fn a_check_s_diagnostic_shows_lines_of_what_its_step_may_read_alone() {
    let mut arena = arena();
    let outside = arena.setup.folder().join("outside.txt");
    let policy = arena.setup.folder().join("config/sidestep/policy.yaml");
    let named = [
        "/proc/self/environ",
        "/etc/passwd",
        "../outside.txt",
        "../..",
        "private/key.txt",
        "public/to-private",
        "public/to-outside",
        "public/to-environ",
        "sidestep.yaml",
        "/dev/zero",
        outside.to_str().expect("UTF-8"),
        policy.to_str().expect("UTF-8"),
        "public/open.txt",
    ];
    let texts = serde_json::to_string(&named).expect("JSON");
    arena.attack_with(
        &format!("act: check.point\ntexts: {texts}\nworkspace: [{{ read: [\"public/**\"] }}]"),
        "grants: { workspace: { read: [\"public/**\"] } }",
    );
    let outcome = run_with_secret(&mut arena, &["validate"]);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert_hides_all(&outcome);
    outcome.assert_hides("name: arena");
    assert!(outcome.said().contains("an open line"), "{outcome}");
    let looks = outcome.said().matches("look here").count();
    assert_eq!(looks, named.len(), "{outcome}");
    let outcome = run_with_secret(&mut arena, &["run"]);
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert_hides_all(&outcome);
    outcome.assert_next_step_ran();
}

#[test]
fn a_secret_s_file_lies_in_the_workspace() {
    let mut arena = arena();
    let root = arena.setup.workspace();
    fifo(&root.join("pipe"));
    let huge = fs::File::create(root.join("huge")).expect("made");
    huge.set_len(8 << 30).expect("sparse");
    let absolute = root.join("public/open.txt");
    for (file, why) in [
        ("/proc/self/environ", "leads out"),
        ("/etc/passwd", "leads out"),
        ("/dev/zero", "leads out"),
        ("../outside.txt", "leads out"),
        ("public/../../outside.txt", "leads out"),
        ("public/../public/open.txt", "leads out"),
        ("public/to-outside", "leads out"),
        ("public/to-environ", "leads out"),
        (absolute.to_str().expect("UTF-8"), "leads out"),
        ("pipe", "a named pipe"),
        ("public", "a folder"),
        ("huge", "more than 1048576 bytes"),
        ("none", "no such file"),
    ] {
        arena.setup.write("sidestep.yaml", &with_secret(file));
        let outcome = run_with_secret(&mut arena, &["run"]);
        assert_eq!(outcome.code, Some(2), "{file}: {outcome}");
        assert!(outcome.said().contains("the secret s"), "{file}: {outcome}");
        assert!(outcome.said().contains(why), "{file}: {outcome}");
        assert_hides_all(&outcome);
    }
    arena.setup.write("sidestep.yaml", HONEST);
    let outcome = arena.run(&["run"], BOUNDS);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    outcome.assert_next_step_ran();
}

#[test]
fn the_operator_s_patterns_reach_mounted_secrets_and_nothing_beside_them() {
    let mut arena = arena();
    let mount = arena.setup.folder().join("mount");
    fs::create_dir_all(mount.join("..2026")).expect("made");
    fs::write(mount.join("..2026/token"), "s3cret-token\n").expect("written");
    symlink("..2026", mount.join("..data")).expect("made");
    symlink("..data/token", mount.join("token")).expect("made");
    symlink("../outside.txt", mount.join("out")).expect("made");
    fifo(&mount.join("pipe"));
    let patterns = format!("{}/*", mount.display());
    for (name, code, why) in [
        ("token", 0, "arena succeeded"),
        ("out", 2, "leads out"),
        ("pipe", 2, "a named pipe"),
        ("../outside.txt", 2, "leads out"),
        ("..2026/token", 2, "leads out"),
    ] {
        let file = mount.join(name).display().to_string();
        arena.setup.write("sidestep.yaml", &with_secret(&file));
        let mut command = arena.setup.command(&["run"]);
        command.env("SIDESTEP_SECRET_FILES", &patterns);
        let outcome = arena.run_command(command, BOUNDS);
        assert_eq!(outcome.code, Some(code), "{name}: {outcome}");
        assert!(outcome.said().contains(why), "{name}: {outcome}");
        outcome.assert_hides("an outside line");
    }
}

#[test]
fn plugins_are_regular_files_of_the_workspace() {
    let mut arena = arena();
    let root = arena.setup.workspace();
    fifo(&root.join("pipe.wasm"));
    symlink("/dev/zero", root.join("zero.wasm")).expect("made");
    symlink("../../outside.txt", root.join("public/out.wasm")).expect("made");
    fs::create_dir(root.join("folder.wasm")).expect("made");
    for (uses, why) in [
        ("./pipe.wasm", "a named pipe"),
        ("./folder.wasm", "a folder"),
        ("./zero.wasm", "outside of the workspace"),
        ("./public/out.wasm", "outside of the workspace"),
        ("../outside.txt", "outside of the workspace"),
        ("/dev/zero", "outside of the workspace"),
    ] {
        let pipeline = HONEST.replace("./attacker.wasm", uses);
        arena.setup.write("sidestep.yaml", &pipeline);
        let outcome = arena.run(&["validate"], BOUNDS);
        assert_eq!(outcome.code, Some(2), "{uses}: {outcome}");
        assert!(outcome.said().contains(why), "{uses}: {outcome}");
        assert_hides_all(&outcome);
    }
    // The command line may name files outside the workspace, but no device.
    let outcome = arena.run(&["plugin", "inspect", "/dev/zero"], BOUNDS);
    assert_eq!(outcome.code, Some(2), "{outcome}");
    assert!(outcome.said().contains("a device"), "{outcome}");
}

#[test]
fn the_workspace_s_pipeline_is_no_link_out_of_it_and_no_device() {
    let mut arena = arena();
    let pipeline = arena.setup.workspace().join("sidestep.yaml");
    for target in ["../outside.txt", "/etc/passwd", "/dev/zero"] {
        symlink(target, &pipeline).expect("made");
        for command in ["validate", "run", "plan"] {
            let outcome = arena.run(&[command], BOUNDS);
            assert_eq!(outcome.code, Some(2), "{outcome}");
            assert!(outcome.said().contains("leads out"), "{outcome}");
            assert_hides_all(&outcome);
        }
        fs::remove_file(&pipeline).expect("removed");
    }
    for arguments in [
        &["validate", "/dev/zero"][..],
        &["validate", "sidestep.yaml", "--policy", "/dev/zero"],
        &["run", "--inputs", "/dev/zero"],
        &["run", "-i", "x=@/dev/zero"],
        &["exec", "./attacker.wasm", "--grants", "/dev/zero"],
    ] {
        arena.setup.write("sidestep.yaml", HONEST);
        let outcome = arena.run(arguments, BOUNDS);
        assert!(
            matches!(outcome.code, Some(2 | 6)),
            "{arguments:?}: {outcome}"
        );
        assert!(
            outcome.said().contains("a device"),
            "{arguments:?}: {outcome}"
        );
    }
}

#[test]
fn a_pipe_that_the_command_line_names_is_read_and_waiting_for_it_can_be_interrupted() {
    let mut arena = arena();
    let pipe = arena.setup.workspace().join("pipe");
    fifo(&pipe);
    thread::scope(|scope| {
        scope.spawn(|| fs::write(&pipe, HONEST).expect("read by the other side"));
        let outcome = arena.run(&["validate", "pipe"], BOUNDS);
        assert_eq!(outcome.code, Some(0), "{outcome}");
    });
    let mut command = arena.setup.command(&["validate", "pipe"]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    // Opening for writing blocks until a reader opens the file, so this shows that a reader waits.
    let writer = OpenOptions::new().write(true).open(&pipe).expect("opened");
    signal(&child, "INT");
    let status = child.wait().expect("it ends");
    assert_eq!(status.signal(), Some(2), "{status:?}");
    drop(writer);
}

#[test]
fn pack_does_not_tell_whether_an_ungranted_path_exists() {
    let mut arena = arena();
    let mut said = Vec::new();
    for path in [
        "private",
        "nowhere",
        "private/key.txt",
        "private/none.txt",
        "public/to-private",
        "public/to-nothing",
    ] {
        arena.attack_with(
            &format!(
                "act: files.pack\ntexts: [\"{path}\"]\nworkspace: [{{ read: [\"public/**\"] }}]"
            ),
            "grants: { workspace: { read: [\"public/**\"] } }",
        );
        let outcome = run_with_secret(&mut arena, &["run"]);
        assert_eq!(outcome.code, Some(1), "{outcome}");
        outcome.assert_next_step_ran();
        let text = outcome.said();
        let line = text
            .lines()
            .find(|line| line.contains("outside what it is granted"));
        let line = line.unwrap_or_else(|| panic!("{path} is refused: {outcome}"));
        let names = [
            "private/key.txt",
            "private/none.txt",
            "private",
            "nowhere",
            "PATH",
        ];
        let line = names
            .iter()
            .fold(line.to_owned(), |line, name| line.replace(name, "X"));
        said.push(line);
    }
    // A link in the step's own scope may reveal its target, but not whether the target exists.
    let (names, links) = said.split_at(4);
    for alike in [names, links] {
        assert!(alike.windows(2).all(|two| two[0] == two[1]), "{said:#?}");
    }
    assert!(links[0].contains("`X` is a link to `X`"), "{said:#?}");
}

#[test]
fn a_file_that_is_swapped_for_a_link_is_never_read() {
    let mut arena = arena();
    arena.attack_with(
        "act: files.read\ncount: 2000\ntexts: [public/open.txt]\nworkspace: [{ read: [\"public/**\"] }]",
        "grants: { workspace: { read: [\"public/**\"] } }",
    );
    let folder = arena.setup.workspace().join("public");
    thread::scope(|scope| {
        // Its end, also by a panic, ends the other thread.
        let (working, ended) = channel::<()>();
        let folder = &folder;
        scope.spawn(move || {
            while ended.try_recv() == Err(TryRecvError::Empty) {
                exchange(&folder.join("open.txt"), &folder.join("to-private"));
            }
        });
        let outcome = run_with_secret(&mut arena, &["run"]);
        drop(working);
        assert_eq!(outcome.code, Some(1), "{outcome}");
        assert!(outcome.said().contains("read an open line"), "{outcome}");
        assert_hides_all(&outcome);
        outcome.assert_next_step_ran();
    });
}

/// Exchanges two paths atomically.
fn exchange(one: &Path, other: &Path) {
    let aside = one.with_extension("aside");
    for (from, to) in [(one, &*aside), (other, one), (&aside, other)] {
        fs::rename(from, to).expect("renamed");
    }
}
