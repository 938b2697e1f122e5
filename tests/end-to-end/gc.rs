//! Leftovers of killed runs are found and removed. Resources in use are not.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::process::Child;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::clients::{client, exports, said};
use crate::interrupted::{pod_of, pod_runs, signal, until};
use crate::setup::{Setup, program};

/// Starts a build that hangs, waits until its pod runs, and returns its run and its pod's name.
pub(crate) fn hanging(setup: &mut Setup, variables: &[(&str, &str)]) -> (Child, String, String) {
    let mut command = setup.command(&["run", "--sandbox=build-hangs", "--output", "json"]);
    let mut child = command
        .envs(variables.iter().copied())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let events = until(&mut child, pod_runs);
    let run = events[0]["run"].as_str().unwrap().to_owned();
    let pod = pod_of(&events);
    (child, run, pod)
}

pub(crate) fn kill(mut child: Child) {
    signal(&child, "KILL");
    child.wait().unwrap();
}

/// Returns the output of `gc`: the name and outcome of each finding.
pub(crate) fn gc(
    setup: &mut Setup,
    flags: &[&str],
    variables: &[(&str, &str)],
) -> Vec<(String, String)> {
    let arguments = [&["gc", "--output", "json"], flags].concat();
    let output = setup
        .command(&arguments)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let found: Vec<Value> = serde_json::from_str(&said(&output)).unwrap();
    found
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap().to_owned();
            assert!(!text("why").is_empty(), "{one}");
            (text("name"), text("fate"))
        })
        .collect()
}

pub(crate) fn fate<'a>(found: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let one = found.iter().find(|(known, _)| known == name);
    one.map(|(_, fate)| fate.as_str())
}

