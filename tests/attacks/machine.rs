//! Pipelines that try to leave the sandbox: its kaniko is a process of the user's machine.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::setup::{Setup, failure};

/// A workspace of an attacker on the machine of a user, whose other files are the target.
struct Machine {
    setup: Setup,
    home: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let setup = Setup::with_application();
        let home = setup.folder().join("alice");
        fs::create_dir(&home).expect("made");
        fs::write(home.join("Dockerfile"), "FROM scratch\nCOPY key /\n").expect("written");
        fs::write(home.join("key"), "kept").expect("written");
        Self { setup, home }
    }

    /// Runs a build whose inputs end with these lines, of this context.
    fn build(&mut self, context: &str, inputs: &str) -> (i32, Vec<Value>) {
        let pipeline = format!(
            "version: 1
name: stranger
defaults: {{ cluster: projects/demo/locations/europe-west1/clusters/ci }}
steps:
  context:
    uses: sidestep/context-upload
    with: {{ path: ., bucket: demo-contexts, prefix: contexts/ }}
  build:
    needs: [context]
    uses: sidestep/kaniko-launch
    with:
      context: \"{context}\"
      dockerfile: Dockerfile
      destinations: [\"europe-docker.pkg.dev/demo/images/app:1\"]
      namespace: builds
      serviceAccount: kaniko
{inputs}"
        );
        self.setup.write("sidestep.yaml", &pipeline);
        self.setup.events(&["run", "--sandbox"])
    }

    /// Asserts that the user's files are as they were, and no others exist.
    fn is_unharmed(&self) {
        let mut names: Vec<_> = fs::read_dir(&self.home)
            .expect("listed")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["Dockerfile", "key"]);
        assert_eq!(fs::read(self.home.join("key")).expect("read"), b"kept");
    }
}

const UPLOADED: &str = "${{ steps.context.outputs.uri }}";

#[test]
fn a_build_s_variables_load_nothing_on_this_machine() {
    let mut machine = Machine::new();
    // The loader itself writes this file, as it would run the code of LD_PRELOAD (ld.so(8)).
    let trace = machine.home.join("trace");
    let env = format!(
        "      kaniko: {{ env: {{ LD_DEBUG: files, LD_DEBUG_OUTPUT: \"{}\" }} }}\n",
        trace.display()
    );
    let (exit, events) = machine.build(UPLOADED, &env);
    assert_eq!(exit, 0, "{events:#?}");
    machine.is_unharmed();
}

#[test]
fn a_context_of_this_machine_is_not_read() {
    let mut machine = Machine::new();
    let up = |path: &Path| format!("dir:///workspace/../../..{}", path.display());
    let home = machine.home.clone();
    for context in [format!("dir://{}", home.display()), up(&home)] {
        let (exit, events) = machine.build(&context, "");
        assert_eq!(exit, 1, "{context}: {events:#?}");
        let message = failure(&events)["message"].as_str().expect("a message");
        assert!(message.contains("No such file or directory"), "{message}");
        let pushed = events.iter().any(|event| {
            let line = event["data"]["message"].as_str().unwrap_or_default();
            line.contains("COPY key") || line.contains("Pushed")
        });
        assert!(!pushed, "{context}: {events:#?}");
    }
    machine.is_unharmed();
}

#[test]
fn a_tar_path_writes_nothing_on_this_machine() {
    let mut machine = Machine::new();
    let key = machine.home.join("key").display().to_string();
    for path in [
        key.clone(),
        format!("/workspace/../../../..{key}"),
        format!("{key}.new"),
        "../../../../../../../../alice/key".to_owned(),
    ] {
        let args = format!("      kaniko: {{ extraArgs: [\"--tar-path={path}\"] }}\n");
        let (exit, events) = machine.build(UPLOADED, &args);
        assert_eq!(exit, 0, "{path}: {events:#?}");
        machine.is_unharmed();
    }
}
