//! `sidestep sandbox --cluster`: on a node of a real cluster, and the ways in which it is refused.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sidestep_cluster_testing::Cluster;

use crate::beside::{
    BUILDER, Beside, Machine, account, asked, asked_by, asking_pod, create, node, sidestep,
};
use crate::setup::program;

#[test]
fn a_pod_of_a_real_node_gets_its_own_identity() {
    let Some((cluster, _alone)) = node() else {
        return;
    };
    // The namespace of the seed's binding, and another one with an account of the same name.
    account(cluster, "builds", "kaniko", Some(BUILDER));
    account(cluster, "builds", "plain", None);
    account(cluster, "others", "kaniko", Some(BUILDER));
    let sandbox = Beside::start(cluster, "builds,others").unwrap();
    assert!(
        sandbox
            .welcome
            .contains("the pods of builds, others get their identity at http://169.254.169.254"),
        "{}",
        sandbox.welcome
    );

    assert!(
        sandbox.welcome.contains(
            "the pods of builds, others that are created from now on know Google's names"
        ),
        "{}",
        sandbox.welcome
    );

    let linked = asked(cluster, "builds", "kaniko", &["email", "token"]);
    assert!(linked.contains(BUILDER), "{linked}");
    assert!(linked.contains("\"token_type\":\"Bearer\""), "{linked}");
    assert!(
        linked.to_lowercase().contains("metadata-flavor: google"),
        "{linked}"
    );

    // The same account's name in another namespace is another identity, which has no binding.
    let other = asked(cluster, "others", "kaniko", &["token"]);
    assert!(
        other.contains(
            "Unable to generate access token; IAM returned 403 Forbidden: Permission \
             'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
        ),
        "{other}"
    );
    // Without the annotation it is its own principal, which has no identity tokens.
    let identity = "identity?audience=https://example.com";
    let plain = asked(cluster, "builds", "plain", &["email", "token", identity]);
    assert!(plain.contains("demo.svc.id.goog"), "{plain}");
    assert!(plain.contains("\"token_type\":\"Bearer\""), "{plain}");
    assert!(
        plain.contains("Your Kubernetes service account (builds/plain) is not linked"),
        "{plain}"
    );
    // On the node's network it is the node.
    let node = asked_by(cluster, "builds", "kaniko", &["email"], "on-the-node", true);
    assert!(
        node.contains("123456789012-compute@developer.gserviceaccount.com"),
        "{node}"
    );
    // Each token is one of Cloud Storage's callers, under the name that pods know.
    let alias = [
        "get",
        "pod",
        "ask-kaniko",
        "--namespace=builds",
        "--output=json",
    ];
    let pod: Value = serde_json::from_str(&cluster.ok(&alias)).unwrap();
    let aliases = pod["spec"]["hostAliases"].as_array().unwrap();
    assert!(aliases.iter().any(|alias| {
        let names = alias["hostnames"].as_array().unwrap();
        alias["ip"] == "169.254.169.254" && names.contains(&json!("storage.googleapis.com"))
    }));
    let listed = sandbox.list_contexts(token_in(&linked));
    assert_eq!(listed["kind"], "storage#objects", "{listed}");
    let denied = sandbox.list_contexts(token_in(&plain));
    assert_eq!(denied["error"]["code"], 403, "{denied}");

    // A namespace that is not served.
    account(cluster, "elsewhere", "kaniko", None);
    let unknown = asked(cluster, "elsewhere", "kaniko", &["token"]);
    assert!(
        unknown.contains("is not the address of a running pod that this metadata server serves"),
        "{unknown}"
    );

    let token = [
        "create",
        "token",
        "kaniko",
        "--namespace=builds",
        "--audience=demo.svc.id.goog",
    ];
    let token = cluster.ok(&token);
    let exchanged = sandbox.exchange(token.trim());
    assert_eq!(exchanged["token_type"], "Bearer", "{exchanged}");
    cluster.ok(&["delete", "serviceaccount", "kaniko", "--namespace=builds"]);
    // The API server knows the token for some seconds more, and the watch shows the deletion late.
    let began = Instant::now();
    let refused = loop {
        let answer = sandbox.exchange(token.trim());
        if answer["error"].is_string() || began.elapsed() > Duration::from_mins(1) {
            break answer;
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    assert_eq!(refused["error"], "invalid_grant", "{refused}");

    assert!(installed(cluster).contains("google-names"));
    drop(sandbox);
    assert_eq!(installed(cluster), "");

    // A killed sandbox leaves its objects to the next command that stops it.
    let mut killed = Beside::start(cluster, "builds").unwrap();
    killed.kill();
    assert!(installed(cluster).contains("google-names"));
    let stopped = killed.manage(&["stop"]);
    let said = String::from_utf8_lossy(&stopped.stderr).into_owned();
    assert!(
        said.starts_with(
            "no sandbox was running\nremoved from the cluster what a killed sandbox had left: "
        ),
        "{said}"
    );
    assert_eq!(installed(cluster), "");
}

/// Returns the names of the sandbox's objects in the cluster.
fn installed(cluster: &Cluster) -> String {
    let kinds = "mutatingadmissionpolicies,mutatingadmissionpolicybindings,configmaps";
    let label = "--selector=sidestep.dev/sandbox=google-names";
    cluster.ok(&["get", kinds, "--all-namespaces", label, "--output=name"])
}

/// Returns the access token in a pod's log.
fn token_in(log: &str) -> &str {
    let rest = log.split_once("\"access_token\":\"").expect(log).1;
    rest.split_once('"').unwrap().0
}

#[test]
fn pods_that_start_at_once_each_get_their_own_identity() {
    let Some((cluster, _alone)) = node() else {
        return;
    };
    let _ = cluster.kubectl(&["create", "namespace", "crowd"]);
    let sandbox = Beside::start(cluster, "crowd").unwrap();
    let names: Vec<String> = (0..50).map(|number| format!("builder-{number}")).collect();
    let objects = names.iter().flat_map(|name| {
        let as_email = json!({ "iam.gke.io/return-principal-id-as-email": "true" });
        let metadata = json!({ "namespace": "crowd", "name": name, "annotations": as_email });
        let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata });
        [
            account,
            asking_pod(cluster, "crowd", name, name, &["email"]),
        ]
    });
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects.collect::<Vec<_>>() });
    create(cluster, &list);
    let ended = [
        "wait",
        "pods",
        "--all",
        "--namespace=crowd",
        "--timeout=300s",
    ];
    let succeeded = "--for=jsonpath={.status.phase}=Succeeded";
    cluster.ok(&[&ended[..], &[succeeded]].concat());
    for name in &names {
        let log = cluster.ok(&["logs", "--namespace=crowd", name]);
        let own = format!("/subject/ns/crowd/sa/{name}\n");
        assert!(log.contains(&own), "{name}: {log}");
    }
    drop(sandbox);
}

