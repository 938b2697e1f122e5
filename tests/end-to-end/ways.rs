//! Every kind of identity: its pipeline runs, and the insecure ones print warnings. The printed
//! commands lead away from them, run unchanged by a shell with the real gcloud and kubectl.

use serde_json::{Value, json};

use crate::builds::pull;
use crate::clients::{client, exports, said};
use crate::printed::commands;
use crate::setup::{Setup, failure, find, program};

/// The default image that the pipelines push.
const HELLO: &str = "europe-docker.pkg.dev/demo/images/hello";

type Exports = Vec<(String, String)>;

/// Runs a pipeline to its end and returns its events.
fn passes(setup: &mut Setup, scenario: &str, arguments: &[&str]) -> Vec<Value> {
    let sandbox = format!("--sandbox={scenario}");
    let all = [&["run"], arguments, &[&sandbox]].concat();
    let (exit, events) = setup.events(&all);
    assert_eq!(exit, 0, "{arguments:?}: {events:#?}");
    events
}

/// Pulls the image that a run's outputs name.
fn pulls(setup: &mut Setup, scenario: &str, events: &[Value], repository: &str) {
    let end = find(events, "run-finished", |_| true).expect("an end");
    let image = end["outputs"]["image"].as_str().expect("an image");
    assert!(
        image.starts_with(&format!("{repository}@sha256:")),
        "{image}"
    );
    pull(setup, scenario, image);
}

/// Returns the run's only warning.
fn warning(events: &[Value]) -> &Value {
    let mut warnings = events.iter().filter(|event| event["type"] == "annotation");
    let warning = &warnings.next().expect("a warning")["data"];
    assert_eq!(warning["severity"], "warning");
    assert_eq!(warnings.next(), None);
    warning
}

fn warns(events: &[Value]) -> bool {
    find(events, "annotation", |_| true).is_some()
}

fn run_all(setup: &Setup, exports: &Exports, commands: &[String]) {
    assert!(!commands.is_empty());
    for command in commands {
        said(&client(setup, exports, command));
    }
}

/// Writes `key-in-secret.yaml` as it is after the migration: without `googleKey`.
fn write_without_key(setup: &Setup) -> &'static str {
    let path = setup.workspace().join("pipelines/key-in-secret.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.contains("googleKey:"));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    setup.write("pipelines/without-key.yaml", &text);
    "pipelines/without-key.yaml"
}

/// Creates a key of the builder's and the Secret with it. The key file is deleted afterwards.
fn make_key(setup: &Setup, exports: &Exports) {
    let file = setup.folder().join("key.json");
    let file = file.to_str().unwrap();
    for line in [
        format!(
            "gcloud iam service-accounts keys create {file} --iam-account builder@demo.iam.gserviceaccount.com"
        ),
        format!("kubectl create secret generic builder-key -n builds --from-file=key.json={file}"),
    ] {
        said(&client(setup, exports, &line));
    }
    std::fs::remove_file(file).unwrap();
}

/// Starts the sandbox without building anything.
fn start(setup: &mut Setup, scenario: &str) -> Exports {
    let sandbox = format!("--sandbox={scenario}");
    let arguments = [
        "exec",
        "sidestep/context-upload",
        "-i",
        "path=pipelines/hello",
        "-i",
        "bucket=demo-contexts",
        &sandbox,
    ];
    let (exit, events) = setup.events(&arguments);
    assert_eq!(exit, 0, "{events:#?}");
    exports(setup, scenario)
}

