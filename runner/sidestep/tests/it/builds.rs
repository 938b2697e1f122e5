//! From a context to a digest, and the ways in which that fails.

use std::process::Command;

use crate::place::{BUILD_ALONE, Place, failure, find};

#[test]
fn an_image_is_built_and_pulled_and_an_unchanged_context_is_not_sent_again() {
    let mut place = Place::with_application();
    let (exit, events) = place.events(&["run", "--sandbox"]);
    assert_eq!(exit, 0, "{events:#?}");
    let end = find(&events, "run-finished", |_| true).unwrap();
    let image = end["outputs"]["image"].as_str().unwrap();
    let (repository, digest) = image.split_once('@').unwrap();
    assert_eq!(repository, "europe-docker.pkg.dev/demo/images/quickstart");

    // Another client pulls it, as the developer: the bytes are those of the digest.
    let registry = place.status()["live"]["endpoints"]["REGISTRY"]
        .as_str()
        .unwrap()
        .to_owned();
    let token = place.sandbox_file("healthy", "access-token");
    let manifest = Command::new("curl")
        .args(["--silent", "--fail", "--header", &format!("Authorization: Bearer {token}")])
        .args(["--header", "Accept: application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"])
        .arg(format!("{registry}/v2/{repository}/manifests/{digest}"))
        .output()
        .unwrap();
    assert!(
        manifest.status.success(),
        "the registry gives no manifest {digest}"
    );
    assert_eq!(sha256(&manifest.stdout), digest);

    let (exit, again) = place.events(&["run", "--sandbox"]);
    assert_eq!(exit, 0);
    let said = |text: &str| {
        find(&again, "log", |data| {
            data["message"].as_str().is_some_and(|m| m.contains(text))
        })
    };
    assert!(
        said("not sent: this very context is there already").is_some(),
        "{again:#?}"
    );
    let call = find(&again, "host-call", |data| data["function"] == "put");
    assert!(call.is_none(), "nothing is put when it is there: {call:?}");
}

#[test]
fn every_broken_sandbox_fails_for_its_own_reason_and_leaves_no_pod() {
    let cases = [
        ("no-binding", 4, "identity.binding-missing"),
        ("account-deleted", 4, "identity.account-missing"),
        ("metadata-server-off", 4, "identity.node-account"),
        ("bucket-denied", 4, "kaniko.context-denied"),
        ("registry-denied", 4, "kaniko.push-denied"),
        ("out-of-memory", 1, "pod.out-of-memory"),
        ("evicted", 75, "pod.evicted"),
    ];
    for (scenario, expected, code) in cases {
        let mut place = Place::with_application();
        place.write("sidestep.yaml", BUILD_ALONE);
        let (exit, events) = place.events(&["run", &format!("--sandbox={scenario}")]);
        let failure = failure(&events);
        assert_eq!(failure["code"], code, "{scenario}: {failure:#}");
        assert_eq!(exit, expected, "{scenario}");
        let cleaned = find(&events, "cleaned-up", |data| data["kind"] == "pod");
        assert_eq!(
            cleaned.map(|data| &data["removed"]),
            Some(&true.into()),
            "{scenario}"
        );
    }
}

#[test]
fn a_repository_of_another_kind_is_built_and_what_was_not_executed_is_said() {
    let mut place = Place::new();
    place.write(
        "package.json",
        r#"{"name":"service","scripts":{"build":"node build.js"}}"#,
    );
    place.write("build.js", "console.log('built')\n");
    place.write(".dockerignore", "node_modules\n");
    place.write("node_modules/left-pad/index.js", "module.exports = 1\n");
    place.write(
        "Dockerfile",
        "FROM node:22-alpine AS build\nWORKDIR /app\nCOPY package.json ./\nRUN npm ci\nCOPY . .\n\
         RUN npm run build\nFROM node:22-alpine\nWORKDIR /app\nCOPY --from=build /app/dist ./dist\n\
         CMD [\"node\", \"dist/server.js\"]\n",
    );
    let output = place.run(&["run", "--sandbox"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("instructions not executed"), "{said}");
    assert!(said.contains("not executed: RUN npm ci"), "{said}");
    assert!(said.contains("sha256:"), "{said}");
}

fn sha256(bytes: &[u8]) -> String {
    use std::io::Write as _;
    let mut child = Command::new("sha256sum")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let text = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    format!("sha256:{}", text.split(' ').next().unwrap())
}
