//! Broken links of the identity of a build on a real node: the build fails with kaniko's own message,
//! `wi-verify` names the link, the printed commands repair it in the real gcloud and kubectl, and the
//! next build succeeds.

mod table;

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use sidestep_cluster_testing::Cluster;
use sidestep_sandbox::scenarios;

use crate::beside::{BUILDER, Beside, Machine, account, node};
use crate::killed::Running;
use crate::printed::commands;
use crate::setup::{failure, program};
use crate::soak::{is_soak, row};
use table::{Broken, NOT_ON_A_NODE, TABLE};

/// More links than any row breaks.
const MOST_LINKS: usize = 4;

const PIPELINE: &str = "version: 1
name: build
defaults: { cluster: projects/demo/locations/europe-west1/clusters/ci }
steps:
  context:
    uses: sidestep/context-upload
    with: { path: app, bucket: demo-contexts }
  build:
    uses: sidestep/kaniko-launch
    with:
      context: \"${{ steps.context.outputs.uri }}\"
      path: app
      executor: \"$EXECUTOR\"
      destinations: [europe-docker.pkg.dev/demo/images/hello:1]
      namespace: builds
      serviceAccount: $ACCOUNT
";

/// A row on the node, with its sandbox.
struct Try {
    row: &'static Broken,
    sandbox: Beside,
    /// Breaks the network of the node's pods, until it is dropped.
    silence: Option<Silence>,
}

impl Try {
    fn start(cluster: &'static Cluster, builder: &str, row: &'static Broken) -> Self {
        for (name, google) in [("kaniko", Some(BUILDER)), ("kaniko-direct", None)] {
            let delete = ["delete", "serviceaccount", name, "--namespace=builds"];
            let _ = cluster.kubectl(&delete);
            account(cluster, "builds", name, google);
        }
        let scenario = row.google.unwrap_or(row.scenario);
        let sandbox = Beside::of_scenario(cluster, Machine::Node, scenario, "builds").unwrap();
        for line in row.in_the_cluster {
            sandbox.in_a_shell(line);
        }
        let app = sandbox.folder().join("app");
        std::fs::create_dir_all(&app).unwrap();
        std::fs::write(app.join("Dockerfile"), "FROM scratch\nCOPY hello.txt /\n").unwrap();
        std::fs::write(app.join("hello.txt"), "hello\n").unwrap();
        let pipeline = PIPELINE
            .replace("$EXECUTOR", builder)
            .replace("$ACCOUNT", row.account());
        std::fs::write(sandbox.folder().join("build.yaml"), pipeline).unwrap();
        Self {
            row,
            sandbox,
            silence: row.silent.then(|| Silence::begin(cluster)),
        }
    }

