//! Runs are resumed as they were started: in the same workspace and the same cloud.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::jobs::UPLOAD;
use crate::setup::Setup;

/// Makes a finished run look like one whose process was killed before its first event.
fn unfinish(setup: &Setup, run: &str) {
    let journal = setup.folder().join("state/sidestep/runs").join(run);
    let journal = journal.join("journal");
    let bytes = fs::read(&journal).unwrap();
    let header = 8 + u32::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    fs::write(&journal, &bytes[..header]).unwrap();
}

/// Returns a workspace with an upload, and its unfinished run `mine` in the healthy sandbox.
fn begun() -> Setup {
    let mut setup = Setup::with_application();
    setup.write("upload.yaml", UPLOAD);
    let output = setup.run(&["run", "upload.yaml", "--sandbox", "--run-id", "mine"]);
    assert!(output.status.success(), "{}", stderr(&output));
    unfinish(&setup, "mine");
    setup
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn run_in(setup: &mut Setup, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = setup.command(arguments);
    command.current_dir(folder).output().unwrap()
}

/// Returns another workspace with the same pipeline and other files.
fn other(setup: &Setup) -> PathBuf {
    let other = setup.folder().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("upload.yaml"), UPLOAD).unwrap();
    fs::write(other.join("hello.txt"), "another\n").unwrap();
    other
}

#[test]
fn a_run_is_not_resumed_in_another_workspace() {
    let mut setup = begun();
    let other = other(&setup);
    let workspace = setup.workspace().canonicalize().unwrap();
    let there = workspace.to_str().unwrap();
    let command = format!("sidestep resume mine --workspace {there}");
    let start = ["run", "upload.yaml", "--sandbox", "--run-id", "mine"];
    for arguments in [
        &["resume", "mine"][..],
        &["resume", "mine", "--workspace", "."],
        &start,
    ] {
        let output = run_in(&mut setup, &other, arguments);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(
            told.contains(&format!("was started in the workspace {there}")),
            "{told}"
        );
        assert!(told.contains(&command), "{told}");
    }
    let resumed = ["resume", "mine", "--workspace", there];
    let output = run_in(&mut setup, &other, &resumed);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_moved_workspace_is_named_to_resume_its_run() {
    let mut setup = begun();
    let moved = setup.folder().join("moved");
    fs::rename(setup.workspace(), &moved).unwrap();
    let output = run_in(&mut setup, &moved, &["resume", "mine"]);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(
        told.contains("name its new path with --workspace"),
        "{told}"
    );
    let output = run_in(&mut setup, &moved, &["resume", "mine", "--workspace", "."]);
    assert!(output.status.success(), "{}", stderr(&output));
    // Its sandbox is stopped from there.
    fs::rename(&moved, setup.workspace()).unwrap();
}

#[test]
fn a_ci_job_resumes_its_run_in_another_checkout() {
    let mut setup = Setup::with_application();
    setup.write("upload.yaml", UPLOAD);
    let other = other(&setup);
    let start = ["run", "upload.yaml", "--sandbox", "--output", "json"];
    let job = [("GITHUB_RUN_ID", "7"), ("GITHUB_JOB", "linux")];
    let (exit, events) = setup.events_with(&start[..3], &job);
    assert_eq!(exit, 0, "{events:#?}");
    let run = events[0]["run"].as_str().unwrap();
    unfinish(&setup, run);
    let output = setup
        .command(&start)
        .current_dir(&other)
        .envs(job)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with(&format!("{{\"v\":1,\"run\":\"{run}\"")),
        "{text}"
    );
}

#[test]
fn resume_refuses_another_cloud_than_the_run_s() {
    let mut setup = begun();
    let output = setup.run(&["resume", "mine", "--sandbox=build-hangs"]);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(
        told.contains("was started in the sandbox `healthy`"),
        "{told}"
    );
    assert!(told.contains("sidestep resume mine"), "{told}");
    let output = setup.run(&["resume", "mine", "--sandbox"]);
    assert!(output.status.success(), "{}", stderr(&output));
}
