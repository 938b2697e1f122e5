//! Builds and the runner against a registry of another make: Docker's, with a password file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sidestep_test_harness::registry::{DockerRegistry, PASSWORD, USER};

use crate::clients::{client, exports, said};
use crate::setup::{Setup, failure, find, program};

const PIPELINE: &str = "pipelines/other-registry.yaml";

/// A workspace, its sandbox, and a registry.
struct World {
    setup: Setup,
    exports: Vec<(String, String)>,
    registry: DockerRegistry,
}

impl World {
    fn new(scenario: &str) -> Option<Self> {
        let _ = program("kubectl")?;
        let registry = DockerRegistry::start()?;
        let mut setup = Setup::with_pipelines();
        let upload = [
            "exec",
            "sidestep/context-upload",
            "-i",
            "path=pipelines/hello",
            "-i",
            "bucket=demo-contexts",
            &format!("--sandbox={scenario}"),
        ];
        let (exit, events) = setup.events(&upload);
        assert_eq!(exit, 0, "{events:#?}");
        let exports = exports(&mut setup, scenario);
        Some(Self {
            setup,
            exports,
            registry,
        })
    }

    fn kubectl(&self, line: &str) {
        said(&client(
            &self.setup,
            &self.exports,
            &format!("kubectl {line}"),
        ));
    }

    /// Creates a Secret with a user's password for a registry.
    fn secret(&self, name: &str, host: &str, password: &str) {
        self.kubectl(&format!(
            "create secret docker-registry {name} -n builds --docker-server={host} --docker-username={USER} --docker-password={password}"
        ));
    }

    fn image(&self, name: &str) -> String {
        format!("{}/team/{name}", self.registry.host)
    }

    /// Runs the pipeline with that Secret. Returns the exit code and the events.
    fn run(&mut self, secret: &str, more: &[&str]) -> (i32, Vec<Value>) {
        let image = format!("image={}", self.image("hello"));
        let secret = format!("registrySecret={secret}");
        let arguments = ["run", PIPELINE, "--sandbox", "-i", &image, "-i", &secret];
        self.setup.events(&[&arguments, more].concat())
    }

    /// Returns everything that a run has written: its journal and its logs.
    fn kept(&self) -> String {
        let mut kept = String::new();
        let mut folders = vec![self.setup.folder().join("state/sidestep/runs")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = std::fs::read(path).unwrap();
                    kept.push_str(&String::from_utf8_lossy(&bytes));
                }
            }
        }
        assert!(!kept.is_empty());
        kept
    }
}

/// Returns a step's outputs.
fn outputs(events: &[Value], step: &str) -> Value {
    let is_it = |event: &&Value| event["type"] == "step-finished" && event["step"] == step;
    let finished = events.iter().find(is_it).expect("it ended");
    finished["data"]["outputs"].clone()
}

fn warnings(events: &[Value]) -> Vec<&Value> {
    let all = events.iter().filter(|event| event["type"] == "annotation");
    all.map(|event| &event["data"]).collect()
}

fn texts(help: &Value) -> String {
    serde_json::to_string(help).unwrap()
}

