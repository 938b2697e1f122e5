//! Inputs of a build: secrets by handle, and arguments from a file.

use crate::setup::{Setup, failure, find};

const TOKEN: &str = "npm-token-of-this-test";

/// A pipeline whose build has these inputs.
fn pipeline(inputs: &str) -> String {
    format!(
        "version: 1
name: inputs
defaults: {{ cluster: projects/demo/locations/europe-west1/clusters/ci }}
secrets: {{ npmToken: {{ env: NPM_TOKEN }} }}
steps:
  context:
    uses: sidestep/context-upload
    with: {{ path: \".\", bucket: demo-contexts }}
  build:
    uses: sidestep/kaniko-launch
    secrets: [npmToken]
    with: {{ context: \"${{{{ steps.context.outputs.uri }}}}\", destinations: [\"europe-docker.pkg.dev/demo/images/inputs:1\"], namespace: builds, serviceAccount: kaniko, {inputs} }}
"
    )
}

#[test]
fn a_build_secret_goes_to_a_secret_of_the_pod_and_nowhere_else() {
    let mut setup = Setup::with_application();
    setup.write(
        "Dockerfile",
        "FROM scratch\nCOPY hello.txt /\nRUN --mount=type=secret,id=npm,required=true npm ci\n",
    );
    setup.write(
        "sidestep.yaml",
        &pipeline("buildSecrets: { npm: npmToken }"),
    );
    let token = [("NPM_TOKEN", TOKEN)];
    let (exit, events) = setup.events_with(&["run", "--sandbox"], &token);
    assert_eq!(exit, 0, "{events:#?}");
    let cleaned = |kind: &str| find(&events, "cleaned-up", |data| data["kind"] == kind).cloned();
    // The Secret goes by the run's own request, or before it with the pod that owns it.
    if let Some(secret) = cleaned("secret") {
        assert_eq!(secret["removed"], true, "{secret:#}");
    }
    assert!(cleaned("pod").is_some());
    let mut journal = String::new();
    let mut folders = vec![setup.folder().join("state/sidestep/runs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                let text = String::from_utf8_lossy(&bytes);
                assert!(!text.contains(TOKEN), "{}", path.display());
                if path.ends_with("journal") {
                    journal.push_str(&text);
                }
            }
        }
    }
    assert!(!serde_json::to_string(&events).unwrap().contains(TOKEN));
    let intents = journal.split(r#"{"record":"intent","data":{"id":"#).skip(1);
    let beginnings = intents.filter_map(|intent| intent.split(r#""where""#).next());
    let mut secrets = beginnings.filter(|intent| intent.contains(r#""kind":"secret""#));
    let secret = secrets.next().expect("the pod's Secret was created");
    let id = secret.split(',').next().unwrap();
    let done = format!(r#"{{"record":"done","data":{{"intent":{id},"#);
    // Once it is created, and once it is gone.
    assert_eq!(journal.matches(&done).count(), 2, "{journal}");
}

#[test]
fn an_executor_that_would_build_without_the_secret_is_refused_before_anything_starts() {
    let mut setup = Setup::with_application();
    let google =
        "buildSecrets: { npm: npmToken }, executor: \"gcr.io/kaniko-project/executor:v1.24.0\"";
    setup.write("sidestep.yaml", &pipeline(google));
    let mut command = setup.command(&["run", "--sandbox"]);
    let output = command.env("NPM_TOKEN", TOKEN).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("kaniko.no-secrets"), "{said}");
}

#[test]
fn a_secret_that_the_step_does_not_list_is_refused_before_the_pod() {
    let mut setup = Setup::with_application();
    let text = pipeline("buildSecrets: { npm: npmToken }");
    setup.write(
        "sidestep.yaml",
        &text.replace("    secrets: [npmToken]\n", ""),
    );
    let (exit, events) = setup.events_with(&["run", "--sandbox"], &[("NPM_TOKEN", TOKEN)]);
    let failure = failure(&events);
    assert_eq!(
        (exit, &failure["class"]),
        (3, &"refused".into()),
        "{failure:#}"
    );
    let message = failure["message"].as_str().unwrap();
    assert!(message.contains("npmToken"), "{message}");
    let pod = find(&events, "cleaned-up", |data| data["kind"] == "pod");
    assert_eq!(pod, None);
}

#[test]
fn arguments_come_from_a_file_and_the_step_s_own_before_them() {
    let mut setup = Setup::with_application();
    setup.write(
        "Dockerfile",
        "ARG BASE\nFROM $BASE\nARG WHO\nCOPY hello.txt /$WHO\n",
    );
    setup.write("args.env", "# the base\nBASE=scratch\nWHO=file\n");
    let inputs = "buildArgsFile: args.env, buildArgs: { WHO: step }";
    setup.write("sidestep.yaml", &pipeline(inputs));
    let token = [("NPM_TOKEN", TOKEN)];
    let (exit, events) = setup.events_with(&["run", "--sandbox"], &token);
    assert_eq!(exit, 0, "{events:#?}");
    let built = find(&events, "step-finished", |data| {
        data["outputs"]["image"].is_string()
    });
    let image = built.expect("it was built")["outputs"]["image"]
        .as_str()
        .unwrap()
        .to_owned();
    let layers = crate::builds::pull(&mut setup, "healthy", &image);
    assert_eq!(crate::builds::files_of(&layers[0]), ["step"]);

    setup.write("args.env", "BASE=scratch\nexport WHO=file\n");
    let output = setup
        .command(&["validate"])
        .env("NPM_TOKEN", TOKEN)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("args.env:2:1"), "{said}");
}