#[test]
fn a_killed_run_s_pod_is_removed_and_a_live_one_s_is_not() {
    let mut setup = Setup::with_application();
    let (dead, run, pod) = hanging(&mut setup, &[]);
    let (mut live, _, living) = hanging(&mut setup, &[]);
    let sandbox = "--sandbox=build-hangs";
    let found = gc(&mut setup, &[sandbox], &[]);
    assert_eq!(fate(&found, &pod), Some("kept"), "it still runs");
    kill(dead);

    let found = gc(&mut setup, &[sandbox, "--dry-run"], &[]);
    assert_eq!(fate(&found, &pod), Some("would-remove"), "{found:?}");
    assert_eq!(fate(&found, &living), Some("kept"), "{found:?}");
    let lock = setup.folder().join("state/sidestep/runs").join(&run);
    let lock = lock.join("lock").display().to_string();
    assert_eq!(fate(&found, &lock), Some("would-remove"), "{found:?}");

    let elsewhere = gc(&mut setup, &["--dry-run"], &[]);
    assert_eq!(fate(&elsewhere, &pod), Some("kept"), "it is in a sandbox");

    let found = gc(&mut setup, &[sandbox], &[]);
    assert_eq!(fate(&found, &pod), Some("removed"), "{found:?}");
    assert_eq!(fate(&found, &lock), Some("removed"), "{found:?}");
    let found = gc(&mut setup, &[sandbox], &[]);
    let kept = |(name, fate): &(String, String)| (name == &living) == (fate == "kept");
    assert!(found.iter().all(kept) && found.len() == 1, "{found:?}");

    if program("kubectl").is_some() {
        let exports = exports(&mut setup, "build-hangs");
        let pods = client(&setup, &exports, "kubectl get pods -n builds -o name");
        let pods = said(&pods);
        let (_, living) = living.split_once('/').unwrap();
        assert_eq!(pods.trim(), format!("pod/{living}"));
    }
    // It ended no live run: that run still handles its interrupt and cleans up.
    assert_eq!(live.try_wait().unwrap(), None);
    signal(&live, "INT");
    std::io::copy(&mut live.stdout.take().unwrap(), &mut std::io::sink()).unwrap();
    assert_eq!(live.wait().unwrap().code(), Some(130));
    let shown = setup.run(&["runs", "show", &run, "--output", "json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    let left = shown["leftOutside"].as_array().unwrap();
    assert!(
        left.iter().all(|intent| intent["onExit"] == "keep"),
        "its removal is journaled: {left:?}"
    );
}

#[test]
fn a_detached_run_is_left_for_whoever_resumes_it() {
    let mut setup = Setup::with_application();
    let arguments = [
        "run",
        "--sandbox=build-hangs",
        "--on-terminate=detach",
        "--output",
        "json",
    ];
    let mut child = setup.start(&arguments);
    let events = until(&mut child, pod_runs);
    let pod = pod_of(&events);
    signal(&child, "TERM");
    std::io::copy(&mut child.stdout.take().unwrap(), &mut std::io::sink()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let output = setup.run(&["gc", "--sandbox=build-hangs"]);
    let text = said(&output);
    let run = events[0]["run"].as_str().unwrap();
    assert!(
        text.contains(&format!("kept: pod {pod}"))
            && text.contains(&format!("sidestep resume {run}")),
        "{text}"
    );
}

#[test]
fn another_machine_s_pod_is_swept_only_once_it_has_expired() {
    if program("kubectl").is_none() {
        return;
    }
    let mut setup = Setup::with_application();
    let elsewhere = setup.folder().join("elsewhere").display().to_string();
    let elsewhere = [("SIDESTEP_STATE", format!("dir:{elsewhere}"))];
    let elsewhere: Vec<_> = elsewhere.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let (dead, _, pod) = hanging(&mut setup, &elsewhere);
    kill(dead);
    let cluster = "projects/demo/locations/europe-west1/clusters/ci";
    let flags = [
        "--sandbox=build-hangs",
        "--cluster",
        cluster,
        "--namespace",
        "builds",
    ];
    // Its journal is not on this machine, so its runner may still be alive.
    let found = gc(&mut setup, &flags, &[]);
    assert_eq!(fate(&found, &pod), Some("kept"), "{found:?}");

    let exports = exports(&mut setup, "build-hangs");
    let name = pod.split_once('/').unwrap().1;
    let expire = format!(
        "kubectl annotate pod -n builds {name} --overwrite sidestep.dev/expires=2000-01-01T00:00:00Z"
    );
    said(&client(&setup, &exports, &expire));
    // The next run of any user in that namespace removes the pod and reports it.
    let mut child = setup.start(&["run", "--sandbox=build-hangs", "--output", "json"]);
    until(&mut child, pod_runs);
    signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    // The pod has its grace period, and the run does not wait for its end.
    assert!(text.contains("being removed (uid "), "{text}");
    assert!(text.contains(&format!("): pod {pod}")), "{text}");
    let gone = client(
        &setup,
        &exports,
        &format!("kubectl wait --for=delete -n builds pod/{name} --timeout=60s"),
    );
    said(&gone);
    assert!(gc(&mut setup, &flags, &[]).is_empty());
}

#[test]
fn what_lies_on_disk_is_swept_by_its_age() {
    let mut setup = Setup::new();
    let old = SystemTime::now() - Duration::from_hours(40 * 24);
    let make = |setup: &Setup, path: &str, aged: bool| {
        let path = setup.folder().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "x").unwrap();
        if aged {
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(old)
                .unwrap();
        }
        path.display().to_string()
    };
    let cache = "cache/sidestep/plugins";
    let unused = make(&setup, &format!("{cache}/aa-01.cwasm"), true);
    let used = make(&setup, &format!("{cache}/bb-01.cwasm"), false);
    let draft = make(&setup, &format!("{cache}/.tmpabc"), true);
    make(&setup, "cache/sidestep/scratch/.tmpdef", true);
    let foreign = make(&setup, "cache/sidestep/scratch/notes.txt", true);
    make(&setup, "state/sidestep/runs/stillborn/lock", true);
    let stillborn = setup.folder().join("state/sidestep/runs/stillborn");
    File::open(&stillborn).unwrap().set_modified(old).unwrap();
    make(&setup, "state/sidestep/runs/mine/novel.txt", true);
    let mine = setup.folder().join("state/sidestep/runs/mine");
    File::open(&mine).unwrap().set_modified(old).unwrap();

    let planned = gc(&mut setup, &["--dry-run"], &[]);
    assert!(fs::exists(&unused).unwrap(), "a dry run removes nothing");
    let found = gc(&mut setup, &[], &[]);
    assert_eq!(planned.len(), found.len());
    assert_eq!(found.len(), 4, "{found:?}");
    assert_eq!(fate(&found, &unused), Some("removed"));
    assert_eq!(fate(&found, &draft), Some("removed"));
    assert!(!stillborn.exists() && mine.join("novel.txt").exists());
    assert!(fs::exists(&used).unwrap() && fs::exists(&foreign).unwrap());
    let again = setup.run(&["gc"]);
    assert_eq!(said(&again), "Nothing to remove.\n");
}

#[test]
fn a_folder_that_can_t_be_listed_is_a_finding() {
    let mut setup = Setup::new();
    // The tests may run as root, who may read every folder. A link to itself stops root as well.
    let run = setup.folder().join("state/sidestep/runs/theirs");
    fs::create_dir_all(&run).unwrap();
    let journal = run.join("journal");
    symlink("journal", &journal).unwrap();
    let cache = setup.folder().join("cache/sidestep");
    fs::create_dir_all(&cache).unwrap();
    let plugins = cache.join("plugins");
    symlink("plugins", &plugins).unwrap();

    let output = setup.run(&["gc", "--output", "json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    for path in [&journal, &plugins] {
        let name = path.display().to_string();
        let finding = found.iter().find(|one| one["name"] == name.as_str());
        let finding = finding.unwrap_or_else(|| panic!("{name}: {found:?}"));
        assert_eq!(finding["fate"], "failed", "{finding}");
    }
    let output = setup.run(&["runs", "show", "theirs"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(&journal.display().to_string()), "{told}");
}