#[test]
fn an_image_is_pushed_checked_and_used_as_a_private_base() {
    let Some(mut world) = World::new("healthy") else {
        return;
    };
    let host = world.registry.host.clone();
    world.secret("registry", &host, PASSWORD);
    let (exit, events) = world.run("registry", &[]);
    assert_eq!(exit, 0, "{events:#?}");
    assert_eq!(warnings(&events), Vec::<&Value>::new());
    let built = outputs(&events, "build");
    let digest = built["digest"].as_str().unwrap();
    assert_eq!(built["image"], format!("{}@{digest}", world.image("hello")));
    assert_eq!(built["checked"], true);
    assert!(built["size"].as_u64().unwrap() > 100, "{built:#}");
    assert!(built["layers"].as_u64().unwrap() >= 1, "{built:#}");
    for phase in ["scheduled", "pulled", "contextFetched", "built", "pushed"] {
        assert!(built["times"][phase].is_u64(), "{phase}: {built:#}");
    }

    // The image can only be pulled with the password.
    let base = format!("FROM {}:latest\nENV DERIVED=yes\n", world.image("hello"));
    world.setup.write("pipelines/hello/Dockerfile", &base);
    let (exit, events) = world.run("registry", &["-i", "tag=derived"]);
    assert_eq!(exit, 0, "{events:#?}");
    let derived = outputs(&events, "build");
    assert_eq!(derived["checked"], true);
    assert_ne!(derived["digest"], digest);
    let layers = |outputs: &Value| outputs["layers"].as_u64().unwrap();
    assert!(layers(&derived) >= layers(&built));

    // No part of the credentials is in what the runner keeps or prints.
    let printed = serde_json::to_string(&events).unwrap();
    let auth = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    for text in [world.kept(), printed] {
        assert!(!text.contains(PASSWORD) && !text.contains(&auth));
    }
}

#[test]
fn each_secret_that_cannot_work_has_its_own_message() {
    let Some(mut world) = World::new("healthy") else {
        return;
    };
    let host = world.registry.host.clone();
    world.secret("other-host", "ghcr.io", PASSWORD);
    world.secret("wrong-password", &host, "no-such-password");
    world.kubectl("create secret generic of-another-type -n builds --from-literal=a=b");
    let create = |name: &str| {
        format!(
            "kubectl create secret docker-registry {name} -n builds --docker-server {host} --docker-username=USER --docker-password=PASSWORD"
        )
    };
    let image = world.image("hello");
    for (secret, exit, code, message) in [
        (
            "missing",
            1,
            "registry.secret-missing",
            "the build was not started: Secret builds/missing does not exist, so there are no credentials for registries".to_owned(),
        ),
        (
            "of-another-type",
            1,
            "registry.secret-unusable",
            "the build was not started: Secret builds/of-another-type holds no registry credentials: its type is Opaque, not kubernetes.io/dockerconfigjson".to_owned(),
        ),
        (
            "other-host",
            1,
            "registry.secret-host",
            format!("the build was not started: Secret builds/other-host has no credentials for {host}, where it would push {image}:latest"),
        ),
        (
            "wrong-password",
            4,
            "registry.login-refused",
            format!("{host} rejects the credentials in Secret builds/wrong-password: "),
        ),
    ] {
        let (ended, events) = world.run(secret, &[]);
        let failure = failure(&events);
        assert_eq!((&failure["code"], ended), (&json!(code), exit), "{failure:#}");
        assert_eq!(failure["owner"], "author", "{failure:#}");
        let said = failure["message"].as_str().unwrap();
        assert!(said.starts_with(&message), "{said}");
        assert!(texts(&failure["help"]).contains("kubectl"), "{failure:#}");
        let printed = crate::printed::commands(&failure["help"]);
        assert!(printed.contains(&create(secret)), "{printed:?}");
        let pod = find(&events, "cleaned-up", |data| data["kind"] == "pod");
        assert_eq!(pod.is_some(), secret == "wrong-password", "no pod is created otherwise");
        assert!(!world.kept().contains("no-such-password"));
    }
}

