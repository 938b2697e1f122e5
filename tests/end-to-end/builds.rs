//! Builds from a context to a digest, and the ways in which they fail.

use std::process::Command;

use serde_json::Value;

use crate::clients::exports;
use crate::setup::{BUILD_ALONE, Setup, failure, find};

#[test]
fn an_image_is_built_and_pulled_and_an_unchanged_context_is_not_sent_again() {
    let mut setup = Setup::with_application();
    let (exit, events) = setup.events(&["run", "--sandbox"]);
    assert_eq!(exit, 0, "{events:#?}");
    let end = find(&events, "run-finished", |_| true).unwrap();
    let image = end["outputs"]["image"].as_str().unwrap();
    assert!(image.starts_with("europe-docker.pkg.dev/demo/images/quickstart@sha256:"));
    pull(&mut setup, "healthy", image);

    let (exit, again) = setup.events(&["run", "--sandbox"]);
    assert_eq!(exit, 0);
    let said = |text: &str| {
        find(&again, "log", |data| {
            data["message"].as_str().is_some_and(|m| m.contains(text))
        })
    };
    assert!(
        said("not sent: the bucket already holds this context").is_some(),
        "{again:#?}"
    );
    let call = find(&again, "host-call", |data| data["function"] == "put");
    assert!(call.is_none(), "nothing is put when it is there: {call:?}");
}

