//! `wi-setup` against the sandbox: from nothing to a link that `wi-verify` passes, beside other
//! editors, and what it prints for gcloud run by the real one.

mod editors;

use serde_json::{Value, json};

use crate::clients::{client, exports, said};
use crate::setup::{Setup, failure, find, program};
use editors::Editors;

/// The inputs of a workload that does not exist.
const NEW: &[&str] = &[
    "cluster=projects/demo/locations/europe-west1/clusters/ci",
    "namespace=builds",
    "serviceAccount=app",
    "bucket=demo-contexts",
    "prefix=contexts/",
    "image=europe-docker.pkg.dev/demo/images/hello",
];
/// The Google service account that it acts as.
const ACCOUNT: &str = "googleServiceAccount=app-ci@demo.iam.gserviceaccount.com";
/// Makes the changes.
const APPLY: &str = "apply=true";

fn arguments<'a>(plugin: &'a str, sandbox: &'a str, inputs: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["exec", plugin, sandbox];
    for input in inputs {
        all.extend(["-i", input]);
    }
    all
}

/// Runs the plugin with the inputs of the new workload and more.
fn run(setup: &mut Setup, sandbox: &str, more: &[&str]) -> (i32, Vec<Value>) {
    let inputs = [NEW, more].concat();
    setup.events(&arguments("wi-setup", sandbox, &inputs))
}

/// Runs the plugin to success, and returns its outputs.
fn outputs(setup: &mut Setup, sandbox: &str, more: &[&str]) -> Value {
    let (exit, events) = run(setup, sandbox, more);
    assert_eq!(exit, 0, "{events:#?}");
    find(&events, "step-finished", |_| true).unwrap()["outputs"].clone()
}

/// Returns the kinds of the changes.
fn kinds(outputs: &Value) -> Vec<&str> {
    let changes = outputs["changes"].as_array().unwrap().iter();
    changes
        .filter_map(|change| change["kind"].as_str())
        .collect()
}

fn verify(setup: &mut Setup, form: &str) {
    let targets = r#"targets=[{"bucket":"demo-contexts","prefix":"contexts/"},{"image":"europe-docker.pkg.dev/demo/images/hello"}]"#;
    let inputs = [&NEW[..3], &[targets, form]].concat();
    let (exit, events) = setup.events(&arguments("wi-verify", "--sandbox", &inputs));
    assert_eq!(exit, 0, "{events:#?}");
}

#[test]
fn from_nothing_twice_and_the_second_time_nothing_changes() {
    let mut setup = Setup::new();
    let all = [
        "kubernetesAccount",
        "googleAccount",
        "binding",
        "binding",
        "binding",
        "annotation",
    ];
    for _ in 0..2 {
        let (exit, events) = run(&mut setup, "--sandbox", &[ACCOUNT]);
        assert_eq!(exit, 0, "{events:#?}");
        let outputs = &find(&events, "step-finished", |_| true).unwrap()["outputs"];
        assert_eq!(kinds(outputs), all, "a dry run changes nothing");
        let writes = ["set-policy", "create-service-account", "apply"];
        let is_write = |call: &Value| writes.iter().any(|name| call["function"] == *name);
        assert_eq!(find(&events, "host-call", is_write), None);
    }
    let first = outputs(&mut setup, "--sandbox", &[ACCOUNT, APPLY]);
    assert_eq!(kinds(&first), all);
    assert_eq!(first["applied"], true);
    verify(&mut setup, "form=impersonation");
    let second = outputs(&mut setup, "--sandbox", &[ACCOUNT, APPLY]);
    assert_eq!(second["changes"], json!([]));
    assert_eq!(second["present"].as_array().unwrap().len(), all.len());
}

#[test]
fn the_direct_form_needs_no_google_account_and_leaves_the_other_form_behind() {
    let mut setup = Setup::new();
    outputs(&mut setup, "--sandbox", &[ACCOUNT, APPLY]);
    let first = outputs(&mut setup, "--sandbox", &[APPLY]);
    assert_eq!(kinds(&first), ["binding", "binding", "annotation"]);
    assert_eq!(
        first["changes"][2]["from"], "app-ci@demo.iam.gserviceaccount.com",
        "the annotation is removed"
    );
    let principal = first["principal"].as_str().unwrap();
    assert!(principal.starts_with("principal://"), "{principal}");
    // The account still lets the workload act as it, so the form is named.
    verify(&mut setup, "form=direct");
    let second = outputs(&mut setup, "--sandbox", &[APPLY]);
    assert_eq!(second["changes"], json!([]));
}

