//! A folder for runs, with its own state, cache and sandboxes.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use sidestep_test_harness::files;
pub(crate) use sidestep_test_harness::programs::program;
use tempfile::TempDir;

/// A pipeline that builds without verifying the identity first, so that the build fails on the
/// broken link.
pub(crate) const BUILD_ALONE: &str = "version: 1
name: alone
defaults: { cluster: projects/demo/locations/europe-west1/clusters/ci }
steps:
  context:
    uses: sidestep/context-upload
    with: { path: \".\", bucket: demo-contexts }
  build:
    uses: sidestep/kaniko-launch
    with: { context: \"${{ steps.context.outputs.uri }}\", destinations: [\"europe-docker.pkg.dev/demo/images/alone:1\"], namespace: builds, serviceAccount: kaniko }
";

/// A workspace and everything that a run keeps. Its sandboxes are ended when it is dropped.
pub(crate) struct Setup {
    folder: TempDir,
    scenarios: Vec<String>,
}

impl Setup {
    /// Creates an empty workspace.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("workspace")).unwrap();
        Self {
            folder,
            scenarios: Vec::new(),
        }
    }

    /// Creates a workspace with the example application and a pipeline that builds it.
    pub(crate) fn with_application() -> Self {
        let setup = Self::new();
        setup.write(
            "Dockerfile",
            "FROM scratch\nCOPY hello.txt /\nCMD [\"/hello\"]\n",
        );
        setup.write("hello.txt", "hello\n");
        setup
    }

    /// Creates a workspace with the project's own `pipelines`.
    pub(crate) fn with_pipelines() -> Self {
        let setup = Self::new();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines");
        files::copy(&from, &setup.workspace().join("pipelines"));
        setup
    }

    /// Returns the parent folder of `workspace`, `state`, `cache` and `config`.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.workspace().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Returns the command, not yet started.
    pub(crate) fn command(&mut self, arguments: &[&str]) -> Command {
        for argument in arguments {
            if let Some(rest) = argument.strip_prefix("--sandbox") {
                let scenario = rest.strip_prefix('=').unwrap_or("healthy").to_owned();
                self.scenarios.push(scenario);
            }
        }
        sidestep(self.folder.path(), arguments)
    }

    /// Runs the command to its end.
    pub(crate) fn run(&mut self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that prints events, with additional variables. Returns its exit code and the
    /// events.
    pub(crate) fn events_with(
        &mut self,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> (i32, Vec<Value>) {
        let mut all = arguments.to_vec();
        all.extend(["--output", "json"]);
        let mut command = self.command(&all);
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let events: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect(line))
            .collect();
        assert!(
            !events.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        (output.status.code().expect("it ended by itself"), events)
    }

    /// Runs a command that prints events. Returns its exit code and the events.
    pub(crate) fn events(&mut self, arguments: &[&str]) -> (i32, Vec<Value>) {
        self.events_with(arguments, &[])
    }

    /// Starts a command whose standard output is read while it runs.
    pub(crate) fn start(&mut self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Returns the status of the live sandbox of a scenario.
    pub(crate) fn status_of(&mut self, scenario: &str) -> Value {
        let arguments = [
            "sandbox",
            "status",
            "--scenario",
            scenario,
            "--output",
            "json",
        ];
        let output = self.run(&arguments);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Returns a file of the sandbox.
    pub(crate) fn sandbox_file(&self, scenario: &str, name: &str) -> String {
        std::fs::read_to_string(self.sandbox_folder(scenario).join(name)).unwrap()
    }

    /// Returns the folder of a sandbox's state.
    pub(crate) fn sandbox_folder(&self, scenario: &str) -> PathBuf {
        self.folder
            .path()
            .join("state/sidestep/sandbox")
            .join(scenario)
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        self.scenarios.sort();
        self.scenarios.dedup();
        for scenario in &self.scenarios {
            let stopped = sidestep(
                self.folder.path(),
                &["sandbox", "stop", "--scenario", scenario],
            )
            .stderr(Stdio::null())
            .status();
            assert!(stopped.is_ok_and(|status| status.success()) || std::thread::panicking());
        }
    }
}

fn sidestep(folder: &Path, arguments: &[&str]) -> Command {
    crate::dispositions::heard_by_children();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidestep"));
    command
        .args(arguments)
        .current_dir(folder.join("workspace"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .stdin(Stdio::null());
    command
}

/// Returns the first event of a type that `choose` accepts.
pub(crate) fn find<'e>(
    events: &'e [Value],
    kind: &str,
    choose: impl Fn(&Value) -> bool,
) -> Option<&'e Value> {
    events
        .iter()
        .find(|event| event["type"] == kind && choose(&event["data"]))
        .map(|e| &e["data"])
}

/// Returns the failure of the step that failed.
pub(crate) fn failure(events: &[Value]) -> &Value {
    let finished = find(events, "step-finished", |data| data["failure"].is_object());
    &finished.expect("a step failed")["failure"]
}
