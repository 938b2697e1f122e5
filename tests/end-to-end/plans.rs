//! The output of `plan` and `validate` for other tools: grants to paste, Roles, bindings, graphs,
//! reports.

use std::process::Command;

use serde_json::Value;

use crate::clients::{exports, said};
use crate::grants::{pipeline, with_own_plugin};
use crate::setup::{Setup, find, program};

fn text(setup: &mut Setup, arguments: &[&str]) -> String {
    let output = setup.run(arguments);
    said(&output)
}

#[test]
fn the_suggested_grants_are_the_ones_that_were_missing() {
    let mut setup = with_own_plugin();
    setup.write("sidestep.yaml", &pipeline(""));
    let refused = setup.run(&["plan"]);
    assert_eq!(refused.status.code(), Some(3));
    let suggested = text(&mut setup, &["plan", "--suggest-grants"]);
    let grants = suggested.split_once("  send:\n").unwrap().1;
    setup.write("sidestep.yaml", &pipeline(grants));
    let plan: Value =
        serde_json::from_str(&text(&mut setup, &["plan", "--output", "json"])).unwrap();
    let scopes = &plan["instances"][0]["scopes"]["grants"]["storage"];
    assert_eq!(scopes["granted"], scopes["requested"], "{plan:#}");
    assert_eq!(scopes["granted"][0]["bucket"][0], "demo-contexts");
    let (exit, _) = setup.events(&["run", "--sandbox"]);
    assert_eq!(exit, 0, "what was suggested is enough");
}

/// A pipeline that builds the example application with the sandbox's names.
const BUILDING: &str = "version: 1
name: quickstart
defaults: { cluster: projects/demo/locations/europe-west1/clusters/ci }
steps:
  context:
    uses: sidestep/context-upload
    with: { bucket: demo-contexts, prefix: contexts/ }
  build:
    uses: sidestep/kaniko-launch
    with:
      context: \"${{ steps.context.outputs.uri }}\"
      destinations: [europe-docker.pkg.dev/demo/images/hello:latest]
      namespace: builds
      serviceAccount: kaniko
outputs:
  image: \"${{ steps.build.outputs.image }}\"
";

fn building(setup: &Setup) {
    setup.write("sidestep.yaml", BUILDING);
}

#[test]
fn the_printed_bindings_are_what_was_missing() {
    if program("gcloud").is_none() {
        return;
    }
    let mut setup = Setup::with_application();
    building(&setup);
    let (exit, _) = setup.events(&["run", "--sandbox=registry-denied"]);
    assert_eq!(exit, 4);
    let script = text(&mut setup, &["plan", "--iam=user:dev@example.com"]);
    setup.write("iam.sh", &script);
    // The pods' service account impersonates a Google one, which the script leaves to the user.
    let output = Command::new("bash")
        .args(["-e", "iam.sh"])
        .current_dir(setup.workspace())
        .envs(exports(&mut setup, "registry-denied"))
        .env(
            "POD_1",
            "serviceAccount:builder@demo.iam.gserviceaccount.com",
        )
        .env("HOME", setup.workspace())
        .env("CLOUDSDK_CONFIG", setup.workspace().join("gcloud"))
        .output()
        .unwrap();
    said(&output);
    let (exit, events) = setup.events(&["run", "--sandbox=registry-denied"]);
    assert_eq!(exit, 0, "{events:#?}");
}

#[test]
fn the_printed_role_has_what_the_runner_calls_and_no_more() {
    let mut setup = Setup::with_application();
    building(&setup);
    let yaml = text(&mut setup, &["plan", "--rbac=ci/runner"]);
    let documents: Vec<Value> = serde_saphyr::from_multiple(&yaml).unwrap();
    let [role, binding] = &documents[..] else {
        panic!("a Role and a RoleBinding: {yaml}");
    };
    assert_eq!(
        (&role["kind"], &binding["kind"]),
        (&"Role".into(), &"RoleBinding".into())
    );
    let verbs = |resource: &str| {
        let rules = role["rules"].as_array().unwrap().iter();
        let of = rules.filter(|rule| {
            rule["resources"]
                .as_array()
                .unwrap()
                .contains(&resource.into())
        });
        of.map(|rule| rule["verbs"].clone()).collect::<Vec<_>>()
    };
    let all = serde_json::json!(["create", "delete", "get", "list", "watch"]);
    assert_eq!(verbs("pods"), [all]);
    assert_eq!(verbs("pods/log"), [serde_json::json!(["get"])]);
    assert_eq!(verbs("secrets"), [Value::Null; 0], "no step has secrets");
    assert_eq!(binding["subjects"][0]["kind"], "ServiceAccount");
    assert_eq!(binding["roleRef"]["name"], role["metadata"]["name"]);
    assert_eq!(role["metadata"]["namespace"], "builds");
}