#[test]
fn the_node_s_account_builds_and_warns_and_what_it_prints_leads_off_it() {
    let mut setup = Setup::with_pipelines();
    let pipeline = "pipelines/node-account.yaml";
    let events = passes(&mut setup, "node-account", &[pipeline]);
    pulls(&mut setup, "node-account", &events, HELLO);
    let warning = warning(&events);
    assert_eq!(warning["code"], "identity.node-account");
    let message = warning["message"].as_str().unwrap();
    assert!(
        message.contains("Compute Engine's default account of project demo"),
        "{message}"
    );
    assert!(message.contains("not as builds/kaniko"), "{message}");
    let way_out = commands(&warning["help"]);
    assert!(
        way_out[0].contains("node-pools update default-pool "),
        "{way_out:?}"
    );

    let Some(_) = program("gcloud") else { return };
    let exports = exports(&mut setup, "node-account");
    run_all(&setup, &exports, &way_out);
    let events = passes(&mut setup, "node-account", &[pipeline]);
    assert!(
        !warns(&events),
        "the node pools serve workload identities now"
    );
    let secure = ["pipelines/workload-identity.yaml"];
    let events = passes(&mut setup, "node-account", &secure);
    pulls(&mut setup, "node-account", &events, HELLO);
}

#[test]
fn a_key_builds_and_warns_and_what_it_prints_ends_it() {
    let (Some(_), Some(_)) = (program("gcloud"), program("kubectl")) else {
        return;
    };
    let mut setup = Setup::with_pipelines();
    let exports = start(&mut setup, "healthy");
    let (keyed, keyless) = ("pipelines/key-in-secret.yaml", write_without_key(&setup));
    let (exit, _) = setup.events(&["run", keyless, "--sandbox"]);
    assert_eq!(
        exit, 4,
        "nothing but the key makes builds/kaniko-key anybody"
    );

    make_key(&setup, &exports);
    let events = passes(&mut setup, "healthy", &[keyed]);
    pulls(&mut setup, "healthy", &events, HELLO);
    let warning = warning(&events);
    assert_eq!(warning["code"], "identity.key-in-secret");
    assert!(
        warning["message"]
            .as_str()
            .unwrap()
            .contains("Secret builds/builder-key")
    );
    let help = warning["help"].as_array().unwrap();
    let is_turn = |line: &Value| {
        let text = line.as_str().unwrap_or_default();
        text.starts_with("then run the step without `googleKey`")
    };
    let turn = help.iter().position(is_turn).unwrap();
    let (link, end) = help.split_at(turn);

    // The key can already be deleted before this step, and the failure looks the same.
    run_all(&setup, &exports, &commands(&json!(link)));
    let events = passes(&mut setup, "healthy", &[keyless]);
    assert!(!warns(&events));
    pulls(&mut setup, "healthy", &events, HELLO);

    let end = commands(&json!(end));
    assert_eq!(end.len(), 2);
    run_all(&setup, &exports, &end[..1]);
    let (exit, events) = setup.events(&["run", keyed, "--sandbox"]);
    let refused = failure(&events);
    assert_eq!(
        (exit, &refused["code"]),
        (4, &"identity.key-refused".into()),
        "{refused:#}"
    );
    run_all(&setup, &exports, &end[1..]);
    let secure = [
        "pipelines/workload-identity.yaml",
        "-i",
        "serviceAccount=kaniko-key",
    ];
    let events = passes(&mut setup, "healthy", &secure);
    assert!(!warns(&events), "{events:#?}");
    pulls(&mut setup, "healthy", &events, HELLO);

    let keys = "gcloud iam service-accounts keys list --iam-account builder@demo.iam.gserviceaccount.com --managed-by user --format 'value(name)'";
    assert_eq!(said(&client(&setup, &exports, keys)), "");
    let secret = client(&setup, &exports, "kubectl get secret builder-key -n builds");
    assert!(!secret.status.success(), "the Secret is gone");
    let kept = client(
        &setup,
        &exports,
        &format!(
            "grep -rl 'PRIVATE KEY' {}/sidestep/runs",
            setup.folder().join("state").display()
        ),
    );
    assert_eq!(kept.status.code(), Some(1), "no run keeps a key: {kept:?}");
}