#[test]
fn a_build_on_a_real_node_succeeds_once_the_printed_command_has_run() {
    let (Some((cluster, _alone)), Some(_)) = (node(), program("gcloud")) else {
        return;
    };
    let runner = Path::new(env!("CARGO_BIN_EXE_sidestep"));
    let Some(images) = cluster.images(runner) else {
        return;
    };
    account(cluster, "builds", "kaniko", Some(BUILDER));
    let sandbox = Beside::of_scenario(cluster, Machine::Node, "no-binding", "builds").unwrap();
    let write = |name: &str, text: &str| {
        std::fs::create_dir_all(sandbox.folder().join("app")).unwrap();
        std::fs::write(sandbox.folder().join(name), text).unwrap();
    };
    write("app/Dockerfile", "FROM scratch\nCOPY hello.txt /\n");
    write("app/hello.txt", "hello\n");
    let pipeline = format!(
        "version: 1
name: alone
defaults: {{ cluster: projects/demo/locations/europe-west1/clusters/ci }}
steps:
  context:
    uses: sidestep/context-upload
    with: {{ path: app, bucket: demo-contexts }}
  build:
    uses: sidestep/kaniko-launch
    with: {{ context: \"${{{{ steps.context.outputs.uri }}}}\", path: app, executor: \"{}\", destinations: [\"europe-docker.pkg.dev/demo/images/alone:1\"], namespace: builds, serviceAccount: kaniko }}
",
        images.builder
    );
    write("alone.yaml", &pipeline);

    let (code, said) = sandbox.pipeline("alone.yaml");
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("identity.binding-missing (denied)"), "{said}");
    let repair = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("│ gcloud iam "));
    let repair = repair.unwrap_or_else(|| panic!("no command: {said}"));
    sandbox.in_a_shell(&format!("gcloud iam {repair}"));

    let (code, said) = sandbox.pipeline("alone.yaml");
    assert_eq!(code, Some(0), "{said}");
    let pushed = "europe-docker.pkg.dev/demo/images/alone@sha256:";
    assert!(said.contains(pushed), "{said}");
    // A run starts a stopped sandbox again, with the same cluster and namespaces.
    assert!(sandbox.manage(&["stop"]).status.success());
    assert_eq!(installed(cluster), "");
    let (code, said) = sandbox.pipeline("alone.yaml");
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("sandbox `no-binding@sidestep` started"),
        "{said}"
    );
    let served = &sandbox.status()["live"]["cluster"]["namespaces"];
    assert_eq!(*served, json!(["builds"]));

    let images =
        "gcloud artifacts docker images list europe-docker.pkg.dev/demo/images --format=json";
    assert!(sandbox.in_a_shell(images).contains("images/alone"));
    // kubectl of this shell uses the cluster's own credentials.
    let accounts = sandbox.in_a_shell("kubectl get serviceaccounts --namespace builds");
    assert!(accounts.contains("kaniko"), "{accounts}");
}

