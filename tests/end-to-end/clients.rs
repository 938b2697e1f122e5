//! Third-party clients against the sandbox's process, and printed repair commands run unchanged.

use std::process::{Command, Output};

use crate::printed::commands;
use crate::setup::{BUILD_ALONE, Setup, failure, program};

/// Returns the variables that `sandbox status --output env` prints.
pub(crate) fn exports(setup: &mut Setup, scenario: &str) -> Vec<(String, String)> {
    let output = setup.run(&[
        "sandbox",
        "status",
        "--scenario",
        scenario,
        "--output",
        "env",
    ]);
    let text = String::from_utf8(output.stdout).unwrap();
    let parse = |line: &str| {
        let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('\'').to_owned()))
    };
    text.lines().map(|line| parse(line).expect(line)).collect()
}

/// Runs a printed line unchanged in a shell, with the sandbox's variables and none of this
/// machine's settings.
pub(crate) fn client(setup: &Setup, exports: &[(String, String)], line: &str) -> Output {
    Command::new("sh")
        .args(["-c", line])
        .envs(exports.iter().map(|(name, value)| (name, value)))
        .env("HOME", setup.workspace())
        .env("CLOUDSDK_CONFIG", setup.workspace().join("gcloud"))
        .output()
        .unwrap()
}

pub(crate) fn said(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn kubectl_and_gcloud_see_what_the_run_left() {
    let (Some(_), Some(_)) = (program("kubectl"), program("gcloud")) else {
        return;
    };
    let mut setup = Setup::with_application();
    let (exit, _) = setup.events(&["run", "--sandbox"]);
    assert_eq!(exit, 0);
    let exports = exports(&mut setup, "healthy");
    let accounts = said(&client(
        &setup,
        &exports,
        "kubectl get serviceaccounts -n builds -o name",
    ));
    assert!(
        accounts.lines().any(|line| line == "serviceaccount/kaniko"),
        "{accounts}"
    );
    let pods = said(&client(
        &setup,
        &exports,
        "kubectl get pods -n builds -o name",
    ));
    assert_eq!(pods, "", "the build's pod is gone");
    let events = said(&client(&setup, &exports, "kubectl get events -n builds"));
    assert!(events.contains("Started"), "{events}");
    let objects = said(&client(
        &setup,
        &exports,
        "gcloud storage ls gs://demo-contexts/contexts/",
    ));
    assert!(
        objects.starts_with("gs://demo-contexts/contexts/ctx1-"),
        "{objects}"
    );
    let clusters = "gcloud container clusters list --format 'value(name,endpoint)'";
    let clusters = said(&client(&setup, &exports, clusters));
    assert!(clusters.starts_with("ci\t127.0.0.1:"), "{clusters}");
}

#[test]
fn the_printed_repair_mends_what_it_says() {
    let Some(_) = program("gcloud") else { return };
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", BUILD_ALONE);
    let (exit, events) = setup.events(&["run", "--sandbox=bucket-denied"]);
    assert_eq!(exit, 4);
    let printed = commands(&failure(&events)["help"]);
    let command = printed.first().expect("a command");
    let exports = exports(&mut setup, "bucket-denied");
    said(&client(&setup, &exports, command));
    let (exit, events) = setup.events(&["run", "--sandbox=bucket-denied"]);
    assert_eq!(exit, 0, "{events:#?}");
}