#[test]
fn a_key_is_seen_before_the_run_with_line_and_column() {
    let mut setup = Setup::with_pipelines();
    let file = "pipelines/key-in-secret.yaml";
    let output = setup.run(&["validate", file, "--output", "json"]);
    let found: Vec<Value> = serde_json::from_str(&said(&output)).unwrap();
    let [warning] = &found[..] else {
        panic!("{found:#?}")
    };
    assert_eq!(warning["code"], "identity.key-in-secret");
    let text = std::fs::read_to_string(setup.workspace().join(file)).unwrap();
    let (number, line) = text
        .lines()
        .enumerate()
        .find(|(_, line)| line.contains("googleKey:"))
        .unwrap();
    assert_eq!(warning["file"], file);
    assert_eq!(warning["at"]["line"], number + 1);
    assert_eq!(warning["at"]["column"], line.find("googleKey").unwrap() + 1);
    let output = setup.run(&["validate", "pipelines/quickstart.yaml", "--output", "json"]);
    assert_eq!(said(&output).trim(), "[]");
}

#[test]
fn the_dockerfile_is_read_before_the_run_although_the_context_comes_later() {
    let mut setup = Setup::with_pipelines();
    setup.write("pipelines/hello/Dockerfile", "FROM a\nCOPPY x y\n");
    let output = setup.run(&["validate", "pipelines/quickstart.yaml", "--output", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found[0]["code"], "dockerfile.syntax");
    assert_eq!(found[0]["file"], "pipelines/hello/Dockerfile");
    assert_eq!(found[0]["at"]["line"], 2);
}

#[test]
fn an_argument_that_a_from_needs_is_asked_for_before_anything_starts() {
    let mut setup = Setup::with_pipelines();
    setup.write(
        "pipelines/hello/Dockerfile",
        "ARG BASH\nFROM bash:$BASH\nCOPY Dockerfile /\n",
    );
    let output = setup.run(&["run", "pipelines/quickstart.yaml", "--sandbox"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let at = said
        .find("dockerfile.arg-unset")
        .expect("the problem's code");
    insta::assert_snapshot!(said[at..].trim_end());
    // The output of another step is not known yet, which is not an error.
    let path = setup.workspace().join("pipelines/quickstart.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let later = "dockerfile: Dockerfile\n      buildArgs: { BASH: \"${{ steps.context.outputs.digest }}\" }";
    setup.write("later.yaml", &text.replace("dockerfile: Dockerfile", later));
    let output = setup.run(&["validate", "later.yaml"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_key_that_is_not_there_ends_the_build_and_says_where_to_look() {
    let mut setup = Setup::with_pipelines();
    let path = setup.workspace().join("pipelines/key-in-secret.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let hasty = text.replace("googleKey:", "pullGrace: 1s\n      googleKey:");
    setup.write("hasty.yaml", &hasty);
    let (exit, events) = setup.events(&["run", "hasty.yaml", "--sandbox"]);
    let failure = failure(&events);
    assert_eq!(failure["code"], "identity.key-missing", "{failure:#}");
    assert!(
        failure["message"]
            .as_str()
            .unwrap()
            .contains("\"builder-key\" not found")
    );
    assert_eq!(exit, 4);
    let cleaned = find(&events, "cleaned-up", |data| data["kind"] == "pod");
    assert_eq!(cleaned.expect("said")["removed"], true);
}

#[test]
fn what_a_failed_build_prints_mends_it_as_printed() {
    let (Some(_), Some(_)) = (program("gcloud"), program("kubectl")) else {
        return;
    };
    let cases = [
        ("no-binding", "identity.binding-missing"),
        ("account-deleted", "identity.account-missing"),
        ("bucket-denied", "kaniko.context-denied"),
        ("registry-denied", "kaniko.push-denied"),
        ("metadata-server-off", "identity.node-account"),
    ];
    for (scenario, code) in cases {
        let mut setup = Setup::with_pipelines();
        let pipeline = write_without_key(&setup);
        let sandbox = format!("--sandbox={scenario}");
        let arguments = ["run", pipeline, "-i", "serviceAccount=kaniko", &sandbox];
        let (exit, events) = setup.events(&arguments);
        let failure = failure(&events);
        assert_eq!((exit, &failure["code"]), (4, &code.into()), "{failure:#}");
        let printed = commands(&failure["help"]);
        let exports = exports(&mut setup, scenario);
        run_all(&setup, &exports, &printed);
        let (exit, events) = setup.events(&arguments);
        assert_eq!(exit, 0, "{scenario}: {printed:#?}: {events:#?}");
    }
}

#[test]
fn the_secure_ways_build_without_a_key_and_without_a_warning() {
    let mut setup = Setup::with_pipelines();
    let shared = "europe-docker.pkg.dev/shared/images/hello";
    for (pipeline, principal, repository) in [
        (
            "workload-identity",
            "builder@demo.iam.gserviceaccount.com",
            HELLO,
        ),
        (
            "workload-identity-direct",
            "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/demo.svc.id.goog/subject/ns/builds/sa/kaniko-direct",
            HELLO,
        ),
        (
            "cross-project",
            "builder@shared.iam.gserviceaccount.com",
            shared,
        ),
        ("other-api", "builder@demo.iam.gserviceaccount.com", HELLO),
    ] {
        let file = format!("pipelines/{pipeline}.yaml");
        let events = passes(&mut setup, "healthy", &[&file]);
        assert!(!warns(&events), "{pipeline}: {events:#?}");
        let proven = find(&events, "step-finished", |data| {
            data["outputs"]["principal"].is_string()
        });
        let proven = proven.expect("who it is")["outputs"]["principal"].clone();
        assert_eq!(proven, principal, "{pipeline}");
        pulls(&mut setup, "healthy", &events, repository);
    }
}

#[test]
fn the_secret_of_another_api_is_proven_as_the_build_s_identity() {
    let Some(_) = program("gcloud") else { return };
    let mut setup = Setup::with_pipelines();
    let exports = start(&mut setup, "healthy");
    // The developer may read it, but the build no longer may.
    let take = "gcloud secrets remove-iam-policy-binding greeting --project demo --member serviceAccount:builder@demo.iam.gserviceaccount.com --role roles/secretmanager.secretAccessor";
    said(&client(&setup, &exports, take));
    let arguments = ["run", "pipelines/other-api.yaml", "--sandbox"];
    let (exit, events) = setup.events(&arguments);
    let failure = failure(&events);
    assert_eq!(
        (exit, &failure["code"]),
        (4, &"identity.target-denied".into()),
        "{failure:#}"
    );
    assert!(
        failure["message"].as_str().unwrap().contains(
            "lacks secretmanager.versions.access on secret projects/demo/secrets/greeting"
        ),
        "{failure:#}"
    );
    let printed = commands(&failure["help"]);
    run_all(&setup, &exports, &printed);
    passes(&mut setup, "healthy", &arguments[1..2]);
}

#[test]
fn the_secure_ways_ask_for_nothing_of_the_insecure_ones() {
    let mut setup = Setup::with_pipelines();
    let mut asked = |pipeline: &str| {
        let file = format!("pipelines/{pipeline}.yaml");
        let output = setup.run(&["plan", &file, "--output", "json"]);
        let plan: Value = serde_json::from_str(&said(&output)).unwrap();
        let instances = plan["instances"].as_array().unwrap();
        let build = instances.iter().find(|one| one["id"] == "build").unwrap();
        let granted = |key: &str| build["scopes"]["grants"][key]["granted"].clone();
        let clusters = granted("gke").as_array().unwrap().len();
        (clusters, granted("kubernetes")[0]["secrets"].clone())
    };
    for secure in [
        "workload-identity",
        "workload-identity-direct",
        "cross-project",
        "other-api",
    ] {
        assert_eq!(asked(secure), (0, serde_json::json!([])), "{secure}");
    }
    assert_eq!(asked("node-account"), (1, serde_json::json!([])));
    assert_eq!(
        asked("key-in-secret"),
        (1, serde_json::json!(["builder-key"]))
    );
}
