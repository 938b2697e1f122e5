//! CI jobs and matrix steps that run side by side.

use std::collections::HashSet;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::interrupted::{pod_of, pod_runs, signal, until};
use crate::setup::Setup;

const HANGS: [&str; 4] = ["run", "--sandbox=build-hangs", "--output", "json"];

fn job(setup: &mut Setup, variables: &[(&str, &str)]) -> Child {
    setup
        .command(&HANGS)
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn two_jobs_of_one_ci_run_are_two_runs() {
    let mut setup = Setup::with_application();
    let linux = [("GITHUB_RUN_ID", "7"), ("GITHUB_JOB", "linux")];
    let windows = [("GITHUB_RUN_ID", "7"), ("GITHUB_JOB", "windows")];
    let mut first = job(&mut setup, &linux);
    let one = until(&mut first, pod_runs);
    let mut second = job(&mut setup, &windows);
    let other = until(&mut second, pod_runs);
    assert_ne!(one[0]["run"], other[0]["run"]);
    assert_ne!(pod_of(&one), pod_of(&other));

    // The same job again, while the first is alive: it neither joins nor waits.
    let third = job(&mut setup, &linux).wait_with_output().unwrap();
    let said = String::from_utf8(third.stderr).unwrap();
    assert_eq!(third.status.code(), Some(1), "{said}");
    let run = one[0]["run"].as_str().unwrap();
    let pid = first.id();
    for words in [
        format!("run {run} is being written by another process (pid {pid})"),
        "set a different SIDESTEP_RUN_KEY".to_owned(),
    ] {
        assert!(said.contains(&words), "{words}: {said}");
    }
    // Only the author knows the value, and no command is printed with a gap.
    assert!(!said.contains("SIDESTEP_RUN_KEY="), "{said}");
    let keyed = [linux[0], linux[1], ("SIDESTEP_RUN_KEY", "2")];
    let mut fourth = job(&mut setup, &keyed);
    let with_a_key = until(&mut fourth, pod_runs);
    assert_ne!(with_a_key[0]["run"], one[0]["run"]);

    for mut child in [first, second, fourth] {
        signal(&child, "INT");
        child.stdout.take();
        assert_eq!(child.wait().unwrap().code(), Some(130));
    }
}

/// A pipeline of one step that packs and uploads the workspace.
pub(crate) const UPLOAD: &str = "version: 1
name: upload
steps:
  context: { uses: sidestep/context-upload, with: { path: \".\", bucket: demo-contexts } }
";

#[test]
fn a_ci_job_whose_plan_has_changed_is_pointed_to_its_run_key() {
    let mut setup = Setup::with_application();
    setup.write("upload.yaml", UPLOAD);
    let run = |setup: &mut Setup, variables: &[(&str, &str)]| {
        let mut command = setup.command(&["run", "upload.yaml", "--sandbox", "--quiet"]);
        command.envs(variables.iter().copied()).output().unwrap()
    };
    let job = [("GITHUB_RUN_ID", "7"), ("GITHUB_JOB", "linux")];
    assert!(run(&mut setup, &job).status.success());
    // The files of a run that is killed after writing its journal's header.
    let runs = setup.workspace().join("../state/sidestep/runs");
    let mut runs = std::fs::read_dir(runs).unwrap();
    let folder = runs.next().unwrap().unwrap().path();
    assert!(runs.next().is_none());
    let journal = std::fs::read(folder.join("journal")).unwrap();
    let header = 8 + u32::from_le_bytes(*journal.first_chunk().unwrap()) as usize;
    std::fs::write(folder.join("journal"), &journal[..header]).unwrap();

    let changed = UPLOAD.replace("steps:", "defaults: { timeout: 5m }\nsteps:");
    setup.write("upload.yaml", &changed);
    let refused = run(&mut setup, &job);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    for words in [
        "was started with another plan",
        "set SIDESTEP_RUN_KEY in the environment of this CI job",
        "sidestep resume ",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("--run-id"), "{said}");
    let keyed = [job[0], job[1], ("SIDESTEP_RUN_KEY", "2")];
    assert!(run(&mut setup, &keyed).status.success());
}

#[test]
fn instances_whose_values_read_alike_build_in_pods_of_their_own() {
    let mut setup = Setup::with_application();
    setup.write(
        "ids.yaml",
        r#"version: 1
name: matrix-ids
defaults: { cluster: projects/demo/locations/europe-west1/clusters/ci }
steps:
  context: { uses: sidestep/context-upload, with: { path: ".", bucket: demo-contexts } }
  build:
    uses: sidestep/kaniko-launch
    matrix: { a: ["1,b=2", "1"], b: ["3", "2,b=3"], exclude: [{ a: "1,b=2", b: "2,b=3" }, { a: "1", b: "3" }] }
    with:
      context: "${{ steps.context.outputs.uri }}"
      destinations: ["europe-docker.pkg.dev/demo/images/hello:t"]
      namespace: builds
      serviceAccount: kaniko
      buildArgs: { A: "${{ matrix.a }}", B: "${{ matrix.b }}" }
"#,
    );
    let (exit, events) = setup.events(&["run", "ids.yaml", "--sandbox"]);
    assert_eq!(exit, 0, "{:#?}", events.last());
    let instances: HashSet<&str> = events
        .iter()
        .filter(|event| event["step"] == "build")
        .filter_map(|event| event["instance"].as_str())
        .collect();
    let expected = [r#"build[a="1,b=2",b="3"]"#, r#"build[a="1",b="2,b=3"]"#];
    assert_eq!(instances, HashSet::from(expected));
    let pods: HashSet<String> = expected
        .iter()
        .map(|instance| {
            let of: Vec<Value> = events
                .iter()
                .filter(|event| event["instance"] == *instance)
                .cloned()
                .collect();
            pod_of(&of)
        })
        .collect();
    assert_eq!(pods.len(), 2, "{pods:?}");
}
