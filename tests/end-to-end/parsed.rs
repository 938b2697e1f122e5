//! Parses every command that a sandbox scenario prints with its own program: no usage errors, and
//! no placeholders.

use std::io::Write as _;
use std::process::{Command as Process, Stdio};

use serde_json::{Value, json};
use sidestep_events::{Command, Help, Piece};

use crate::setup::{BUILD_ALONE, Setup, program};

/// Longer than any scenario needs: some leave a build waiting or hanging until its step times out.
const TIMEOUT: &str = "8s";

/// Members that no printed command may contain: sets of people or workloads.
const SETS: [&str; 5] = [
    "allUsers",
    "allAuthenticatedUsers",
    "principalSet:",
    "domain:",
    "group:",
];

/// The roles that a repair may grant. None of them exceeds the needs of its step.
const ROLES: [&str; 7] = [
    "roles/storage.objectViewer",
    "roles/storage.objectCreator",
    "roles/artifactregistry.reader",
    "roles/artifactregistry.writer",
    "roles/secretmanager.secretAccessor",
    "roles/iam.workloadIdentityUser",
    "roles/container.clusterViewer",
];

/// Returns why a command widens access beyond the pipeline's needs, given that the pipeline knows
/// the prefix of every object. Returns `None` if it does not.
fn widens(words: &[String]) -> Option<&'static str> {
    let any = |found: &dyn Fn(&str) -> bool| words.iter().any(|word| found(word));
    if any(&|word| SETS.iter().any(|set| gains(word).contains(set))) {
        return Some("a set of members");
    }
    if !any(&|word| word == "add-iam-policy-binding") {
        return None;
    }
    let after = |flag: &str| {
        let mut rest = words.iter().skip_while(|word| *word != flag);
        rest.nth(1).map_or("", String::as_str)
    };
    if !ROLES.contains(&after("--role")) {
        return Some("a role that has more");
    }
    let on_bucket = any(&|word| word == "buckets");
    let on_prefix = any(&|word| {
        let condition = "--condition=expression=resource.name.startsWith(\"projects/_/buckets/";
        word.starts_with(condition) && word.contains("/objects/contexts/\")")
    });
    (on_bucket && !on_prefix).then_some("a whole bucket")
}

/// Returns the part of a word that may give access: of a deny policy, its exceptions alone.
fn gains(word: &str) -> String {
    let policy: Value = serde_json::from_str(word).unwrap_or_default();
    match policy["rules"].as_array() {
        Some(rules) => {
            let exceptions = rules
                .iter()
                .map(|rule| &rule["denyRule"]["exceptionPrincipals"]);
            exceptions.map(Value::to_string).collect()
        }
        None => word.to_owned(),
    }
}

/// Makes gcloud parse its arguments and do nothing else.
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

/// Returns the programs of a command with their arguments, outputs and inputs included.
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
    // The program that xargs runs follows its option.
    if line.first().is_some_and(|program| program == "xargs") {
        line.drain(..3);
    }
    programs.push(line);
    programs
}

/// Collects every `help` within a value.
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

/// Returns the names of all sandbox scenarios.
fn scenarios() -> Vec<String> {
    let output = Setup::new().run(&["sandbox", "scenarios", "--output", "json"]);
    let listed: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let name = |scenario: &Value| scenario["name"].as_str().unwrap().to_owned();
    let names: Vec<String> = listed.iter().map(name).collect();
    assert!(names.len() > 40, "{names:?}");
    names
}

/// Returns the pipeline with a timeout for each of its steps.
fn in_time(pipeline: &str) -> String {
    let cut = pipeline.replacen(
        "defaults: { ",
        &format!("defaults: {{ timeout: {TIMEOUT}, "),
        1,
    );
    assert_ne!(cut, pipeline);
    cut
}

/// Returns the project's own pipeline, which verifies the identity before it builds.
fn verified() -> String {
    let pipeline = include_str!("../../runner/sidestep/src/commands/quickstart.yaml");
    let cut = pipeline.replacen("timeout: 20m", &format!("timeout: {TIMEOUT}"), 1);
    assert_ne!(cut, pipeline);
    cut
}

/// Returns the help that runs of the pipeline print in every scenario, and for a caller without any
/// permission, which is shown the commands for itself.
fn printed_by_all(pipeline: &str) -> Vec<Help> {
    let scenarios = scenarios().into_iter();
    let mut printed: Vec<Help> = scenarios
        .flat_map(|scenario| printed_by(pipeline, &[&format!("--sandbox={scenario}")]))
        .collect();
    printed.extend(printed_by(pipeline, &["--sandbox", "--as", "nobody"]));
    printed
}

/// Returns the help that a run of the pipeline prints.
fn printed_by(pipeline: &str, arguments: &[&str]) -> Vec<Help> {
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", pipeline);
    let (_, events) = setup.events(&[&["run"], arguments].concat());
    let mut found = Vec::new();
    helps(&json!(events), &mut found);
    found
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

/// `missing` is what kubectl may say of a file that the reader of a page makes.
fn read_by_kubectl(command: &[String], missing: Option<&str>) {
    let output = Process::new("kubectl")
        .args(&command[1..])
        // No server listens there: a command that parses gets a refused connection.
        .args(["--server", "http://127.0.0.1:1"])
        .env("KUBECONFIG", "/dev/null")
        // Some commands read a Dockerfile.
        .current_dir(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../pipelines/hello"
        ))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("refused")
            || said.contains("no objects passed to apply")
            || missing.is_some_and(|text| said.contains(text)),
        "{command:?}: {said}"
    );
}

