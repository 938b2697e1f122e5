//! Every way in which a CI job cannot get in: the link that is named, Google's own words, and that
//! the printed commands let the job in, run unchanged with the real gcloud.

use std::process::Command;

use serde_json::{Value, json};
use sidestep_events::Help;

use crate::printed::commands;
use crate::served::Served;
use crate::setup::{Setup, failure, program};

/// A sandbox of a scenario, and the verification of a workload in it.
struct Place {
    served: Served,
    scenario: String,
    ci: String,
}

const VERIFY: [&str; 8] = [
    "exec",
    "wi-verify",
    "-i",
    "cluster=projects/demo/locations/europe-west1/clusters/ci",
    "-i",
    "namespace=builds",
    "-i",
    "serviceAccount=kaniko",
];

impl Place {
    fn new(scenario: &str, ci: &str) -> Self {
        let served = Served::with(Setup::new(), &["sandbox", "--scenario", scenario]);
        Self {
            served,
            scenario: scenario.to_owned(),
            ci: ci.to_owned(),
        }
    }

    fn exports(&mut self, more: &[&str]) -> Vec<(String, String)> {
        let scenario = self.scenario.clone();
        let all = [&["--scenario", &scenario], more].concat();
        self.served.shell(&all).exports
    }

    /// Verifies as the job; `more` are settings that differ from the scenario's.
    fn as_job(&mut self, more: &[(String, String)]) -> (i32, Vec<Value>) {
        let ci = self.ci.clone();
        let mut exports = self.exports(&["--ci", &ci]);
        exports.extend_from_slice(more);
        self.verify(&VERIFY, &exports)
    }

    fn verify(&mut self, line: &[&str], exports: &[(String, String)]) -> (i32, Vec<Value>) {
        let variables: Vec<_> = exports
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        self.served.setup.events_with(line, &variables)
    }