/// Lets a sandbox run on the node until it says a text, or ends.
fn said_until(mut child: Child, text: &str) -> (Child, String) {
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains(text) && errors.read_line(&mut said).unwrap() > 0 {}
    std::thread::spawn(move || errors.read_to_end(&mut Vec::new()));
    (child, said)
}

#[test]
fn a_sandbox_takes_back_its_own_objects_and_no_others() {
    let Some((cluster, _alone)) = node() else {
        return;
    };
    let _ = cluster.kubectl(&["create", "namespace", "builds"]);
    let mut sandbox = Beside::start(cluster, "builds").unwrap();
    let live = installed(cluster);
    assert_eq!(live.lines().count(), 3, "{live}");

    // Another scenario's sandbox on the same node: the metadata server's port is in use.
    let other = ["--scenario", "no-binding", "--cluster", "sidestep"];
    let start = [&["sandbox"][..], &other, &["--namespaces", "builds"]].concat();
    let failed = sandbox.run(&start);
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(!failed.status.success(), "{said}");
    assert!(
        said.contains("169.254.169.254:80 can't be opened"),
        "{said}"
    );
    assert_eq!(installed(cluster), live);
    let stopped = sandbox.run(&[&["sandbox", "stop"][..], &other].concat());
    assert!(stopped.status.success());
    assert_eq!(installed(cluster), live);

    // After a SIGKILL the record names the cluster, whatever KUBECONFIG is now.
    sandbox.kill();
    assert_eq!(installed(cluster), live);
    let status = sandbox.manage(&["status"]);
    let said = String::from_utf8_lossy(&status.stderr).into_owned();
    assert!(
        said.contains("what it installed in the cluster is still there; remove it:")
            && said.contains("sidestep sandbox stop --cluster sidestep"),
        "{said}"
    );
    let stop = ["KUBECONFIG=/none", env!("CARGO_BIN_EXE_sidestep")];
    let mut command = cluster.on_the_node("env").unwrap();
    let stopped = command
        .arg(format!("HOME={}", sandbox.folder().display()))
        .arg("XDG_STATE_HOME=")
        .args(stop)
        .args(["sandbox", "stop", "--cluster", "sidestep"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&stopped.stderr).into_owned();
    assert!(
        stopped.status.success() && said.ends_with("what a killed sandbox had left: 3 objects\n"),
        "{said}"
    );
    assert_eq!(installed(cluster), "");

    // A start without namespaces installs nothing, and takes back what a killed one left. So does a
    // reset.
    for way in ["start", "reset"] {
        let start = ["sandbox", "--cluster", "sidestep", "--namespaces", "builds"];
        let folder = sandbox.folder().to_owned();
        let spawn = |arguments: &[&str]| {
            let mut command = sidestep(Machine::Node, cluster, &folder, arguments).unwrap();
            let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
            command.spawn().unwrap()
        };
        let (child, said) = said_until(spawn(&start), "know Google's names");
        assert_eq!(installed(cluster).lines().count(), 3, "{said}");
        sandbox.goes_on_as(child);
        sandbox.kill();
        assert_eq!(installed(cluster).lines().count(), 3);
        if way == "start" {
            let (child, said) = said_until(spawn(&start[..3]), "get their identity");
            assert!(said.contains("all pods get their identity"), "{said}");
            assert_eq!(installed(cluster), "");
            sandbox.goes_on_as(child);
            assert!(sandbox.manage(&["stop"]).status.success());
            sandbox.wait();
        } else {
            let reset = sandbox.manage(&["reset"]);
            let said = String::from_utf8_lossy(&reset.stderr).into_owned();
            assert_eq!(said, "the sandbox and its state were deleted\n");
            assert_eq!(installed(cluster), "");
        }
    }
}
