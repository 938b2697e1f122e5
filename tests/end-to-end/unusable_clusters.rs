//! Clusters that `sandbox --cluster` can't use, and what it installed in clusters that it no longer
//! reaches.

use std::net::TcpListener;

use serde_json::json;

use crate::setup::Setup;

/// Returns a setup with a kubeconfig of one context `kind-kind`.
fn with_context(port: u16) -> Setup {
    let setup = Setup::new();
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": [{ "name": "c", "cluster": { "server": format!("https://127.0.0.1:{port}") } }],
        "users": [{ "name": "u", "user": {} }],
        "contexts": [{ "name": "kind-kind", "context": { "cluster": "c", "user": "u" } }],
    });
    setup.write("kubeconfig", &kubeconfig.to_string());
    setup
}

/// Returns the error of `sandbox --cluster` with a kubeconfig of one context `kind-kind`.
fn refused(arguments: &[&str], port: u16) -> (Option<i32>, String) {
    let mut setup = with_context(port);
    let file = setup.workspace().join("kubeconfig");
    let mut command = setup.command(&[&["sandbox"], arguments].concat());
    let output = command.env("KUBECONFIG", file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[test]
fn a_cluster_that_cannot_be_used_is_refused_with_the_way_on() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let (code, said) = refused(&["--cluster", "kind-knid"], port);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("the kubeconfig has no context `kind-knid`; its contexts are kind-kind"),
        "{said}"
    );
    assert!(said.contains("$ kubectl config get-contexts"), "{said}");

    let (code, said) = refused(&["--cluster", "kind-kind"], port);
    assert_eq!(code, Some(75), "{said}");
    assert!(said.contains("does not answer"), "{said}");
    assert!(
        said.contains("$ kubectl get --raw=/version --context kind-kind"),
        "{said}"
    );

    let scenario = ["--scenario", "evicted", "--cluster", "kind-kind"];
    let (code, said) = refused(&scenario, port);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("scenario `evicted` changes the sandbox's own cluster"),
        "{said}"
    );
    assert!(
        said.contains("$ sidestep sandbox --scenario evicted"),
        "{said}"
    );

    let (code, said) = refused(&["--namespaces", "builds"], port);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--cluster"), "{said}");
}

/// Returns a port that nothing listens on.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn what_cannot_be_removed_stays_recorded_until_a_reset() {
    let port = closed_port();
    let mut setup = with_context(port);
    let kubeconfig = setup.workspace().join("kubeconfig");
    let state = setup.sandbox_folder("healthy@kind-kind");
    let record = json!({
        "installation": { "id": "0f1e", "owner": "sandbox `healthy@kind-kind`" },
        "cluster": { "context": "kind-kind", "namespaces": ["builds"], "kubeconfig": [kubeconfig] },
        "server": { "address": format!("127.0.0.1:{port}") },
        "relays": true,
    });
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(state.join("installed.json"), record.to_string()).unwrap();
    let mut run = |subcommand: &str| {
        let mut command = setup.command(&["sandbox", subcommand, "--cluster", "kind-kind"]);
        let output = command.env("KUBECONFIG", "/none").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (
            output.status.code(),
            said.replace(&port.to_string(), "PORT"),
        )
    };
    let stopped = run("stop");
    let reset = run("reset");
    let again = run("stop");
    let said = [stopped, reset, again].map(|(code, said)| format!("exit {code:?}\n{said}"));
    insta::assert_snapshot!("left_behind", said.join("---\n"));
    assert!(!state.exists());
}

#[test]
fn a_context_that_means_another_cluster_is_not_changed() {
    let Some(cluster) = sidestep_cluster_testing::api() else {
        return;
    };
    let mut setup = Setup::new();
    let state = setup.sandbox_folder("healthy@sidestep");
    let record = json!({
        "installation": { "id": "0f1e", "owner": "sandbox `healthy@sidestep`" },
        "cluster": {
            "context": "sidestep", "namespaces": ["builds"], "kubeconfig": [cluster.kubeconfig()],
        },
        // The cluster that this context meant when the sandbox was started.
        "server": { "address": "127.0.0.1:6443", "uid": "5f0c5b9e-9c0a-4c1b-8a0e-000000000000" },
        "relays": true,
    });
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(state.join("installed.json"), record.to_string()).unwrap();
    let mut run = |subcommand: &str| {
        let arguments = ["sandbox", subcommand, "--cluster", "sidestep"];
        let output = setup.command(&arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        format!("exit {:?}\n{said}", output.status.code())
    };
    let said = [run("stop"), run("reset")].join("---\n");
    let filters = [
        (r"is 127\.0\.0\.1:\d+", "is 127.0.0.1:PORT"),
        (r"SHA-256 [0-9a-f]{12}", "SHA-256 DIGEST"),
        (r"uid [0-9a-f-]{36} and", "uid UID and"),
    ];
    insta::with_settings!({ filters => filters }, {
        insta::assert_snapshot!("another_cluster", said);
    });
    assert!(!state.exists());
}

#[test]
fn a_cluster_is_found_without_a_home_as_kubectl_finds_it() {
    let mut setup = with_context(closed_port());
    let arguments = ["sandbox", "--cluster", "kind-kind"];
    let mut command = setup.command(&arguments);
    let output = command.env_remove("HOME").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    let expected = "the kubeconfig has no context `kind-kind`; it has none";
    assert!(said.contains(expected), "{said}");
}
