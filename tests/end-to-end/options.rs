//! The options of a build: what becomes of them in the pod and in the image.

use serde_json::{Value, json};

use crate::builds::pulled;
use crate::clients::{client, exports, said};
use crate::killed::Running;
use crate::setup::{BUILD_ALONE, Setup, failure, find, program};

/// Returns a pipeline with more inputs of the build, in YAML's flow style.
fn with(inputs: &str) -> String {
    let build = "namespace: builds, serviceAccount: kaniko";
    BUILD_ALONE.replace(build, &format!("{build}, {inputs}"))
}

#[test]
fn options_reach_the_pod_and_the_image_as_they_were_written() {
    let Some(_) = program("kubectl") else { return };
    let mut setup = Setup::with_application();
    setup.write(
        "Dockerfile",
        "FROM scratch\nARG A\nLABEL a=$A\nCOPY hello.txt /\n",
    );
    setup.write(
        "sidestep.yaml",
        &with(
            "buildArgs: { A: \"$(KUBERNETES_SERVICE_HOST) $$ $x it's 'q' \\\\\" }, labels: { team: \"x=y\" }, \
             cacheRepo: europe-docker.pkg.dev/demo/images/layers, cacheTtl: 2h, \
             kaniko: { snapshotMode: redo, registryMaps: { docker.io: [mirror.gcr.io] }, \
             features: { FF_KANIKO_COPY_AS_ROOT: true }, env: { NOTE: \"$(HOME)\" } }, \
             tolerations: [{ key: builds, operator: Exists }], podLabels: { team: a }, \
             podAnnotations: { example.com/note: b }",
        ),
    );
    let (exit, events) = setup.events(&["run", "--sandbox"]);
    assert_eq!(exit, 0, "{events:#?}");
    let is_build = |data: &Value| data["outputs"]["image"].is_string();
    let done = find(&events, "step-finished", is_build).expect("the image was built");
    let image = done["outputs"]["image"].as_str().unwrap().to_owned();
    let (config, _) = pulled(&mut setup, "healthy", &image);
    let labels = &config["config"]["Labels"];
    assert_eq!(
        labels["a"], "$(KUBERNETES_SERVICE_HOST) $$ $x it's 'q' \\",
        "{labels}"
    );
    assert_eq!(labels["team"], "x=y");

    // The pod is read while the build hangs: the clean-up removes it.
    let mut running = Running::start(&mut setup, &["run", "--sandbox=build-hangs"]);
    let is_made = |event: &Value| {
        event["step"] == "build"
            && event["type"] == "host-call"
            && event["data"]["function"] == "create"
    };
    assert!(running.until(is_made), "it makes a pod");
    let exports = exports(&mut setup, "build-hangs");
    let list = "kubectl get pods -n builds -o json";
    let pods: Value = serde_json::from_str(&said(&client(&setup, &exports, list))).unwrap();
    let pod = &pods["items"][0];
    running.kill();
    let spec = &pod["spec"];
    let tolerations = spec["tolerations"].as_array().unwrap();
    let expected = json!({ "key": "builds", "operator": "Exists" });
    assert!(tolerations.contains(&expected), "{tolerations:?}");
    assert_eq!(pod["metadata"]["labels"]["team"], "a");
    assert_eq!(pod["metadata"]["annotations"]["example.com/note"], "b");
    let container = &spec["containers"][0];
    let arguments = container["args"].as_array().unwrap();
    for expected in [
        "--cache-ttl=7200s",
        "--registry-map=index.docker.io=mirror.gcr.io",
    ] {
        assert!(arguments.contains(&expected.into()), "{arguments:?}");
    }
    let env = container["env"].as_array().unwrap();
    for (name, value) in [("FF_KANIKO_COPY_AS_ROOT", "true"), ("NOTE", "$$(HOME)")] {
        let expected = json!({ "name": name, "value": value });
        assert!(env.contains(&expected), "{env:?}");
    }
}

#[test]
fn options_that_the_step_sets_itself_are_found_before_anything_starts() {
    let mut setup = Setup::with_application();
    setup.write(
        "sidestep.yaml",
        &with("cacheTtl: 2h, kaniko: { extraArgs: [--no-push], env: { KANIKO_TELEMETRY_URL: x } }"),
    );
    let output = setup.run(&["validate"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    for part in [
        "kaniko.option",
        "`cacheTtl` has no effect without `cacheRepo`",
        "`--no-push` in `kaniko.extraArgs` is set by the step itself",
        "would send the Dockerfile's source to a server",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn a_priority_class_needs_a_grant_and_a_policy() {
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", &with("priorityClass: ci"));
    let (exit, events) = setup.events(&["run", "--sandbox"]);
    assert_eq!(exit, 3, "{events:#?}");
    let message = failure(&events)["message"].as_str().unwrap();
    assert!(
        message.contains(
            "`priorityClassName` is refused unless a grant and the operator's policy name it"
        ),
        "{message}"
    );
    assert_eq!(
        find(&events, "cleaned-up", |_| true),
        None,
        "no pod was made"
    );
}