#[test]
fn a_step_s_secret_comes_before_the_build_s() {
    let Some(mut world) = World::new("healthy") else {
        return;
    };
    let host = world.registry.host.clone();
    world.secret("registry", &host, PASSWORD);
    let text = std::fs::read_to_string(world.setup.workspace().join(PIPELINE)).unwrap();
    let login =
        format!("registryLogin: {{ registry: \"{host}\", user: {USER}, secret: pushToken }}");
    let text = text.replace(
        "      registrySecret:",
        &format!("      {login}\n      registrySecret:"),
    );
    let text = text.replace("outputs:\n", "    secrets: [pushToken]\noutputs:\n");
    let secret = "secrets: { pushToken: { env: PUSH_TOKEN } }\n";
    world.setup.write(PIPELINE, &format!("{text}{secret}"));
    let image = format!("image={}", world.image("hello"));
    let arguments = ["run", PIPELINE, "--sandbox", "-i", &image];
    let (exit, events) = world
        .setup
        .events_with(&arguments, &[("PUSH_TOKEN", PASSWORD)]);
    assert_eq!(exit, 0, "{events:#?}");
    assert_eq!(outputs(&events, "build")["checked"], true);
    // The Secret holds the right password, and is not tried.
    let (exit, events) = world
        .setup
        .events_with(&arguments, &[("PUSH_TOKEN", "no-such-password")]);
    assert_eq!(exit, 0, "{events:#?}");
    assert_eq!(outputs(&events, "build")["checked"], false);
    let [warning] = warnings(&events)[..] else {
        panic!("{events:#?}");
    };
    assert_eq!(warning["code"], "registry.not-checked");
    let message = warning["message"].as_str().unwrap();
    assert!(
        message.starts_with("not checked: kaniko pushed "),
        "{message}"
    );
    let rejects = format!("{host} rejects the credentials that the step gave");
    assert!(message.contains(&rejects), "{message}");
}

#[test]
fn a_runner_that_may_not_read_the_secret_uses_docker_s_configuration_or_says_what_it_did_not_check()
{
    const RUNNER: &str = "runner@demo.iam.gserviceaccount.com";
    let Some(mut world) = World::new("no-delete") else {
        return;
    };
    let host = world.registry.host.clone();
    world.secret("registry", &host, PASSWORD);
    let image = format!("image={}", world.image("hello"));
    let arguments = [
        "run",
        PIPELINE,
        "--sandbox=no-delete",
        "--as",
        RUNNER,
        "-i",
        &image,
    ];
    let docker = world.setup.folder().join("docker");
    std::fs::create_dir(&docker).unwrap();
    let mut run = |config: &Value| {
        std::fs::write(docker.join("config.json"), config.to_string()).unwrap();
        let folder = [("DOCKER_CONFIG", docker.to_str().unwrap())];
        // It may not delete its pods either.
        let (exit, events) = world.setup.events_with(&arguments, &folder);
        assert_eq!(exit, 4, "{events:#?}");
        let checked = outputs(&events, "build")["checked"].clone();
        let warnings = warnings(&events).into_iter();
        let warnings = warnings.filter(|data| data["code"] == "registry.not-checked");
        let messages: Vec<String> = warnings
            .map(|data| format!("{} {}", data["message"], texts(&data["help"])))
            .collect();
        (checked, messages)
    };
    let auth = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let (checked, messages) = run(&json!({ "auths": { host.as_str(): { "auth": auth } } }));
    assert_eq!(checked, true);
    let [unread] = &messages[..] else {
        panic!("{messages:?}");
    };
    let expected = "can't read the Secret of `registrySecret`, so it can't mask its passwords";
    assert!(
        unread.contains(expected) && unread.contains("plan --rbac"),
        "{unread}"
    );

    let (checked, messages) = run(&json!({}));
    assert_eq!(checked, false);
    let [_, none] = &messages[..] else {
        panic!("{messages:?}");
    };
    assert!(none.contains("not checked: kaniko pushed "), "{none}");
    assert!(
        none.contains(&format!("no credentials for {host} were found")),
        "{none}"
    );

    let wrong = json!({ "username": USER, "password": "no-such-password" });
    let (checked, messages) = run(&json!({ "auths": { host.as_str(): wrong } }));
    assert_eq!(checked, false);
    let config = format!(
        "rejects the credentials in {}",
        docker.join("config.json").display()
    );
    assert!(messages[1].contains(&config), "{messages:?}");
    assert!(!world.kept().contains("no-such-password"));
}