#[test]
fn the_image_holds_what_context_ls_lists() {
    let mut setup = Setup::new();
    for (path, text) in [
        (".dockerignore", "*\n!**/.cargo/\n"),
        (".cargo/config.toml", "[build]\n"),
        ("sub/.cargo/config.toml", "[net]\n"),
        (
            "Dockerfile",
            "FROM scratch\nCOPY . /src/\nCOPY .cargo/config.toml /c1\n",
        ),
        ("sidestep.yaml", BUILD_ALONE),
    ] {
        setup.write(path, text);
    }
    let listed = setup.run(&["context", "ls", "--output", "json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let entries = listed["entries"].as_array().unwrap();
    let mut listed: Vec<String> = entries
        .iter()
        .filter(|entry| entry["kind"] == "file")
        .map(|entry| format!("src/{}", entry["path"].as_str().unwrap()))
        .collect();
    listed.sort();
    assert_eq!(
        listed,
        ["src/.cargo/config.toml", "src/sub/.cargo/config.toml"]
    );
    let (exit, events) = setup.events(&["run", "sidestep.yaml", "--sandbox"]);
    assert_eq!(exit, 0, "{events:#?}");
    let is_build = |data: &serde_json::Value| data["outputs"]["image"].is_string();
    let done = find(&events, "step-finished", is_build).expect("the image was built");
    let image = done["outputs"]["image"].as_str().unwrap().to_owned();
    let layers = pull(&mut setup, "healthy", &image);
    let files: Vec<Vec<String>> = layers.iter().map(|layer| files_of(layer)).collect();
    assert_eq!(files, [listed, vec!["c1".to_owned()]]);
}

#[test]
fn every_broken_sandbox_fails_for_its_own_reason_and_leaves_no_pod() {
    let cases = [
        ("no-binding", 4, "identity.binding-missing"),
        ("account-deleted", 4, "identity.account-missing"),
        ("metadata-server-off", 4, "identity.node-account"),
        ("metadata-server-fails", 75, "identity.metadata-unavailable"),
        ("bucket-denied", 4, "kaniko.context-denied"),
        ("registry-denied", 4, "kaniko.push-denied"),
        ("out-of-memory", 1, "pod.out-of-memory"),
        ("evicted", 75, "pod.evicted"),
        ("drained", 75, "pod.evicted"),
        ("preempted", 75, "pod.preempted"),
        ("node-lost", 75, "pod.node-lost"),
        ("garbage-collected", 75, "pod.node-lost"),
        ("shut-down", 75, "pod.node-lost"),
        ("deleted", 1, "pod.deleted"),
        ("sidecar-fails", 1, "pod.sidecar-failed"),
    ];
    for (scenario, expected, code) in cases {
        let mut setup = Setup::with_application();
        setup.write("sidestep.yaml", BUILD_ALONE);
        let (exit, events) = setup.events(&["run", &format!("--sandbox={scenario}")]);
        let failure = failure(&events);
        assert_eq!(failure["code"], code, "{scenario}: {failure:#}");
        assert_eq!(exit, expected, "{scenario}");
        let cleaned = find(&events, "cleaned-up", |data| data["kind"] == "pod");
        // In these cases the cluster removes the pod itself, and the clean-up may come later.
        let is_gone = [
            "drained",
            "preempted",
            "node-lost",
            "garbage-collected",
            "deleted",
        ];
        match cleaned {
            Some(data) => assert_eq!(data["removed"], true, "{scenario}"),
            None => assert!(is_gone.contains(&scenario), "{scenario}"),
        }
    }
}

#[test]
fn a_build_whose_metadata_server_is_late_is_made_again_once() {
    let pods = |events: &[serde_json::Value]| {
        let logs = events.iter().filter(|event| event["type"] == "log");
        let texts = logs.filter_map(|event| event["data"]["message"].as_str());
        let made = texts.filter(|text| text.starts_with("building in pod "));
        made.count()
    };
    let warned = |events: &[serde_json::Value]| {
        events
            .iter()
            .any(|event| event["data"]["code"] == "identity.not-ready")
    };
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", BUILD_ALONE);
    let (exit, events) = setup.events(&["run", "--sandbox=metadata-server-late"]);
    assert_eq!((exit, pods(&events)), (0, 2), "{events:#?}");
    assert!(warned(&events), "{events:#?}");

    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", BUILD_ALONE);
    let (exit, events) = setup.events(&["run", "--sandbox=metadata-server-fails"]);
    assert_eq!((exit, pods(&events)), (75, 2), "{events:#?}");
}

#[test]
fn an_injected_sidecar_that_goes_on_does_not_hold_the_build() {
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", BUILD_ALONE);
    let (exit, events) = setup.events(&["run", "--sandbox=sidecar"]);
    assert_eq!(exit, 0, "{events:#?}");
    let cleaned = find(&events, "cleaned-up", |data| data["kind"] == "pod").expect("said");
    assert_eq!(cleaned["removed"], true);
}

#[test]
fn a_run_that_may_not_delete_its_pod_does_not_succeed_and_says_what_is_missing() {
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", BUILD_ALONE);
    let runner = "runner@demo.iam.gserviceaccount.com";
    let (exit, events) = setup.events(&["run", "--sandbox=no-delete", "--as", runner]);
    let built = find(&events, "step-finished", |data| data["status"] == "failed");
    assert_eq!(built, None, "the image is built: {events:#?}");
    let cleaned = find(&events, "cleaned-up", |data| data["kind"] == "pod").expect("said");
    assert_eq!(cleaned["removed"], false);
    assert_eq!(cleaned["failure"]["code"], "kubernetes.forbidden");
    let message = cleaned["failure"]["message"].as_str().unwrap();
    assert!(message.contains("cannot delete"), "{message}");
    let help = cleaned["failure"]["help"].to_string();
    assert!(help.contains("--rbac"), "{help}");
    assert_eq!(exit, 4);
    // A principal with the permission to delete finds it.
    let output = setup.run(&["gc", "--sandbox=no-delete"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("removed: pod builds/"), "{said}");
}

#[test]
fn a_quota_that_covers_cpu_is_named_and_met_with_the_input() {
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", BUILD_ALONE);
    let (exit, events) = setup.events(&["run", "--sandbox=cpu-quota"]);
    let failed = failure(&events);
    assert_eq!(
        (exit, &failed["code"]),
        (1, &"kubernetes.quota".into()),
        "{failed:#}"
    );
    let message = failed["message"].as_str().unwrap();
    assert!(
        message.contains("must specify limits.cpu for: kaniko"),
        "{message}"
    );
    assert!(
        failed["help"].to_string().contains("set `cpu`"),
        "{failed:#}"
    );
    for cpu in [
        "cpu: 2, namespace",
        "cpu: { request: 500m, limit: \"1.5\" }, namespace",
    ] {
        setup.write("sidestep.yaml", &BUILD_ALONE.replace("namespace", cpu));
        let (exit, events) = setup.events(&["run", "--sandbox=cpu-quota"]);
        assert_eq!(exit, 0, "{events:#?}");
    }
}

#[test]
fn what_the_node_says_of_a_lost_log_is_no_line_of_the_log() {
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", BUILD_ALONE);
    let (exit, events) = setup.events(&["run", "--sandbox=log-lost"]);
    assert_eq!(exit, 0);
    let words = "unable to retrieve container logs for ";
    let line = find(&events, "log", |data| {
        data["message"]
            .as_str()
            .is_some_and(|text| text.contains(words))
    });
    assert_eq!(line, None);
    let warning = find(&events, "warning", |data| data["code"] == "pod.log-cut-off");
    let said = warning.expect("it is said")["message"].to_string();
    assert!(
        said.contains("may be missing: the node says: unable"),
        "{said}"
    );
}

#[test]
fn a_repository_of_another_kind_is_built_and_what_was_not_executed_is_said() {
    let mut setup = Setup::new();
    setup.write(
        "package.json",
        r#"{"name":"service","scripts":{"build":"node build.js"}}"#,
    );
    setup.write("build.js", "console.log('built')\n");
    setup.write(".dockerignore", "node_modules\n");
    setup.write("node_modules/left-pad/index.js", "module.exports = 1\n");
    setup.write(
        "Dockerfile",
        "FROM node:22-alpine AS build\nWORKDIR /app\nCOPY package.json ./\nRUN npm ci\nCOPY . .\n\
         RUN npm run build\nFROM gcr.io/distroless/nodejs22-debian12\nWORKDIR /app\nCOPY --from=build /app/dist ./dist\n\
         CMD [\"node\", \"dist/server.js\"]\n",
    );
    let output = setup.run(&["run", "--sandbox"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("instructions not executed"), "{said}");
    assert!(said.contains("not executed: RUN npm ci"), "{said}");
    assert!(said.contains("sha256:"), "{said}");
}

#[test]
fn a_folder_s_dockerfile_takes_its_arguments_and_a_stage_of_it() {
    let mut setup = Setup::new();
    setup.write(
        "Dockerfile",
        "ARG BASE\nFROM debian:$BASE AS tools\nCOPY Dockerfile /tools\nFROM tools\nCOPY Dockerfile /all\n",
    );
    setup.write("args.yaml", "BASE: bookworm\n");
    let run = [
        "run",
        "--sandbox",
        "-i",
        "buildArgs=@args.yaml",
        "-i",
        "target=tools",
    ];
    let output = setup.run(&run);
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("-i buildArgs=@FILE.json"), "{said}");
    assert!(said.contains("debian:bookworm"), "{said}");
    assert!(said.contains("COPY Dockerfile /tools"), "{said}");
    assert!(!said.contains("COPY Dockerfile /all"), "{said}");
}

/// Pulls the image with another client, as the developer, and checks that it is complete and
/// matches its digests. Returns its layers.
pub(crate) fn pull(setup: &mut Setup, scenario: &str, image: &str) -> Vec<Vec<u8>> {
    pulled(setup, scenario, image).1
}

/// Pulls an image by its digest, and returns its configuration and its layers. All digests are
/// checked.
pub(crate) fn pulled(setup: &mut Setup, scenario: &str, image: &str) -> (Value, Vec<Vec<u8>>) {
    let (repository, digest) = image.split_once('@').unwrap();
    let registry = exports(setup, scenario)
        .into_iter()
        .find(|(name, _)| name == "SIDESTEP_ENDPOINT_REGISTRY")
        .expect("the registry's address")
        .1;
    let token = setup.sandbox_file(scenario, "access-token");
    let get = |path: &str| {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--fail", "--location", "--header"])
            .arg(format!("Authorization: Bearer {token}"))
            .args(["--header", "Accept: application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"])
            .arg(format!("{}/v2/{repository}/{path}", registry.trim_end_matches('/')))
            .output()
            .unwrap();
        assert!(output.status.success(), "{image}: {path}: {output:?}");
        output.stdout
    };
    let manifest = get(&format!("manifests/{digest}"));
    assert_eq!(sha256(&manifest), digest);
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    assert!(!layers.is_empty());
    let blob = |described: &Value| {
        let digest = described["digest"].as_str().unwrap();
        let blob = get(&format!("blobs/{digest}"));
        assert_eq!(sha256(&blob), digest);
        blob
    };
    let config = serde_json::from_slice(&blob(&manifest["config"])).unwrap();
    (config, layers.iter().map(blob).collect())
}

/// Returns the files of a layer, sorted.
pub(crate) fn files_of(layer: &[u8]) -> Vec<String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, layer).unwrap();
    let mut tar = Command::new("tar");
    let output = tar.arg("-tzf").arg(file.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let names = String::from_utf8(output.stdout).unwrap();
    let files = names.lines().filter(|name| !name.ends_with('/'));
    let mut files: Vec<String> = files.map(str::to_owned).collect();
    files.sort();
    files
}

fn sha256(bytes: &[u8]) -> String {
    use std::io::Write as _;
    let mut child = Command::new("sha256sum")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let text = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    format!("sha256:{}", text.split(' ').next().unwrap())
}