#[test]
fn an_account_that_google_does_not_know_yet_is_waited_for() {
    let mut setup = Setup::new();
    let sandbox = "--sandbox=new-account-unknown";
    outputs(&mut setup, sandbox, &[ACCOUNT, APPLY]);
    let second = outputs(&mut setup, sandbox, &[ACCOUNT, APPLY]);
    assert_eq!(second["changes"], json!([]));
}

#[test]
fn an_account_that_google_never_knows_is_named_after_the_wait() {
    let mut setup = Setup::new();
    let sandbox = "--sandbox=new-account-unknown";
    let (_, events) = run(&mut setup, sandbox, &[ACCOUNT, APPLY, "wait=0s"]);
    assert_eq!(failure(&events)["code"], "identity.not-visible");
    // The next run goes on where this one stopped.
    outputs(&mut setup, sandbox, &[ACCOUNT, APPLY]);
}

#[test]
fn its_gcloud_commands_run_as_printed_make_the_same_state() {
    let (Some(_), Some(_)) = (program("gcloud"), program("kubectl")) else {
        return;
    };
    for form in [&[ACCOUNT][..], &[]] {
        let mut setup = Setup::new();
        let more = [form, &["format=gcloud"]].concat();
        let printed = outputs(&mut setup, "--sandbox", &more);
        let exports = exports(&mut setup, "healthy");
        for line in printed["lines"].as_array().unwrap() {
            said(&client(&setup, &exports, line.as_str().unwrap()));
        }
        let after = outputs(&mut setup, "--sandbox", form);
        assert_eq!(after["changes"], json!([]));
        verify(&mut setup, "form=auto");
    }
}

#[test]
fn the_example_makes_and_proves_an_identity() {
    let mut setup = Setup::with_pipelines();
    let pipeline = "pipelines/setup-identity.yaml";
    let (exit, events) = setup.events(&["run", pipeline, "--sandbox"]);
    assert_eq!(exit, 0, "{events:#?}");
    let (exit, events) = setup.events(&["run", pipeline, "--sandbox", "-i", "apply=true"]);
    assert_eq!(exit, 0, "{events:#?}");
    let verified = find(&events, "step-finished", |data| {
        data["outputs"]["form"].is_string()
    });
    let principal = &verified.expect("it was proven")["outputs"]["principal"];
    assert_eq!(principal, "ci-builder@demo.iam.gserviceaccount.com");
}

#[test]
fn every_format_is_printed_without_a_write() {
    let mut setup = Setup::new();
    for (format, part) in [
        ("format=terraform", "google_storage_bucket_iam_member"),
        ("format=configConnector", "IAMPolicyMember"),
    ] {
        let printed = outputs(&mut setup, "--sandbox", &[ACCOUNT, format]);
        assert!(printed["lines"].to_string().contains(part), "{printed:#}");
        assert_eq!(printed["applied"], false);
        assert_eq!(kinds(&printed).len(), 6);
    }
}

#[test]
fn under_fifty_editors_of_the_same_policy_no_binding_is_lost() {
    let mut setup = Setup::new();
    outputs(&mut setup, "--sandbox", &[ACCOUNT]);
    let editors = Editors::of(&exports(&mut setup, "healthy"), "demo-contexts");
    editors.bind("roles/storage.objectViewer", "user:kept@example.com", true);
    let inputs = [NEW, &[ACCOUNT, APPLY]].concat();
    let all = [
        &arguments("wi-setup", "--sandbox", &inputs)[..],
        &["--output", "json"],
    ]
    .concat();
    let child = setup.start(&all);
    let written = editors.edit_at_once(50, child);
    assert!(written.status.success(), "{written:?}");
    let policy = editors.policy();
    let members = |conditioned: bool| -> Vec<&str> {
        let bindings = policy["bindings"].as_array().unwrap().iter();
        let chosen = bindings.filter(|binding| {
            binding["role"] == "roles/storage.objectViewer"
                && binding["condition"].is_object() == conditioned
        });
        let lists = chosen.flat_map(|binding| binding["members"].as_array().unwrap());
        lists.filter_map(Value::as_str).collect()
    };
    let plain = members(false);
    for number in 0..50 {
        let member = format!("user:editor-{number}@example.com");
        assert!(plain.contains(&&*member), "{member} is lost: {policy:#}");
    }
    let conditioned = members(true);
    for member in [
        "user:kept@example.com",
        "serviceAccount:app-ci@demo.iam.gserviceaccount.com",
    ] {
        assert!(conditioned.contains(&member), "{member}: {policy:#}");
    }
    assert_eq!(policy["version"], 3);
}