#[test]
fn a_plan_is_drawn() {
    let mut setup = Setup::with_application();
    building(&setup);
    let drawn = text(
        &mut setup,
        &["plan", "--output", "mermaid", "-o", "plan.mmd"],
    );
    assert_eq!(drawn, "");
    let drawn = std::fs::read_to_string(setup.workspace().join("plan.mmd")).unwrap();
    assert_eq!(
        drawn,
        "flowchart LR\n  s0[\"context<br/>sidestep/context-upload\"]\n  \
         s1[\"build<br/>sidestep/kaniko-launch\"]\n  s0 --> s1\n"
    );
}

#[test]
fn problems_are_told_to_code_hosts() {
    let mut setup = Setup::with_application();
    setup.write(
        "sidestep.yaml",
        "version: 1\nname: x\nstpes: {}\nsteps: {}\n",
    );
    let output = setup.run(&["validate", "--output", "github"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.starts_with(
            "::error file=sidestep.yaml,line=3,col=1,endColumn=6,title=pipeline.unknown-key::"
        ),
        "{told}"
    );
    let output = setup.run(&["validate", "--output", "sarif"]);
    assert_eq!(output.status.code(), Some(2));
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), told.lines().count());
    building(&setup);
    let output = setup.run(&["validate", "--output", "sarif"]);
    assert_eq!(output.status.code(), Some(0));
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
}

#[test]
fn one_step_runs_with_what_it_needs() {
    let mut setup = Setup::with_application();
    building(&setup);
    let (exit, events) = setup.events(&["run", "--sandbox", "--step", "context"]);
    assert_eq!(exit, 0);
    let started = find(&events, "run-started", |_| true).unwrap();
    let steps: Vec<&str> = started["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["instance"].as_str().unwrap())
        .collect();
    assert_eq!(steps, ["context"]);
    let (exit, events) = setup.events(&["run", "--sandbox", "--step", "build"]);
    assert_eq!(exit, 0);
    let end = find(&events, "run-finished", |_| true).unwrap();
    assert!(end["outputs"]["image"].is_string(), "{end}");
    let output = setup.run(&["run", "--sandbox", "--step", "biuld"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("did you mean `build`?"), "{said}");
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let mut setup = Setup::with_application();
    setup.write(
        "sidestep.yaml",
        "version: 1\nname: x\ntimeot: 1m\ninputs: { tag: { type: strng } }\nsteps:\n  context:\n    uses: sidestep/context-upload\n    with: { bucket: demo-contexts, prefx: x }\n  other:\n    uses: ./plugins/none.wasm\n  build:\n    uses: sidestep/kaniko-launch\n    with:\n      context: \"${{ steps.context.outputs.ur }}\"\n      dockerfile: Nowhere\n      destinations: [\"x.dev/a/b:${{ inputs.tag }}\"]\n      cluster: projects/p/locations/l/clusters/c\n      namespace: builds\n      serviceAccount: kaniko\n  right:\n    uses: sidestep/kaniko-launch\n    with:\n      context: gs://b/o\n      path: .\n      dockerfile: Nowhere\n      destinations: [x.dev/a/b:1]\n      cluster: projects/p/locations/l/clusters/c\n      namespace: builds\n      serviceAccount: kaniko\n",
    );
    let output = setup.run(&["validate", "--output", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let told: Vec<(&str, u64)> = found
        .iter()
        .map(|one| {
            (
                one["code"].as_str().unwrap(),
                one["at"]["line"].as_u64().unwrap_or(0),
            )
        })
        .collect();
    for expected in [
        ("pipeline.unknown-key", 3),
        ("input.type", 4),
        ("input.unknown", 8),
        ("output.unknown", 14),
        ("context.filtered-again", 23),
    ] {
        assert!(told.contains(&expected), "{expected:?} in {told:#?}");
    }
    let about = |text: &str| {
        let about = found.iter().filter(|one| one.to_string().contains(text));
        about.count()
    };
    assert_eq!(
        about("none.wasm"),
        1,
        "the plugin that is not there: {found:#?}"
    );
    assert!(
        about("Nowhere") >= 1,
        "what plugins check of right steps: {found:#?}"
    );
    assert_eq!(
        found.len(),
        7,
        "and nothing that follows from these: {found:#?}"
    );
}
