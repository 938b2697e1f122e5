//! pod-run: commands in pods of the sandbox, for images that the operator names, and on a real node.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sidestep_test_harness::files;

use crate::beside;
use crate::setup::{BUILD_ALONE, Setup, failure, find};

/// The operator's setting that makes the sandbox run commands of busybox.
const LOCAL: (&str, &str) = ("SIDESTEP_SANDBOX_IMAGES", "busybox");

/// Returns a pipeline with one step, with more inputs in YAML's flow style.
fn pipeline(inputs: &str) -> String {
    format!(
        "version: 1
name: pods
defaults: {{ cluster: projects/demo/locations/europe-west1/clusters/ci }}
secrets: {{ token: {{ env: TOKEN }} }}
steps:
  work:
    uses: sidestep/pod-run
    secrets: [token]
    with: {{ image: \"busybox:1.37\", namespace: builds, {inputs} }}
"
    )
}

fn run(inputs: &str) -> (i32, Vec<Value>) {
    let mut setup = Setup::new();
    setup.write("sidestep.yaml", &pipeline(inputs));
    let variables = [LOCAL, ("TOKEN", "correct-horse-battery")];
    setup.events_with(&["run", "--sandbox"], &variables)
}

/// Returns the lines of the pods' logs.
fn lines(events: &[Value]) -> Vec<&str> {
    let logs = events.iter().filter(|event| event["type"] == "log");
    logs.filter_map(|event| event["data"]["message"].as_str())
        .collect()
}

#[test]
fn the_example_runs_without_a_cluster_once_the_image_is_named() {
    let mut setup = Setup::with_pipelines();
    let arguments = ["run", "pipelines/pod-run.yaml", "--sandbox"];
    let (exit, events) = setup.events_with(&arguments, &[LOCAL]);
    assert_eq!(exit, 0, "{events:#?}");
    let values = find(&events, "step-finished", |data| {
        data["outputs"]["values"]["tests"] == 2
    });
    let values = values.expect("the outputs")["outputs"]["values"].clone();
    assert_eq!(values, json!({ "tests": 2, "version": "1.4" }));
    let lines = lines(&events);
    for line in ["testing 1.4.2", "version 1.4 is tested"] {
        assert!(lines.contains(&line), "{lines:#?}");
    }
}

#[test]
fn secrets_come_as_variables_and_files_and_are_masked() {
    let inputs = "secretEnv: { TOKEN: token }, secretFiles: { token: token }, \
                  env: { FILE: /run/secrets/sidestep/token }, \
                  outputs: { length: { type: integer } }, \
                  script: \"test \\\"$(cat $FILE)\\\" = \\\"$TOKEN\\\"; echo \\\"it is $TOKEN\\\"; \
                  printf '{\\\"length\\\":%s}' ${#TOKEN} > $SIDESTEP_OUTPUTS\"";
    let (exit, events) = run(inputs);
    assert_eq!(exit, 0, "{events:#?}");
    let done = find(&events, "step-finished", |data| {
        data["outputs"]["values"]["length"] == 21
    });
    assert!(done.is_some(), "{events:#?}");
    assert!(lines(&events).contains(&"it is ***"), "{events:#?}");
    assert!(!json!(events).to_string().contains("correct-horse"));
}

#[test]
fn a_command_that_fails_is_the_author_s() {
    let (exit, events) = run("script: \"echo no such test; exit 3\"");
    assert_eq!(exit, 1, "{events:#?}");
    let failure = failure(&events);
    assert_eq!(failure["code"], "pod.command-failed");
    assert_eq!(failure["owner"], "author");
    assert_eq!(failure["message"], "the command ended with exit code 3");
    assert_eq!(
        failure["help"],
        json!(["the log's last line: no such test"])
    );
}

#[test]
fn a_sidecar_is_there_before_the_command_and_ends_after_it() {
    let inputs = "sidecars: [{ name: beside, image: \"busybox:1\", command: [sleep, \"600\"] }], \
                  script: \"echo beside it\"";
    let (exit, events) = run(inputs);
    assert_eq!(exit, 0, "{events:#?}");
    assert!(lines(&events).contains(&"beside it"), "{events:#?}");
}

#[test]
fn an_image_that_the_operator_does_not_name_only_runs_on_a_real_cluster() {
    let mut setup = Setup::new();
    setup.write(
        "sidestep.yaml",
        &pipeline("pullGrace: 1s, script: \"echo never\""),
    );
    let variables = [("TOKEN", "correct-horse-battery")];
    let (exit, events) = setup.events_with(&["run", "--sandbox"], &variables);
    assert_eq!(exit, 1, "{events:#?}");
    let failure = failure(&events);
    assert_eq!(failure["code"], "pod.image-pull");
    let message = failure["message"].as_str().unwrap();
    for part in [
        "the image busybox:1.37 can't be pulled",
        "the setting sandboxImages",
        "a real cluster runs any image",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!lines(&events).contains(&"never"));
}

#[test]
fn privileges_need_a_grant_and_a_policy_that_name_them() {
    let inputs =
        "capabilities: { add: [SYS_ADMIN] }, seccompProfile: Unconfined, command: [\"true\"]";
    let (exit, events) = run(inputs);
    assert_eq!(exit, 3, "{events:#?}");
    let message = failure(&events)["message"].as_str().unwrap();
    assert!(
        message.contains("is refused unless a grant and the operator's policy name it"),
        "{message}"
    );

    let mut setup = Setup::new();
    setup.write("sidestep.yaml", &pipeline(inputs));
    let suggested = setup.run(&["plan", "--suggest-grants"]);
    let suggested = String::from_utf8(suggested.stdout).unwrap();
    let fields = "podFields: [capabilities, seccompUnconfined]";
    assert!(suggested.contains(fields), "{suggested}");
    let policy = "version: 1
rules:
- match: { trust: unverified }
  allow:
    kubernetes: [{ podFields: [capabilities, seccompUnconfined] }]
    secrets: [{ names: [\"**\"] }]
";
    setup.write("policy.yaml", policy);
    let granted = suggested
        .lines()
        .find_map(|line| line.trim().strip_prefix("kubernetes: "))
        .unwrap_or_else(|| panic!("{suggested}"));
    let written = format!(
        "{}    grants: {{ kubernetes: {granted} }}\n",
        pipeline(inputs)
    );
    setup.write("sidestep.yaml", &written);
    let variables = [LOCAL, ("TOKEN", "correct-horse-battery")];
    let arguments = ["run", "--sandbox", "--policy", "policy.yaml"];
    let (exit, events) = setup.events_with(&arguments, &variables);
    assert_eq!(exit, 0, "{events:#?}");
}

#[test]
fn the_roles_of_a_step_with_secrets_are_printed() {
    let mut setup = Setup::new();
    setup.write("sidestep.yaml", &pipeline("secretEnv: { TOKEN: token }"));
    let printed = setup.run(&["plan", "--rbac"]);
    let printed = String::from_utf8(printed.stdout).unwrap();
    for part in ["pods/log", "secrets", "namespace: builds"] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
}

#[test]
fn the_operator_s_helper_image_waits_for_the_identity_of_a_build() {
    let helper = ("SIDESTEP_HELPER_IMAGE", "registry.example.com/sidestep:1");
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", BUILD_ALONE);
    let arguments = ["plan", "--output", "json"];
    let plan = setup.command(&arguments).envs([helper]).output().unwrap();
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    let instances = plan["instances"].as_array().unwrap();
    let build = instances.iter().find(|one| one["id"] == "build").unwrap();
    let images = &build["scopes"]["grants"]["kubernetes"]["granted"][0]["images"];
    assert!(
        images.as_array().unwrap().contains(&helper.1.into()),
        "{images}"
    );
    let (exit, events) = setup.events_with(&["run", "--sandbox"], &[helper]);
    assert_eq!(exit, 0, "{events:#?}");
}

/// The steps of the test on a real node: the inputs of each, and its code; none for one that
/// succeeds.
const ON_A_NODE: [(&str, &str, Option<&str>); 6] = [
    (
        "secret",
        "secretEnv: { TOKEN: token }, secretFiles: { token: token }, \
         script: \"test \\\"$(cat /run/secrets/sidestep/token)\\\" = \\\"$TOKEN\\\"; echo it is $TOKEN\"",
        None,
    ),
    (
        "beside",
        "sidecars: [{ name: web, image: IMAGE, command: [httpd, -f, -p, \"8080\", -h, /etc] }], \
         outputs: { user: { type: string } }, \
         script: \"until nc 127.0.0.1 8080 </dev/null; do sleep 0.1; done; \
         printf '{\\\"user\\\":\\\"%s\\\"}' $(id -u) > $SIDESTEP_OUTPUTS\"",
        None,
    ),
    ("fails", "script: \"exit 3\"", Some("pod.command-failed")),
    (
        "missing",
        "command: [/no/such/program]",
        Some("pod.not-startable"),
    ),
    (
        "large",
        "outputs: { a: { type: string } }, \
         script: \"head -c 5000 /dev/zero | tr '\\\\0' x > $SIDESTEP_OUTPUTS\"",
        Some("pod.outputs-too-large"),
    ),
    (
        "restricted",
        "user: 1000, capabilities: { drop: [ALL] }, script: \"echo $(id -u)\"",
        None,
    ),
];

#[test]
fn on_a_node_commands_run_in_any_image_and_each_end_is_named() {
    let Some(cluster) = sidestep_cluster_testing::node() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let Some(_) = beside::sidestep(beside::Machine::Node, cluster, folder.path(), &[]) else {
        return;
    };
    let namespace = cluster.namespace();
    let image = cluster.image();
    let mut text = "version: 1
name: pods
defaults: { cluster: tests, timeout: 5m }
secrets: { token: { env: TOKEN } }
steps:
"
    .to_owned();
    for (id, inputs, _) in ON_A_NODE {
        let inputs = inputs.replace("IMAGE", &format!("\"{image}\""));
        text += &format!(
            "  {id}:
    uses: sidestep/pod-run
    secrets: [token]
    with: {{ image: \"{image}\", namespace: \"{}\", {inputs} }}
",
            namespace.name()
        );
    }
    std::fs::write(folder.path().join("sidestep.yaml"), text).unwrap();
    let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines");
    files::copy(&from, &folder.path().join("pipelines"));
    let config = folder.path().join(".config/sidestep");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(
        config.join("config.yaml"),
        "clusters: { tests: { context: sidestep } }\n",
    )
    .unwrap();
    let run = |arguments: &[&str]| -> Vec<Value> {
        let workspace = ["--workspace", folder.path().to_str().unwrap(), "run"];
        let output = ["--output", "json"];
        let arguments = [&workspace[..], arguments, &output].concat();
        let mut command =
            beside::sidestep(beside::Machine::Node, cluster, folder.path(), &arguments).unwrap();
        let output = command
            .env("TOKEN", "correct-horse-battery")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let events: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect(line))
            .collect();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!events.is_empty(), "{errors}");
        events
    };

    let events = run(&[]);
    let ends = events
        .iter()
        .filter(|event| event["type"] == "step-finished");
    let ends: BTreeMap<&str, &Value> = ends
        .map(|event| (event["step"].as_str().unwrap(), &event["data"]))
        .collect();
    for (id, _, code) in ON_A_NODE {
        let end = ends[id];
        assert_eq!(end["failure"]["code"].as_str(), code, "{id}: {end:#}");
    }
    assert_eq!(ends["beside"]["outputs"]["values"]["user"], "0");
    let lines = lines(&events);
    assert!(lines.contains(&"it is ***"), "{lines:#?}");
    assert!(lines.contains(&"1000"), "{lines:#?}");
    let left = namespace.ok(&["get", "pods,secrets", "--output=name"]);
    assert_eq!(left, "", "everything was removed");

    let namespace = format!("podNamespace={}", namespace.name());
    let image = format!("image={image}");
    let events = run(&[
        "pipelines/pod-run.yaml",
        "-i",
        "cluster=tests",
        "-i",
        &namespace,
        "-i",
        &image,
    ]);
    let end = find(&events, "run-finished", |_| true).expect("it ended");
    assert_eq!(end["outputs"]["version"], "1.4", "{events:#?}");
}

#[test]
fn a_sandbox_that_started_before_the_setting_is_named_with_the_way_out() {
    let mut setup = Setup::new();
    let step = "version: 1\nname: up\nsteps:\n  up:\n    uses: sidestep/context-upload\n    \
                with: { bucket: demo-contexts }\n";
    setup.write("sidestep.yaml", step);
    setup.write("Dockerfile", "FROM scratch\n");
    let started = setup.run(&["run", "--sandbox"]);
    let said = String::from_utf8_lossy(&started.stderr).into_owned();
    assert!(
        said.contains("started") && !said.contains("before"),
        "{said}"
    );
    let later = setup
        .command(&["run", "--sandbox"])
        .env(LOCAL.0, LOCAL.1)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&later.stderr);
    assert!(
        said.contains(
            "sandbox `healthy` started before the settings listed docker.io/library/busybox, and \
             can't run it; to start it with these settings: sidestep sandbox stop"
        ),
        "{said}"
    );
}