#[test]
fn a_full_policy_is_named_with_google_s_sentence() {
    let mut setup = Setup::new();
    outputs(&mut setup, "--sandbox", &[ACCOUNT]);
    let editors = Editors::of(&exports(&mut setup, "healthy"), "demo-contexts");
    editors.fill();
    let (_, events) = run(&mut setup, "--sandbox", &[ACCOUNT, APPLY]);
    let failure = failure(&events);
    assert_eq!(failure["code"], "identity.policy-full", "{failure:#}");
    let message = failure["message"].as_str().unwrap();
    assert!(message.contains("larger than the maximum allowed size"));
}

#[test]
fn inputs_that_can_t_be_meant_start_nothing() {
    let mut setup = Setup::new();
    for (input, code) in [
        ("cluster=prod", "identity.cluster-name"),
        ("googleServiceAccount=app", "identity.account-name"),
        (
            r#"targets=[{"bucket":"demo-contexts","role":"owner"}]"#,
            "identity.target",
        ),
        (r"format=gcloud", "identity.setup-input"),
    ] {
        let inputs = [NEW, &[input, APPLY]].concat();
        let output = setup.run(&arguments("wi-setup", "--sandbox", &inputs));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{input}: {said}");
        assert!(said.contains(code), "{input}: {said}");
    }
    let (_, events) = run(&mut setup, "--sandbox", &["namespace=absent"]);
    assert_eq!(failure(&events)["code"], "identity.namespace-missing");
    let (_, events) = run(&mut setup, "--sandbox", &["bucket=no-such-bucket"]);
    assert_eq!(failure(&events)["code"], "identity.target-missing");
    let (_, events) = run(&mut setup, "--sandbox=no-workload-pool", &[]);
    assert_eq!(failure(&events)["code"], "identity.no-workload-pool");
}

#[test]
fn removal_takes_back_what_it_made_and_keeps_the_google_account() {
    let mut setup = Setup::new();
    outputs(&mut setup, "--sandbox", &[ACCOUNT, APPLY]);
    let made = [
        "annotation",
        "binding",
        "binding",
        "binding",
        "kubernetesAccount",
    ];
    let remove = "remove=true";
    for _ in 0..2 {
        let shown = outputs(&mut setup, "--sandbox", &[ACCOUNT, remove]);
        assert_eq!(kinds(&shown), made, "without `apply`, it is only shown");
    }
    let (exit, events) = run(&mut setup, "--sandbox", &[ACCOUNT, remove, APPLY]);
    assert_eq!(exit, 0, "{events:#?}");
    let kept = |data: &Value| {
        let message = data["message"].as_str().unwrap_or_default();
        message.contains("wi-setup made app-ci@demo.iam.gserviceaccount.com and does not delete it")
    };
    assert!(find(&events, "log", kept).is_some(), "{events:#?}");
    let after = outputs(&mut setup, "--sandbox", &[ACCOUNT]);
    let missing = [
        "kubernetesAccount",
        "binding",
        "binding",
        "binding",
        "annotation",
    ];
    assert_eq!(kinds(&after), missing);
    let again = outputs(&mut setup, "--sandbox", &[ACCOUNT, remove, APPLY]);
    assert_eq!(again["changes"], json!([]), "nothing records the rest");
}

#[test]
fn removal_leaves_what_others_made() {
    let mut setup = Setup::new();
    let inputs = [
        "cluster=projects/demo/locations/europe-west1/clusters/ci",
        "namespace=builds",
        "serviceAccount=kaniko",
        "googleServiceAccount=builder@demo.iam.gserviceaccount.com",
        "bucket=demo-contexts",
        "remove=true",
        APPLY,
    ];
    let (exit, events) = setup.events(&arguments("wi-setup", "--sandbox", &inputs));
    assert_eq!(exit, 0, "{events:#?}");
    let outputs = &find(&events, "step-finished", |_| true).unwrap()["outputs"];
    assert_eq!(outputs["changes"], json!([]));
    assert!(outputs["present"].as_array().unwrap().len() >= 4);
    let (_, events) = setup.events(&arguments("wi-setup", "--sandbox", &inputs[..5]));
    let outputs = &find(&events, "step-finished", |_| true).unwrap()["outputs"];
    assert_eq!(outputs["changes"], json!([]), "all of it is still there");
}
