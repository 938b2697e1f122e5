//! Runs as a CI job: its id token is exchanged by the runner itself.

use std::process::Output;

use serde_json::Value;

use crate::served::Served;
use crate::setup::{Setup, find};

/// A pipeline that verifies, uploads and builds.
const BUILD: &str = "version: 1
name: job
defaults: { cluster: projects/demo/locations/europe-west1/clusters/ci }
steps:
  identity:
    uses: sidestep/wi-verify
    with:
      namespace: builds
      serviceAccount: kaniko
      targets: [{ bucket: demo-contexts }, { image: europe-docker.pkg.dev/demo/images/hello }]
  context:
    uses: sidestep/context-upload
    with: { path: \".\", bucket: demo-contexts }
  build:
    needs: [identity]
    uses: sidestep/kaniko-launch
    with: { context: \"${{ steps.context.outputs.uri }}\", destinations: [\"europe-docker.pkg.dev/demo/images/hello:1\"], namespace: builds, serviceAccount: kaniko }
";

const RUNNER: &str = "ci-runner@demo.iam.gserviceaccount.com";

/// Returns a place with the pipeline.
fn place() -> Setup {
    let setup = Setup::with_application();
    setup.write("sidestep.yaml", BUILD);
    setup
}

/// Returns the variables of a job.
fn job(served: &mut Served, more: &[&str]) -> Vec<(String, String)> {
    served.shell(more).exports
}

/// Runs with a job's variables, and returns the exit code and the events.
fn events(served: &mut Served, line: &[&str], job: &[(String, String)]) -> (i32, Vec<Value>) {
    let variables: Vec<(&str, &str)> = job
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    served.setup.events_with(line, &variables)
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn a_job_of_each_ci_system_builds_without_any_file_of_credentials() {
    for ci in ["github", "gitlab"] {
        let mut served = Served::with(place(), &["sandbox"]);
        let exports = job(&mut served, &["--ci", ci]);
        for name in [
            "GOOGLE_APPLICATION_CREDENTIALS",
            "KUBECONFIG",
            "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
        ] {
            assert!(exports.iter().all(|(known, _)| known != name), "{name}");
        }
        let (exit, events) = events(&mut served, &["run"], &exports);
        assert_eq!(exit, 0, "{events:#?}");
        let pushed = find(&events, "step-finished", |step| {
            step["outputs"]["digest"].is_string()
        });
        assert!(pushed.is_some(), "{events:#?}");
        // No token is in any event.
        let all = serde_json::to_string(&events).unwrap();
        for secret in ["ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GOOGLE_TOKEN"] {
            let value = exports.iter().find(|(known, _)| known == secret);
            assert!(
                value.is_none_or(|(_, value)| !all.contains(value)),
                "{secret}"
            );
        }
        assert!(!all.contains("ya29."), "{all}");
    }
}

#[test]
fn the_foreground_sandbox_prints_a_job_s_exports_with_the_claims_that_are_set() {
    let arguments = ["sandbox", "--ci", "github", "--claim", "ref=refs/heads/x"];
    let mut served = Served::with(place(), &arguments);
    assert!(
        served.exports.contains("export GITHUB_ACTIONS='true'"),
        "{}",
        served.exports
    );
    assert!(
        served
            .exports
            .contains(&format!("SIDESTEP_IDENTITY_SERVICE_ACCOUNT='{RUNNER}'"))
    );
    assert!(served.exports.contains("claim.ref=refs%2Fheads%2Fx"));
    let exports = job(&mut served, &arguments[1..]);
    let (exit, events) = events(&mut served, &["run"], &exports);
    assert_eq!(exit, 4, "{events:#?}");
    let all = serde_json::to_string(&events).unwrap();
    let said = "The given credential is rejected by the attribute condition. (unauthorized_client)";
    assert!(all.contains(said), "{all}");
}

#[test]
fn exports_of_a_job_are_printed_only_as_exports() {
    let mut setup = Setup::new();
    let refused = text(&setup.run(&["sandbox", "status", "--ci", "gitlab"]));
    assert!(refused.contains("`--ci` selects exports"), "{refused}");
    assert!(
        refused.contains("sidestep sandbox status --output env --ci gitlab"),
        "{refused}"
    );
    let refused = text(&setup.run(&["sandbox", "status", "--output", "env", "--ci", "gitlab"]));
    assert!(
        refused.contains("no sandbox `healthy` is running"),
        "{refused}"
    );
    let refused = text(&setup.run(&["sandbox", "--claim", "a=b"]));
    assert!(refused.contains("--ci"), "{refused}");
}
