//! Every way to break a workload's identity: the message, that no pod is created, and that the real
//! gcloud and kubectl repair it with the printed commands, unchanged.

use std::process::Command;

use crate::clients::exports;
use crate::printed::commands;
use crate::setup::{Setup, failure, find, program};

/// More links than any scenario breaks.
const MOST_BREAKS: usize = 6;

/// A pipeline whose builds hold their roles directly.
const DIRECT: &str = "version: 1
name: direct
defaults: { cluster: projects/demo/locations/europe-west1/clusters/ci }
steps:
  identity:
    uses: sidestep/wi-verify
    with:
      namespace: builds
      serviceAccount: kaniko-direct
      form: direct
      targets: [{ bucket: demo-contexts, prefix: contexts/ }, { image: europe-docker.pkg.dev/demo/images/hello }]
  context:
    uses: sidestep/context-upload
    with: { path: \".\", bucket: demo-contexts }
  build:
    needs: [identity]
    uses: sidestep/kaniko-launch
    with: { context: \"${{ steps.context.outputs.uri }}\", destinations: [\"europe-docker.pkg.dev/demo/images/hello:1\"], namespace: builds, serviceAccount: kaniko-direct }
";

/// Runs until success, and applies the printed advice between the runs. `links` are the links that
/// are found broken, in order.
fn repair(scenario: &str, pipeline: Option<&str>, links: &[(u64, &str)]) {
    let (Some(_), Some(_)) = (program("gcloud"), program("kubectl")) else {
        return;
    };
    let mut setup = Setup::with_application();
    if let Some(pipeline) = pipeline {
        setup.write("sidestep.yaml", pipeline);
    }
    let flag = format!("--sandbox={scenario}");
    let output = setup.run(&["run", &flag, "--color", "never"]);
    let said = String::from_utf8(output.stdout).unwrap();
    insta::with_settings!({ filters => [(r"after [0-9.]+m?s", "after TIME")] }, {
        insta::assert_snapshot!(scenario, of_identity(&said));
    });
    let mut found = Vec::new();
    for _ in 0..MOST_BREAKS {
        let (exit, events) = setup.events(&["run", &flag]);
        if exit == 0 {
            break;
        }
        let failure = failure(&events);
        assert_eq!(exit, 4, "{failure:#}");
        let pod = find(&events, "host-call", |call| call["function"] == "create");
        assert!(pod.is_none(), "{pod:?}");
        found.push((
            failure["details"]["link"].as_u64().unwrap_or_default(),
            failure["code"].as_str().unwrap().to_owned(),
        ));
        let printed = commands(&failure["help"]);
        assert!(!printed.is_empty(), "{failure:#}");
        for command in printed {
            run(&mut setup, scenario, &command);
        }
    }
    let found: Vec<(u64, &str)> = found.iter().map(|(link, code)| (*link, &**code)).collect();
    assert_eq!(found, links);
}

/// Runs a command in a shell, as it was printed.
fn run(setup: &mut Setup, scenario: &str, command: &str) {
    let exports = exports(setup, scenario);
    let output = Command::new("bash")
        .args(["-c", command])
        .envs(exports)
        .env("HOME", setup.workspace())
        .env("CLOUDSDK_CONFIG", setup.workspace().join("gcloud"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}\n{said}");
}

/// Returns the output of the step `identity`. The step beside it prints at the same time.
fn of_identity(said: &str) -> String {
    let mut lines = Vec::new();
    let mut failed = false;
    for line in said.lines().skip_while(|line| !line.starts_with('▸')) {
        let sign = line.chars().next().unwrap_or(' ');
        if !sign.is_whitespace() {
            failed = line.starts_with("✗ identity");
        }
        let of_step = line
            .get(2..)
            .is_some_and(|rest| rest.starts_with("identity"));
        let labels = ["  why ", "  code", "  help", "      ", "     ·", "✗"];
        if failed && labels.iter().any(|label| line.starts_with(label)) || of_step {
            lines.push(line);
        }
    }
    lines.join("\n")
}

macro_rules! scenarios {
    ($($test:ident: $scenario:literal $($pipeline:ident)? => [$($link:tt),+];)+) => {$(
        #[test]
        fn $test() {
            let pipeline: Option<&str> = None$(.or(Some($pipeline)))?;
            repair($scenario, pipeline, &[$($link),+]);
        }
    )+};
}

scenarios! {
    link_2_iamcredentials_is_off: "api-disabled" => [(2, "identity.api-disabled")];
    link_2_artifactregistry_is_off: "registry-api-disabled" => [(2, "identity.api-disabled")];
    link_3_no_workload_pool: "no-workload-pool" => [(3, "identity.no-workload-pool"), (4, "identity.node-account")];
    link_4_metadata_server_is_off: "metadata-server-off" => [(4, "identity.node-account")];
    link_4_node_account: "node-account" => [(4, "identity.node-account")];
    link_5_no_service_account: "service-account-missing" => [(5, "identity.service-account-missing"), (6, "identity.annotation-missing")];
    link_6_no_annotation: "no-annotation" => [(6, "identity.annotation-missing")];
    link_6_wrong_annotation: "wrong-annotation" => [(6, "identity.annotation-wrong")];
    link_6_misspelt_annotation: "annotation-misspelt" => [(6, "identity.annotation-wrong")];
    link_6_leftover_annotation: "leftover-annotation" DIRECT => [(6, "identity.annotation-leftover")];
    link_7_account_deleted: "account-deleted" => [(7, "identity.account-missing")];
    link_7_account_disabled: "account-disabled" => [(7, "identity.account-disabled")];
    link_8_account_recreated: "account-recreated" => [(8, "identity.binding-missing"), (10, "identity.target-denied")];
    link_8_no_binding: "no-binding" => [(8, "identity.binding-missing")];
    link_8_swapped: "ksa-ns-swapped" => [(8, "identity.binding-missing")];
    link_8_number: "project-number-in-member" => [(8, "identity.binding-missing")];
    link_8_wrong_role: "wrong-role" => [(8, "identity.binding-missing")];
    link_8_pool_of_another_project: "pool-of-another-project" => [(8, "identity.binding-missing")];
    link_8_another: "binding-for-another" => [(8, "identity.binding-missing")];
    link_8_project_id: "binding-by-project-id" => [(8, "identity.binding-missing")];
    link_8_swapped_in_project: "swapped-in-project" => [(8, "identity.binding-missing")];
    link_9_deny_policy: "deny-policy-on-tokens" => [(9, "identity.deny-policy")];
    link_10_deny_policy: "deny-policy" => [(10, "identity.deny-policy")];
    link_10_bucket: "bucket-denied" => [(10, "identity.target-denied")];
    link_10_registry: "registry-denied" => [(10, "identity.target-denied")];
    link_10_repository_missing: "repository-missing" => [(10, "identity.target-missing"), (10, "identity.target-denied")];
    link_11_not_uniform: "not-uniform" DIRECT => [(11, "identity.not-uniform")];
}

/// Returns the messages of the step's log.
fn log(events: &[serde_json::Value]) -> Vec<&str> {
    let lines = events.iter().filter(|event| event["type"] == "log");
    lines
        .filter_map(|event| event["data"]["message"].as_str())
        .collect()
}

#[test]
fn what_the_caller_may_not_read_is_left_to_the_proof() {
    let Some(_) = program("gcloud") else { return };
    for (scenario, expected) in [("healthy", 0), ("no-binding", 4)] {
        let mut setup = Setup::with_application();
        let flag = format!("--sandbox={scenario}");
        setup.events(&["run", &flag]);
        // The developer keeps the permissions that a build needs, and none to read IAM.
        let change = |verb: &str, role: &str| {
            format!(
                "gcloud projects {verb}-iam-policy-binding demo --member user:dev@example.com --role {role} --condition=None"
            )
        };
        for role in [
            "roles/container.admin",
            "roles/storage.admin",
            "roles/artifactregistry.reader",
            "roles/serviceusage.serviceUsageViewer",
        ] {
            run(&mut setup, scenario, &change("add", role));
        }
        run(&mut setup, scenario, &change("remove", "roles/owner"));
        let (exit, events) = setup.events(&["run", &flag]);
        assert_eq!(exit, expected, "{scenario}: {:#?}", log(&events));
        for link in [" 7  Google account", " 8  binding"] {
            let told = log(&events).into_iter().find(|line| line.starts_with(link));
            let told = told.expect(link);
            assert!(
                told.contains("not checked: dev@example.com lacks permission to read")
                    || (expected == 4 && told.ends_with("broken")),
                "{told}"
            );
        }
        if expected == 4 {
            let failure = failure(&events);
            // A link that was not read is not reported as missing.
            assert_eq!(failure["code"], "identity.impersonation-denied");
            let why = failure["message"].as_str().unwrap();
            assert!(why.contains("cannot tell"), "{why}");
        }
    }
}

#[test]
fn a_policy_that_was_not_read_gets_no_grant_on_the_bucket() {
    let Some(_) = program("gcloud") else { return };
    let scenario = "bucket-denied";
    let mut setup = Setup::with_application();
    let flag = format!("--sandbox={scenario}");
    setup.events(&["run", &flag]);
    // The developer keeps the permissions that a build needs, but cannot read the bucket's policy.
    let change = |verb: &str, role: &str| {
        format!(
            "gcloud projects {verb}-iam-policy-binding demo --member user:dev@example.com --role {role} --condition=None"
        )
    };
    for role in [
        "roles/container.admin",
        "roles/storage.bucketViewer",
        "roles/storage.objectUser",
        "roles/artifactregistry.reader",
        "roles/serviceusage.serviceUsageViewer",
    ] {
        run(&mut setup, scenario, &change("add", role));
    }
    run(&mut setup, scenario, &change("remove", "roles/owner"));
    let (_, events) = setup.events(&["run", &flag]);
    let told = log(&events);
    let unread = told
        .iter()
        .find(|line| line.starts_with("10  permissions") && line.contains("could not be read"));
    assert!(unread.is_some(), "{told:#?}");
    // The build then fails at the bucket, and its printed grant is limited to the prefix.
    let printed = commands(&failure(&events)["help"]);
    let grants = printed.iter().filter(|line| line.contains("gs://"));
    for grant in grants {
        assert!(grant.contains("/objects/contexts/"), "{grant}");
    }
}

#[test]
fn a_role_on_the_contexts_alone_is_enough() {
    let Some(_) = program("gcloud") else { return };
    let mut setup = Setup::with_application();
    setup.events(&["run", "--sandbox"]);
    let change = |verb: &str, condition: &str| {
        format!(
            "gcloud storage buckets {verb}-iam-policy-binding gs://demo-contexts --member serviceAccount:builder@demo.iam.gserviceaccount.com --role roles/storage.objectViewer --condition={condition}"
        )
    };
    let only = "'expression=resource.name.startsWith(\"projects/_/buckets/demo-contexts/objects/contexts/\"),title=contexts'";
    run(&mut setup, "healthy", &change("add", only));
    run(&mut setup, "healthy", &change("remove", "None"));
    let (exit, events) = setup.events(&["run", "--sandbox"]);
    assert_eq!(exit, 0, "{:#?}", log(&events));
    let told = log(&events);
    let holds = |line: &&&str| line.ends_with("gs://demo-contexts/contexts/*: objects.get");
    assert!(told.iter().any(|line| holds(&line)), "{told:#?}");
}

/// Returns the workload's links of the scenarios: name, number and code.
fn of_workloads() -> Vec<(String, u64, String)> {
    let mut setup = Setup::new();
    let output = setup.run(&["sandbox", "scenarios", "--output", "json"]);
    let all: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let broken = all
        .iter()
        .filter(|scenario| scenario["workload"].is_object());
    broken
        .map(|scenario| {
            let workload = &scenario["workload"];
            (
                scenario["name"].as_str().unwrap().to_owned(),
                workload["link"].as_u64().unwrap(),
                workload["code"].as_str().unwrap_or_default().to_owned(),
            )
        })
        .collect()
}

#[test]
fn each_scenario_of_a_workload_is_found_at_its_link() {
    let all = of_workloads();
    assert!(all.len() > 30, "{all:?}");
    for (scenario, link, code) in all {
        // Only a pod shows these.
        if code.is_empty() {
            continue;
        }
        let direct = ["leftover-annotation", "not-uniform"].contains(&&*scenario);
        let account = if direct {
            "serviceAccount=kaniko-direct"
        } else {
            "serviceAccount=kaniko"
        };
        let mut more = vec![
            "-i",
            account,
            "-i",
            "bucket=demo-contexts",
            "-i",
            "image=europe-docker.pkg.dev/demo/images/hello",
            "-i",
            "wait=1s",
        ];
        if direct {
            more.extend(["-i", "form=direct"]);
        }
        let (exit, failure) = verify(&scenario, &more);
        assert_eq!(exit, 4, "{scenario}: {failure:#}");
        let found = (&failure["details"]["link"], &failure["code"]);
        assert_eq!(
            found,
            (&link.into(), &code.into()),
            "{scenario}: {failure:#}"
        );
    }
}

#[test]
fn a_deny_policy_that_may_not_be_read_is_the_likely_cause() {
    let (_, failure) = verify("deny-policy-unread", &["-i", "wait=1s"]);
    let why = failure["message"].as_str().unwrap();
    for part in [
        "the likely cause is a deny policy or a principal access boundary",
        "iam.denypolicies.list",
        "Permission 'iam.serviceAccounts.getAccessToken' denied",
    ] {
        assert!(why.contains(part), "{part}: {why}");
    }
}

#[test]
fn a_condition_that_only_google_can_decide_is_shown_with_its_reason() {
    let (_, failure) = verify("binding-undecided", &["-i", "wait=1s"]);
    let why = failure["message"].as_str().unwrap();
    for part in [
        "cannot tell whether it holds",
        "request.auth.access_levels",
        "there is no `auth`",
    ] {
        assert!(why.contains(part), "{part}: {why}");
    }
    let binding = failure["details"]["links"]
        .as_array()
        .unwrap()
        .iter()
        .find(|link| link["link"] == 8)
        .unwrap();
    assert_eq!(binding["status"], "skipped", "{failure:#}");
}

/// Verifies the healthy workload of a scenario.
fn verify(scenario: &str, more: &[&str]) -> (i32, serde_json::Value) {
    let mut setup = Setup::new();
    let flag = format!("--sandbox={scenario}");
    let mut arguments = vec![
        "exec",
        "wi-verify",
        &flag,
        "-i",
        "cluster=projects/demo/locations/europe-west1/clusters/ci",
        "-i",
        "namespace=builds",
    ];
    if !more
        .iter()
        .any(|input| input.starts_with("serviceAccount="))
    {
        arguments.extend(["-i", "serviceAccount=kaniko"]);
    }
    arguments.extend(more);
    let (exit, events) = setup.events(&arguments);
    (exit, failure(&events).clone())
}

#[test]
fn a_rejected_caller_is_the_caller_s_link_with_google_s_sentence() {
    let (exit, failure) = verify("caller-rejected", &[]);
    assert_eq!(exit, 4, "{failure:#}");
    assert_eq!(failure["details"]["link"], 0, "{failure:#}");
    assert_eq!(failure["owner"], "operator");
    let why = failure["message"].as_str().unwrap();
    let said = "The given credential is rejected by the attribute condition.";
    assert!(why.contains(said), "{why}");
    assert_eq!(
        commands(&failure["help"]),
        [""; 0],
        "no role helps, and nobody signs in for a provider: {failure:#}"
    );
    assert!(
        failure["help"].to_string().contains("`audience`"),
        "it says who decides: {failure:#}"
    );
}

#[test]
fn a_perimeter_is_no_missing_role() {
    let image = ["-i", "image=europe-docker.pkg.dev/demo/images/hello"];
    let (exit, failure) = verify("perimeter", &image);
    assert_eq!(exit, 4, "{failure:#}");
    assert_eq!(failure["code"], "identity.perimeter-denied");
    assert_eq!(failure["details"]["link"], 10);
    let why = failure["message"].as_str().unwrap();
    let id = "vpcServiceControlsUniqueIdentifier: kR2pXv7dQ0mZ4cNw";
    assert!(why.ends_with(id), "{why}");
    assert_eq!(commands(&failure["help"]), [""; 0], "no role helps");
}

#[test]
fn an_exchange_that_knows_no_pool_shows_the_cluster_s() {
    let (exit, failure) = verify("exchange-unknown", &["-i", "wait=1s"]);
    assert_eq!(exit, 4, "{failure:#}");
    assert_eq!(failure["code"], "identity.pool-missing");
    assert_eq!(failure["details"]["link"], 9);
    assert_eq!(
        commands(&failure["help"]),
        [
            "gcloud container clusters describe ci --location europe-west1 --project demo '--format=value(workloadIdentityConfig.workloadPool)'"
        ]
    );
}

#[test]
fn a_repository_that_the_first_push_creates_is_not_missing() {
    let mut setup = Setup::with_application();
    let run = [
        "run",
        "--sandbox=created-on-push",
        "-i",
        "image=gcr.io/demo/hello",
    ];
    let (exit, events) = setup.events(&run);
    assert_eq!(exit, 0, "{:#?}", log(&events));
    let told = log(&events);
    let holds = |line: &&&str| line.ends_with("the first push creates it");
    assert!(told.iter().any(|line| holds(&line)), "{told:#?}");
}

#[test]
fn the_cluster_s_pool_counts_across_projects() {
    let mut setup = Setup::new();
    let targets = r#"targets=[{"bucket":"shared-contexts"},{"image":"europe-docker.pkg.dev/shared/images/x"}]"#;
    let arguments = [
        "exec",
        "wi-verify",
        "--sandbox",
        "-i",
        "cluster=projects/demo/locations/europe-west1/clusters/ci",
        "-i",
        "namespace=builds",
        "-i",
        "serviceAccount=kaniko-shared",
        "-i",
        targets,
    ];
    let (exit, events) = setup.events(&arguments);
    assert_eq!(exit, 0, "{events:#?}");
    let outputs = &find(&events, "step-finished", |_| true).unwrap()["outputs"];
    assert_eq!(
        outputs["principal"],
        "builder@shared.iam.gserviceaccount.com"
    );
    assert_eq!(outputs["pool"], "demo.svc.id.goog");
    assert_eq!(outputs["form"], "impersonation");
    let links: Vec<u64> = outputs["links"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|found| found["link"].as_u64())
        .collect();
    let every: Vec<u64> = (1..=16).collect();
    assert!(every.iter().all(|link| links.contains(link)), "{links:?}");
}

#[test]
fn the_direct_form_is_found_by_itself() {
    let mut setup = Setup::new();
    let arguments = [
        "exec",
        "wi-verify",
        "--sandbox",
        "-i",
        "cluster=projects/demo/locations/europe-west1/clusters/ci",
        "-i",
        "namespace=builds",
        "-i",
        "serviceAccount=kaniko-direct",
        "-i",
        "bucket=demo-contexts",
    ];
    let (exit, events) = setup.events(&arguments);
    assert_eq!(exit, 0, "{events:#?}");
    let outputs = &find(&events, "step-finished", |_| true).unwrap()["outputs"];
    assert_eq!(outputs["form"], "direct");
    assert_eq!(
        outputs["principal"],
        "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/demo.svc.id.goog/subject/ns/builds/sa/kaniko-direct"
    );
}
