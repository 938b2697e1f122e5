//! pod-run with a context: the pod fetches it as its own identity, by the helper image.

use std::path::Path;

use serde_json::Value;

use crate::beside::{BUILDER, Beside, account, node};
use crate::setup::{Setup, failure, find};

/// The operator's settings: commands of busybox run in the sandbox, and the helper image.
const SETTINGS: [(&str, &str); 2] = [
    ("SIDESTEP_SANDBOX_IMAGES", "busybox"),
    ("SIDESTEP_HELPER_IMAGE", "registry.example.com/sidestep:1"),
];

/// Returns a pipeline whose command reads the context `app`. `$IMAGE` is its image.
fn pipeline(inputs: &str) -> String {
    format!(
        "version: 1
name: files
defaults: {{ cluster: projects/demo/locations/europe-west1/clusters/ci, timeout: 5m }}
steps:
  context:
    uses: sidestep/context-upload
    with: {{ path: app, bucket: demo-contexts }}
  work:
    uses: sidestep/pod-run
    with:
      image: \"$IMAGE\"
      namespace: builds
      context: \"${{{{ steps.context.outputs.uri }}}}\"
      contextFolder: /workspace
      script: |
        set -e
        test \"$(cat bin/text)\" = hello
        test -x bin/run.sh
        test \"$(readlink bin/link)\" = text
        test ! -e dockerfiles
        bin/run.sh
        echo more > bin/new
{inputs}"
    )
}

/// The number of files of the example's folder that its ignore file leaves.
const FILES: u64 = 3;
const FOLDER: &str = "      contextFolder: /workspace\n";

fn write(folder: &Path, inputs: &str, image: &str) {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let bin = folder.join("app/bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(bin.join("text"), "hello\n").unwrap();
    std::fs::write(bin.join("run.sh"), "#!/bin/sh\necho it ran in $(pwd)\n").unwrap();
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(bin.join("run.sh"), executable).unwrap();
    let _ = symlink("text", bin.join("link"));
    let text = pipeline(inputs).replace("$IMAGE", image);
    std::fs::write(folder.join("sidestep.yaml"), text).unwrap();
}

fn run(inputs: &str) -> (i32, Vec<Value>) {
    let mut setup = Setup::new();
    write(&setup.workspace(), inputs, "busybox:1.37");
    setup.events_with(&["run", "--sandbox"], &SETTINGS)
}

fn said(events: &[Value], part: &str) -> bool {
    let logs = events.iter().filter(|event| event["type"] == "log");
    let mut texts = logs.filter_map(|event| event["data"]["message"].as_str());
    texts.any(|text| text.contains(part))
}

#[test]
fn the_files_of_a_context_are_in_the_working_folder() {
    let digest = "      contextDigest: \"${{ steps.context.outputs.digest }}\"\n";
    for inputs in [
        "      serviceAccount: kaniko\n",
        &format!("      serviceAccount: kaniko\n{digest}"),
    ] {
        let (exit, events) = run(inputs);
        assert_eq!(exit, 0, "{events:#?}");
        assert!(said(&events, "it ran in /"), "{events:#?}");
        assert!(said(&events, "into /workspace"), "{events:#?}");
    }
}

#[test]
fn a_pod_without_an_identity_that_may_read_is_told_what_to_grant() {
    let (exit, events) = run("      serviceAccount: default\n");
    let failure = failure(&events);
    assert_eq!(failure["code"], "pod.context-not-fetched", "{events:#?}");
    assert_eq!((exit, &failure["owner"]), (4, &"cloud".into()));
    let help = failure["help"].to_string();
    assert!(help.contains("service account builds/default"), "{help}");
    assert!(help.contains("gs://demo-contexts"), "{help}");
    assert!(!said(&events, "it ran"));
}

#[test]
fn another_tree_never_reaches_the_command() {
    let wrong = format!("sha256:{}", "0".repeat(64));
    let (exit, events) = run(&format!(
        "      serviceAccount: kaniko\n      contextDigest: \"{wrong}\"\n"
    ));
    assert_eq!(exit, 1, "{events:#?}");
    let failure = failure(&events);
    assert_eq!(failure["code"], "pod.context-not-fetched");
    assert_eq!(failure["owner"], "author");
    let message = failure["message"].as_str().unwrap();
    assert!(message.contains("is another tree"), "{message}");
    assert!(!said(&events, "it ran"));
}

#[test]
fn a_context_without_its_folder_or_the_helper_image_is_refused_before_the_run() {
    let mut setup = Setup::new();
    write(&setup.workspace(), "", "busybox:1.37");
    let file = setup.workspace().join("sidestep.yaml");
    let mut refused = |settings: &[(&str, &str)]| {
        let mut command = setup.command(&["validate"]);
        let output = command.envs(settings.iter().copied()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let said = refused(&SETTINGS[..1]);
    assert!(said.contains("needs the helper image"), "{said}");
    let text = pipeline("")
        .replace(FOLDER, "")
        .replace("$IMAGE", "busybox:1.37");
    std::fs::write(file, text).unwrap();
    let said = refused(&SETTINGS);
    assert!(said.contains("without `contextFolder`"), "{said}");
}

#[test]
fn the_example_counts_the_files_of_its_folder() {
    let mut setup = Setup::with_pipelines();
    let arguments = ["run", "pipelines/pod-files.yaml", "--sandbox"];
    let (exit, events) = setup.events_with(&arguments, &SETTINGS);
    assert_eq!(exit, 0, "{events:#?}");
    let end = find(&events, "run-finished", |_| true).expect("it ended");
    // Those that the folder's ignore file leaves.
    assert_eq!(end["outputs"]["files"], FILES, "{events:#?}");
    let roles = setup.command(&["plan", "pipelines/pod-files.yaml", "--iam"]);
    let roles = { roles }.envs(SETTINGS).output().unwrap();
    let roles = String::from_utf8(roles.stdout).unwrap();
    assert!(roles.contains("roles/storage.objectViewer"), "{roles}");
}

#[test]
fn on_a_node_a_pod_fetches_its_context() {
    let Some((cluster, _alone)) = node() else {
        return;
    };
    account(cluster, "builds", "kaniko", Some(BUILDER));
    let sandbox = Beside::start(cluster, "builds").unwrap();
    let runner = Path::new(env!("CARGO_BIN_EXE_sidestep"));
    let images = cluster.images(runner).unwrap();
    let helper = format!(
        "      serviceAccount: kaniko\n      helperImage: \"{}\"\n",
        images.runner
    );
    let selector = "      nodeSelector: { iam.gke.io/gke-metadata-server-enabled: \"true\" }\n";
    for inputs in [
        format!("{helper}{selector}"),
        format!("{helper}      user: 1000\n"),
    ] {
        write(sandbox.folder(), &inputs, cluster.image());
        let (exit, said) = sandbox.pipeline("sidestep.yaml");
        assert_eq!(exit, Some(0), "{said}");
        assert!(said.contains("it ran in /workspace"), "{said}");
    }
    let denied = helper.replace("kaniko", "default");
    write(sandbox.folder(), &denied, cluster.image());
    let (exit, said) = sandbox.pipeline("sidestep.yaml");
    assert_eq!(exit, Some(4), "{said}");
    assert!(said.contains("pod.context-not-fetched"), "{said}");
}
