//! Builds on a real node whose cluster the tests disturb.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use sidestep_cluster_testing::Cluster;

use crate::beside::{BUILDER, Beside, account};
use crate::clients::said;
use crate::killed::Running;

/// A sandbox on a node, with a build whose image has the same digest in each run.
pub(crate) struct Builds {
    pub(crate) sandbox: Beside,
}

/// A pipeline with `$EXECUTOR` and with `$WITH` and `$STEP`, more lines of the build.
const PIPELINE: &str = "version: 1
name: build
defaults: { cluster: projects/demo/locations/europe-west1/clusters/ci }
steps:
  context:
    uses: sidestep/context-upload
    with: { path: app, bucket: demo-contexts }
  build:
    uses: sidestep/kaniko-launch
    with:
      context: \"${{ steps.context.outputs.uri }}\"
      path: app
      executor: \"$EXECUTOR\"
      destinations: [europe-docker.pkg.dev/demo/images/reproducible:1]
      namespace: builds
      serviceAccount: kaniko
      kaniko: { reproducible: true }
$WITH$STEPoutputs:
  image: \"${{ steps.build.outputs.image }}\"
";

impl Builds {
    /// Starts a sandbox on the node. The build writes this many more lines.
    pub(crate) fn start(cluster: &'static Cluster, lines: u32) -> Self {
        account(cluster, "builds", "kaniko", Some(BUILDER));
        let sandbox = Beside::start(cluster, "builds").unwrap();
        let app = sandbox.folder().join("app");
        std::fs::create_dir_all(&app).unwrap();
        let labels: String = (0..lines).map(|n| format!("LABEL n={n}\n")).collect();
        let dockerfile = format!("FROM scratch\nCOPY hello.txt /\n{labels}");
        std::fs::write(app.join("Dockerfile"), dockerfile).unwrap();
        std::fs::write(app.join("hello.txt"), "hello\n").unwrap();
        let builds = Self { sandbox };
        builds.pipeline("build.yaml", "", "");
        builds
    }

    /// Writes a pipeline with more inputs of the build, and more about its step.
    pub(crate) fn pipeline(&self, file: &str, with: &str, step: &str) {
        let runner = Path::new(env!("CARGO_BIN_EXE_sidestep"));
        let images = self.sandbox.cluster().images(runner).unwrap();
        let indented = |text: &str, by: &str| {
            let lines = text.lines().map(|line| format!("{by}{line}\n"));
            lines.collect::<String>()
        };
        let text = PIPELINE
            .replace("$EXECUTOR", &images.builder)
            .replace("$WITH", &indented(with, "      "))
            .replace("$STEP", &indented(step, "    "));
        std::fs::write(self.sandbox.folder().join(file), text).unwrap();
    }

    /// Starts a run of a pipeline.
    pub(crate) fn run(&self, file: &str, id: &str) -> Running {
        self.start_command(&["run", file, "--sandbox=healthy@sidestep", "--run-id", id])
    }

    pub(crate) fn resume(&self, id: &str) -> Running {
        self.start_command(&["resume", id])
    }

    fn start_command(&self, arguments: &[&str]) -> Running {
        let mut command = self.sandbox.command(arguments);
        command.args(["--output", "json"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Running::of(child.spawn().unwrap())
    }

    /// Returns the uids of all pods that a run ever had for its build.
    pub(crate) fn uids(&self, events: &[Value]) -> BTreeSet<String> {
        let pod = crate::interrupted::pod_of(events);
        let name = pod.split_once('/').unwrap().1;
        let of_pod = format!("--field-selector=involvedObject.name={name}");
        let uids = "--output=jsonpath={.items[*].involvedObject.uid}";
        let list = ["get", "events", "--namespace=builds", &of_pod, uids];
        let found = self.sandbox.cluster().ok(&list);
        found.split_whitespace().map(str::to_owned).collect()
    }

    /// Checks that nothing is left of all runs.
    pub(crate) fn nothing_is_left(&self) {
        let gc = self.sandbox.run(&["gc", "--sandbox=healthy@sidestep"]);
        assert_eq!(said(&gc), "Nothing to remove.\n");
        let list = ["get", "pods,secrets", "--namespace=builds", "--output=name"];
        assert_eq!(self.sandbox.cluster().ok(&list), "");
    }
}

/// Kills the runner of a run on the node, and returns its events. The process of a test's own is
/// `nsenter`, which waits for its only child: the runner.
pub(crate) fn kill(run: Running) -> Vec<Value> {
    let id = run.child().id();
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
    // It may have ended.
    if let Some(runner) = children.unwrap().split_whitespace().next() {
        let mut kill = std::process::Command::new("kill");
        let _ = kill.args(["-KILL", runner]).output();
    }
    run.end().1
}

/// Returns the events of a run that succeeded.
pub(crate) fn succeeded(
    name: &str,
    (exit, events, said): (Option<i32>, Vec<Value>, String),
) -> Vec<Value> {
    let failures = events
        .iter()
        .filter(|event| event["data"]["failure"].is_object());
    let failures: Vec<&Value> = failures.collect();
    assert_eq!(exit, Some(0), "{name}: {said}{failures:#?}");
    events
}
