//! Every command that a sandbox scenario prints, read by the program that it is for: no usage
//! error, and no placeholder.

use std::io::Write as _;
use std::process::{Command as Process, Stdio};

use serde_json::{Value, json};
use sidestep_events::{Command, Help, Piece};

use crate::place::{Place, program};

/// The scenarios that end by themselves at once.
const SCENARIOS: [&str; 21] = [
    "api-disabled",
    "registry-api-disabled",
    "no-workload-pool",
    "metadata-server-off",
    "node-account",
    "service-account-missing",
    "wrong-annotation",
    "annotation-misspelt",
    "no-annotation",
    "account-deleted",
    "account-disabled",
    "account-recreated",
    "no-binding",
    "ksa-ns-swapped",
    "project-number-in-member",
    "wrong-role",
    "bucket-denied",
    "registry-denied",
    "repository-missing",
    "out-of-memory",
    "healthy",
];

/// Lets gcloud read its arguments, and do nothing.
const GCLOUD: &str = r#"
import contextlib, io, json, sys
root = sys.argv[1]
sys.path[:0] = [root + "/lib", root + "/lib/third_party"]
from googlecloudsdk.calliope import backend
backend.Command.Run = lambda self, cli, args: None
from googlecloudsdk import gcloud_main
cli = gcloud_main.CreateCLI([])
failed = []
for words in json.load(sys.stdin):
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            cli.Execute(words[1:])
    except SystemExit as error:
        if error.code:
            failed.append([words, said.getvalue()])
print(json.dumps(failed), file=sys.__stdout__)
"#;

/// The programs with their arguments that make up a command, outputs and inputs included.
fn programs(command: Command) -> Vec<Vec<String>> {
    let (words, mut programs) = command.into_parts();
    let mut line = Vec::new();
    for pieces in words {
        let mut word = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => word.push_str(&text),
                Piece::Output { output } => {
                    programs.extend(output);
                    word.push_str("looked-up");
                }
            }
        }
        line.push(word);
    }
    // The program that xargs runs begins behind its option.
    if line.first().is_some_and(|program| program == "xargs") {
        line.drain(..3);
    }
    programs.push(line);
    programs
}

/// Every `help` within a value.
fn helps(value: &Value, found: &mut Vec<Help>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| helps(one, found)),
        Value::Object(fields) => {
            if let Some(help) = fields.get("help") {
                found.extend(serde_json::from_value::<Vec<Help>>(help.clone()).unwrap_or_default());
            }
            fields.values().for_each(|one| helps(one, found));
        }
        _ => {}
    }
}

fn is_placeholder(word: &str) -> bool {
    word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

fn read_by_gcloud(commands: &[&Vec<String>]) {
    let gcloud = program("gcloud").unwrap().canonicalize().unwrap();
    let root = gcloud.ancestors().nth(2).unwrap();
    let config = tempfile::tempdir().unwrap();
    let mut python = Process::new("python3")
        .args(["-c", GCLOUD])
        .arg(root)
        .envs([
            ("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", "true"),
            ("CLOUDSDK_CORE_DISABLE_PROMPTS", "1"),
            ("CLOUDSDK_CORE_DISABLE_USAGE_REPORTING", "1"),
        ])
        .env("CLOUDSDK_CONFIG", config.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = python.stdin.take().unwrap();
    stdin
        .write_all(json!(commands).to_string().as_bytes())
        .unwrap();
    drop(stdin);
    let output = python.wait_with_output().unwrap();
    let failed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(failed, json!([]));
}

fn read_by_kubectl(command: &[String]) {
    let output = Process::new("kubectl")
        .args(&command[1..])
        // Nobody listens there: what can be read is refused the connection.
        .args(["--server", "http://127.0.0.1:1"])
        .env("KUBECONFIG", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("refused") || said.contains("no objects passed to apply"),
        "{command:?}: {said}"
    );
}

#[test]
fn every_command_that_a_scenario_prints_is_one_that_its_program_takes() {
    let (Some(_), Some(_)) = (program("gcloud"), program("kubectl")) else {
        return;
    };
    let mut printed = Vec::new();
    for scenario in SCENARIOS {
        let mut place = Place::with_application();
        let (_, events) = place.events(&["run", &format!("--sandbox={scenario}")]);
        helps(&json!(events), &mut printed);
    }
    let commands = printed.iter().filter_map(Help::command).cloned();
    let mut commands: Vec<Vec<String>> = commands.flat_map(programs).collect();
    commands.sort();
    commands.dedup();
    let of = |name: &str| -> Vec<&Vec<String>> {
        commands.iter().filter(|words| words[0] == name).collect()
    };
    for words in &commands {
        for word in words {
            assert!(!word.is_empty() && !is_placeholder(word), "{words:?}");
            assert!(!word.contains("allUsers"), "{words:?}");
        }
    }
    let (gcloud, kubectl) = (of("gcloud"), of("kubectl"));
    assert!(gcloud.len() >= 10 && kubectl.len() >= 2, "{commands:#?}");
    read_by_gcloud(&gcloud);
    for command in kubectl {
        read_by_kubectl(command);
    }
}