    /// Runs a command of the runner against the sandbox. Returns its exit code and events.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, Vec<Value>) {
        let scenario = self.row.google.unwrap_or(self.row.scenario);
        let sandbox = format!("--sandbox={scenario}@sidestep");
        let mut command = self.sandbox.command(arguments);
        command.args([&sandbox, "--output", "json"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let (exit, events, said) = Running::of(child.spawn().unwrap()).end();
        assert!(!events.is_empty(), "{}: {said}", self.row.scenario);
        (exit, events)
    }

    fn build(&self) -> (Option<i32>, Vec<Value>) {
        self.run(&["run", "build.yaml"])
    }

    fn verify(&self) -> (Option<i32>, Vec<Value>) {
        let account = format!("serviceAccount={}", self.row.account());
        let form = format!("form={}", self.row.form());
        let inputs = [
            "cluster=projects/demo/locations/europe-west1/clusters/ci",
            "namespace=builds",
            r#"targets=[{"bucket":"demo-contexts"},{"image":"europe-docker.pkg.dev/demo/images/hello"}]"#,
            "wait=1s",
            &account,
            &form,
        ];
        let inputs = inputs.iter().flat_map(|input| ["-i", input]);
        let all: Vec<&str> = ["exec", "wi-verify"].into_iter().chain(inputs).collect();
        self.run(&all)
    }

    /// Runs the printed commands until no link is broken. Returns the links that were.
    fn repair(&self) -> Vec<(u64, String)> {
        let mut found = Vec::new();
        for _ in 0..MOST_LINKS {
            let (exit, events) = self.verify();
            if exit == Some(0) {
                break;
            }
            let failure = failure(&events);
            let link = failure["details"]["link"].as_u64().unwrap_or_default();
            found.push((link, failure["code"].as_str().unwrap().to_owned()));
            let printed = commands(&failure["help"]);
            assert!(!printed.is_empty(), "{}: {failure:#}", self.row.scenario);
            for command in printed {
                self.sandbox.in_a_shell(&command);
            }
        }
        found
    }
}

/// Packets of the metadata server that do not come back to pods, as where a network policy keeps them
/// from it: the network of the tests' node enforces no policies.
struct Silence(&'static Cluster);

impl Silence {
    fn begin(cluster: &'static Cluster) -> Self {
        Self::rule(cluster, "add");
        Self(cluster)
    }

    fn rule(cluster: &Cluster, verb: &str) {
        let mut ip: Command = cluster.on_the_node("ip").unwrap();
        ip.args(["rule", verb, "from", "169.254.169.254"]).args([
            "ipproto",
            "tcp",
            "sport",
            "80",
            "priority",
            "0",
            "blackhole",
        ]);
        let output = ip.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        Self::rule(self.0, "del");
    }
}

/// Breaks a build by a row, and repairs it. Returns what differs from the row.
fn differences(cluster: &'static Cluster, builder: &str, broken: &'static Broken) -> Vec<String> {
    let mut found = Vec::new();
    let mut tried = Try::start(cluster, builder, broken);
    let (exit, events) = tried.build();
    let log: Vec<&str> = events
        .iter()
        .filter(|event| event["type"] == "log")
        .filter_map(|event| event["data"]["message"].as_str())
        .collect();
    if exit == Some(0) {
        found.push("the broken build succeeded".to_owned());
    } else {
        let failure = failure(&events);
        if failure["code"] != broken.code {
            found.push(format!("the build's code is {failure:#}"));
        }
        let said = log.iter().any(|line| line.contains(broken.says))
            || failure.to_string().contains(broken.says);
        if !said {
            found.push(format!("the message is not in {log:#?}{failure:#}"));
        }
    }
    let links = tried.repair();
    let links: Vec<(u64, &str)> = links.iter().map(|(link, code)| (*link, &**code)).collect();
    if links != broken.links {
        found.push(format!("the links are {links:?}"));
    }
    // The policy that lets pods reach the metadata server is not enforced either.
    drop(tried.silence.take());
    let (exit, events) = tried.build();
    if exit != Some(0) {
        found.push(format!("after the repair: {:#}", failure(&events)));
    }
    found
}

#[test]
fn a_broken_link_is_named_and_repaired_as_printed() {
    let (Some(_), Some(_)) = (program("gcloud"), program("kubectl")) else {
        return;
    };
    let Some((cluster, _alone)) = node() else {
        return;
    };
    let Some(images) = cluster.images(Path::new(env!("CARGO_BIN_EXE_sidestep"))) else {
        return;
    };
    let only = std::env::var("SIDESTEP_SCENARIO").ok();
    let rows: Vec<&Broken> = TABLE
        .iter()
        .filter(|row| match &only {
            Some(only) => row.scenario == only,
            None => is_soak() || row.always,
        })
        .collect();
    let mut wrong = Vec::new();
    for broken in &rows {
        let began = std::time::Instant::now();
        let found = differences(cluster, &images.builder, broken);
        let seconds = began.elapsed().as_secs_f32();
        println!("{}: {seconds:.1} s {}", broken.scenario, found.join("\n"));
        wrong.extend(
            found
                .iter()
                .map(|what| format!("{}: {what}", broken.scenario)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    row(
        format!("{} broken links of builds on the node", rows.len()),
        "each named by `wi-verify`, repaired by the printed commands, and built",
    );
}

#[test]
fn every_scenario_has_a_row_or_a_reason() {
    for scenario in scenarios() {
        // Those of a job break the runner's own sign-in, which no pod takes part in.
        if scenario.job.is_some() || scenario.name == "healthy" {
            continue;
        }
        let has_row = TABLE.iter().any(|row| row.scenario == scenario.name);
        let why = NOT_ON_A_NODE
            .iter()
            .find(|(_, names)| names.contains(&scenario.name.as_str()));
        match why {
            Some((why, _)) if is_soak() => println!("not run: {}: {why}", scenario.name),
            Some(_) => assert!(!has_row, "{} has both", scenario.name),
            None => assert!(has_row, "{} has neither", scenario.name),
        }
    }
}