#[test]
fn every_command_that_a_scenario_prints_is_one_that_its_program_takes() {
    let (Some(_), Some(_)) = (program("gcloud"), program("kubectl")) else {
        return;
    };
    // Once verified first, and once as a build alone, so that the upload and the builder print
    // their own commands. Side by side, because most of the time is spent waiting.
    let printed: Vec<Help> = std::thread::scope(|scope| {
        let pipelines = [verified(), in_time(BUILD_ALONE)];
        let threads = pipelines.map(|pipeline| scope.spawn(move || printed_by_all(&pipeline)));
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
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
        }
        assert_eq!(widens(words), None, "{words:?}");
    }
    // For the build, which reads the context, and for the caller, which uploads it.
    for role in ["roles/storage.objectViewer", "roles/storage.objectCreator"] {
        let granted = commands
            .iter()
            .any(|words| words.iter().any(|it| it == role));
        assert!(granted, "{role}: {commands:#?}");
    }
    let (gcloud, kubectl) = (of("gcloud"), of("kubectl"));
    assert!(gcloud.len() >= 10 && kubectl.len() >= 2, "{commands:#?}");
    read_by_gcloud(&gcloud);
    for command in kubectl {
        read_by_kubectl(command, None);
    }
}

#[test]
fn a_command_that_widens_access_is_seen() {
    let words = |line: &str| -> Vec<String> { line.split(' ').map(str::to_owned).collect() };
    let bucket = "gcloud storage buckets add-iam-policy-binding gs://demo-contexts --member user:a@b.c --role roles/storage.objectViewer";
    for (line, why) in [
        (format!("{bucket} --condition=None"), "a whole bucket"),
        (bucket.replace("user:a@b.c", "allUsers"), "a set of members"),
        (
            bucket.replace("objectViewer", "admin"),
            "a role that has more",
        ),
    ] {
        assert_eq!(widens(&words(&line)), Some(why), "{line}");
    }
    let policy = |exception: &str| {
        let rule =
            json!({ "deniedPrincipals": ["principalSet:a"], "exceptionPrincipals": [exception] });
        [
            "printf",
            "%s",
            &json!({ "rules": [{ "denyRule": rule }] }).to_string(),
        ]
        .map(str::to_owned)
    };
    assert_eq!(widens(&policy("principal:a")), None);
    assert_eq!(widens(&policy("principalSet:a")), Some("a set of members"));
}

/// Returns the commands of a program in the code blocks of a page. Text after two spaces explains
/// the command.
fn of_page(text: &str, program: &str) -> Vec<Vec<String>> {
    let mut lines = text.split("\\\n");
    let mut joined = lines.next().unwrap_or_default().trim_end().to_owned();
    for line in lines {
        joined = format!("{} {}", joined.trim_end(), line.trim_start());
    }
    let is_drawn = |c: char| c.is_whitespace() || c == '│';
    let blocks = joined.lines().filter(|line| line.starts_with("    "));
    let lines = blocks.map(|line| line.trim_start_matches(is_drawn));
    let commands = lines.filter(|line| line.starts_with(program) && !line.contains('…'));
    let words = |line: &str| {
        let line = line.split("  ").next().unwrap_or(line);
        let words = shlex::split(line).unwrap_or_else(|| panic!("not a shell's words: {line}"));
        // Another command follows.
        let is_next = |word: &String| matches!(word.as_str(), "|" | "||" | "&&");
        let words = words.into_iter().take_while(|word| !is_next(word));
        // A reader replaces each placeholder with a name, and gcloud checks the format of projects.
        let named = words.map(|word| {
            if word.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
                format!("named-{}", word.to_lowercase())
            } else {
                word
            }
        });
        named.collect()
    };
    commands.map(words).collect()
}

#[test]
fn every_command_of_gcloud_and_kubectl_in_the_docs_is_one_that_its_program_takes() {
    let (Some(_), Some(_)) = (program("gcloud"), program("kubectl")) else {
        return;
    };
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut pages = vec![format!("{root}/README.md")];
    let docs = std::fs::read_dir(format!("{root}/docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path().display().to_string());
    pages.extend(docs.filter(|path| path.ends_with(".md")));
    let (mut gcloud, mut kubectl) = (Vec::new(), Vec::new());
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        gcloud.extend(of_page(&text, "gcloud "));
        kubectl.extend(of_page(&text, "kubectl "));
    }
    assert!(
        gcloud.len() >= 5 && kubectl.len() >= 2,
        "{gcloud:?} {kubectl:?}"
    );
    for words in gcloud
        .iter()
        .filter(|words| words.contains(&"buckets".to_owned()))
    {
        assert_eq!(widens(words), None, "{words:?}");
    }
    read_by_gcloud(&gcloud.iter().collect::<Vec<_>>());
    for command in kubectl {
        read_by_kubectl(&command, Some("\" does not exist"));
    }
}