    /// Runs a command as the developer, as it was printed.
    fn gcloud(&mut self, command: &str) {
        let exports = self.exports(&[]);
        let workspace = self.served.setup.workspace();
        let output = Command::new("bash")
            .args(["-c", command])
            .current_dir(&workspace)
            .envs(exports)
            .env("HOME", &workspace)
            .env("CLOUDSDK_CONFIG", workspace.join("gcloud"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}\n{said}");
    }
}

/// Returns the scenarios about jobs.
fn scenarios() -> Vec<Value> {
    let output = Setup::new().run(&["sandbox", "scenarios", "--output", "json"]);
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    all.into_iter()
        .filter(|one| one["job"].is_object())
        .collect()
}

/// Returns the ids of the links in a failure, in order, with their status.
fn links(failure: &Value) -> Vec<(String, String)> {
    let links = failure["details"]["links"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    links
        .iter()
        .map(|link| (text(&link["id"]), text(&link["status"])))
        .collect()
}

/// Panics if the host did not see what a failure claims.
fn is_borne_out(failure: &Value) {
    let help = failure["help"].to_string();
    assert!(!help.contains("counts as"), "{failure:#}");
    assert_eq!(failure["class"], "denied", "{failure:#}");
}

/// The scenario's check: what is named, and what lets the job in.
fn check(scenario: &Value) {
    let job = &scenario["job"];
    let (name, ci) = (
        scenario["name"].as_str().unwrap(),
        job["ci"].as_str().unwrap(),
    );
    let (link, code) = (&job["link"], &job["code"]);
    let mut place = Place::new(name, ci);

    let (exit, events) = place.as_job(&[]);
    let as_job = failure(&events).clone();
    assert_eq!(exit, 4, "{name}: {as_job:#}");
    assert_eq!(
        (&as_job["details"]["linkId"], &as_job["code"]),
        (link, code),
        "{name}: {as_job:#}"
    );
    assert_eq!(as_job["details"]["link"], 0);
    is_borne_out(&as_job);
    let why = as_job["message"].as_str().unwrap();
    assert!(why.contains(job["says"].as_str().unwrap()), "{name}: {why}");
    let broken: Vec<_> = links(&as_job)
        .into_iter()
        .filter(|(_, status)| status == "failed")
        .collect();
    assert_eq!(broken.len(), 1, "{name}: no second broken link: {broken:?}");
    let all = serde_json::to_string(&events).unwrap();
    assert!(!all.contains("eyJ"), "{name}: no token is printed");

    let mut repairs = commands(&as_job["help"]);
    // An administrator who checks the job finds the cause in what the job can't read.
    let advised = repairs
        .iter()
        .position(|command| command.starts_with("sidestep exec wi-verify"));
    let mut settings = Vec::new();
    if let Some(at) = advised {
        let words = shlex::split(&repairs[at]).unwrap();
        let line: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        let exports = place.exports(&[]);
        let (exit, events) = place.verify(&line, &exports);
        if code == "identity.issuer-unreachable" {
            // Only Google knows which issuers it reaches.
            assert_eq!(exit, 0, "{name}: {:#}", failure(&events));
            repairs.remove(at);
        } else {
            let found = failure(&events).clone();
            assert_eq!(exit, 4, "{name}: {found:#}");
            assert_eq!(
                (&found["details"]["linkId"], &found["code"]),
                (link, code),
                "{name}: {found:#}"
            );
            is_borne_out(&found);
            insta::assert_snapshot!(
                format!("job-{name}").replace("job-job-", "job-"),
                told(&found)
            );
            repairs = commands(&found["help"]);
            settings = corrected(&found);
        }
    }
    let printed = repairs
        .iter()
        .filter(|command| command.starts_with("gcloud"));
    for command in printed {
        if command.contains("jwks.json") {
            // As the message says: from the issuer, which the sandbox serves elsewhere.
            let keys = place.served.setup.status_of(name)["live"]["ci"]
                .as_str()
                .unwrap()
                .to_owned();
            place.gcloud(&format!(
                "curl -sS -o jwks.json {keys}/gitlab/.well-known/jwks"
            ));
        }
        place.gcloud(command);
    }
    if !repairable(code.as_str().unwrap(), name) {
        return;
    }
    let (exit, events) = place.as_job(&settings);
    assert_eq!(exit, 0, "{name} after {repairs:?}: {:#?}", events.last());
}

/// Returns whether commands and settings alone let the job in: a workflow's own permission is in
/// its file, and so is the name of a provider that does not exist.
fn repairable(code: &str, name: &str) -> bool {
    code != "identity.no-id-token"
        && !["job-pool-in-place-of-provider", "job-provider-missing"].contains(&name)
}

/// Returns the settings that a failure says to write.
fn corrected(failure: &Value) -> Vec<(String, String)> {
    let help = failure["help"].to_string();
    let right = help.split("so write: ").nth(1);
    let right = right.and_then(|rest| rest.split('"').next());
    let setting = |value: &str| ("SIDESTEP_IDENTITY_PROVIDER".to_owned(), value.to_owned());
    right.map(setting).into_iter().collect()
}

/// Returns a failure as people read it.
fn told(failure: &Value) -> String {
    let help: Vec<Help> = serde_json::from_value(failure["help"].clone()).unwrap();
    let help: Vec<String> = help.iter().map(Help::exact).collect();
    format!(
        "{}\n\n{}",
        failure["message"].as_str().unwrap(),
        help.join("\n")
    )
}

/// Checks the scenarios of a link.
fn check_link(link: &str) {
    let Some(_) = program("gcloud") else { return };
    let of_link: Vec<Value> = scenarios()
        .into_iter()
        .filter(|scenario| scenario["job"]["link"] == link)
        .collect();
    assert!(!of_link.is_empty());
    for scenario in of_link {
        check(&scenario);
    }
}

#[test]
fn link_c1_the_job_has_no_id_token() {
    check_link("C1");
}

#[test]
fn link_c2_the_provider_does_not_take_the_token() {
    check_link("C2");
}

#[test]
fn link_c3_the_mapping_or_the_condition_rejects_the_token() {
    check_link("C3");
}

#[test]
fn link_c4_no_binding_is_for_the_job() {
    check_link("C4");
}

#[test]
fn link_c5_the_cluster_does_not_let_the_account_in() {
    check_link("C5");
}

#[test]
fn link_c6_the_namespace_does_not_let_the_account_work() {
    check_link("C6");
}

#[test]
fn a_job_that_gets_in_has_all_links_and_its_claims_are_printed() {
    for ci in ["github", "gitlab"] {
        let mut place = Place::new("healthy", ci);
        let (exit, events) = place.as_job(&[]);
        assert_eq!(exit, 0, "{:#?}", events.last());
        let outputs = events
            .iter()
            .find(|event| event["type"] == "step-finished")
            .unwrap();
        let outputs = &outputs["data"]["outputs"]["links"];
        let ids: Vec<&str> = outputs
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|link| link["id"].as_str())
            .collect();
        assert_eq!(ids[..8], ["C0", "C1", "C2", "C3", "C4", "C5", "C6", "1"]);
        let all = serde_json::to_string(&events).unwrap();
        let claim = if ci == "github" {
            "repository_id=456789"
        } else {
            "project_id=1234"
        };
        assert!(all.contains(claim), "{ci}");
        assert!(!all.contains("eyJ"), "{ci}: no token is printed");
    }
}

#[test]
fn another_credential_than_a_job_s_has_no_links_of_a_job() {
    let mut setup = Setup::new();
    let mut line = VERIFY.to_vec();
    line.insert(2, "--sandbox");
    let (exit, events) = setup.events(&line);
    assert_eq!(exit, 0);
    let all = serde_json::to_string(&events).unwrap();
    assert!(!all.contains("\"C1\""), "{all}");
}

#[test]
fn every_scenario_of_a_job_has_google_s_answer_and_its_source() {
    let all = scenarios();
    assert!(all.len() >= 25, "{}", all.len());
    for scenario in &all {
        let job = &scenario["job"];
        assert_ne!(job["source"], json!(""), "{scenario}");
        assert!(
            job["says"] != json!("") || job["link"] == "C1",
            "{scenario}"
        );
    }
}
