//! `sidestep sandbox --cluster`: on a node of a real cluster, and the ways in which it is refused.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use sidestep_cluster_testing::Cluster;
use tempfile::TempDir;

use crate::setup::Setup;

const BUILDER: &str = "builder@demo.iam.gserviceaccount.com";

/// A sandbox that a node of the tests' cluster serves.
struct OnNode {
    cluster: &'static Cluster,
    folder: TempDir,
    child: Child,
    /// The text for people.
    welcome: String,
}

impl OnNode {
    /// Serves the pods of these namespaces.
    fn start(cluster: &'static Cluster, namespaces: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let arguments = [
            "sandbox",
            "--cluster",
            "sidestep",
            "--namespaces",
            namespaces,
        ];
        let mut child = sidestep(cluster, folder.path(), &arguments)?
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut welcome = String::new();
        while !welcome.contains("know Google's names") {
            let read = errors.read_line(&mut welcome).unwrap();
            assert!(read > 0, "it did not come up: {welcome}");
        }
        std::thread::spawn(move || errors.read_to_end(&mut Vec::new()));
        Some(Self {
            cluster,
            folder,
            child,
            welcome,
        })
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = sidestep(self.cluster, self.folder.path(), arguments).unwrap();
        command.output().unwrap()
    }

    /// Kills it as if the machine had failed (SIGKILL).
    fn kill(&mut self) {
        let status = self.run(&[
            "sandbox",
            "status",
            "--cluster",
            "sidestep",
            "--output",
            "json",
        ]);
        let status: Value = serde_json::from_slice(&status.stdout).unwrap();
        let pid = status["live"]["pid"].to_string();
        let mut kill = self.cluster.on_the_node("kill").unwrap();
        assert!(kill.args(["-KILL", &pid]).status().unwrap().success());
        self.child.wait().unwrap();
    }

    /// Lists the objects of a bucket of the seed, as a pod would under Google's name.
    fn list_contexts(&self, token: &str) -> Value {
        let state = ".local/state/sidestep/sandbox/healthy@sidestep/tls/ca.crt";
        let mut curl = self.cluster.on_the_node("curl").unwrap();
        let output = curl
            .args(["--silent", "--show-error"])
            .args(["--resolve", "storage.googleapis.com:443:169.254.169.254"])
            .arg("--cacert")
            .arg(self.folder.path().join(state))
            .args(["--header", &format!("Authorization: Bearer {token}")])
            .arg("https://storage.googleapis.com/storage/v1/b/demo-contexts/o")
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"))
    }

    /// Exchanges a token of a service account at the sandbox's STS.
    fn exchange(&self, token: &str) -> Value {
        let status = self.run(&[
            "sandbox",
            "status",
            "--cluster",
            "sidestep",
            "--output",
            "json",
        ]);
        let status: Value = serde_json::from_slice(&status.stdout).unwrap();
        let sts = status["live"]["endpoints"]["STS"].as_str().unwrap();
        let cluster = status["live"]["cluster"]["name"].as_str().unwrap();
        let request = json!({
            "grantType": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subjectTokenType": "urn:ietf:params:oauth:token-type:jwt",
            "subjectToken": token,
            "audience": format!(
                "identitynamespace:demo.svc.id.goog:https://container.googleapis.com/v1/{cluster}"
            ),
            "scope": "https://www.googleapis.com/auth/cloud-platform",
        });
        let mut curl = self.cluster.on_the_node("curl").unwrap();
        let output = curl
            .args(["--silent", "--show-error", "--json", &request.to_string()])
            .arg(format!("{sts}/v1/token"))
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"))
    }
}

impl Drop for OnNode {
    fn drop(&mut self) {
        // Its process is in the cluster's namespaces, so a signal to this one's child does not end it.
        let stopped = self.run(&["sandbox", "stop", "--cluster", "sidestep"]);
        assert!(stopped.status.success() || std::thread::panicking());
        let _ = self.child.wait();
    }
}

/// Returns a command of the runner on the cluster's node.
fn sidestep(cluster: &Cluster, folder: &Path, arguments: &[&str]) -> Option<Command> {
    let mut command = cluster.on_the_node("env")?;
    command
        .arg(format!("HOME={}", folder.display()))
        .arg("XDG_STATE_HOME=")
        .arg(env!("CARGO_BIN_EXE_sidestep"))
        .args(arguments)
        .stdin(Stdio::null());
    Some(command)
}

/// Returns a shell's lines that print the metadata server's answers, each after a line with its
/// path. The server answers only while the other direction is open, so a pipe holds it open until
/// the server has closed the connection.
fn asking(paths: &[&str]) -> String {
    let ask = |path: &&str| {
        format!(
            "echo \"== {path}\"\n\
             nc 169.254.169.254 80 </pipe & asks=$!\n\
             exec 3>/pipe\n\
             printf 'GET /computeMetadata/v1/instance/service-accounts/default/{path} HTTP/1.0\\r\\n\
             Host: 169.254.169.254\\r\\nMetadata-Flavor: Google\\r\\n\\r\\n' >&3\n\
             wait $asks\nexec 3>&-\necho\n"
        )
    };
    let asks: String = paths.iter().map(ask).collect();
    format!("mkfifo /pipe\n{asks}")
}

/// Runs a pod that asks for paths of its account, and returns its log.
fn asked(cluster: &Cluster, namespace: &str, account: &str, paths: &[&str]) -> String {
    let name = format!("ask-{account}");
    asked_by(cluster, namespace, account, paths, &name, false)
}

/// Runs a pod of a name, on its own network or that of the node, and returns its log.
fn asked_by(
    cluster: &Cluster,
    namespace: &str,
    account: &str,
    paths: &[&str],
    name: &str,
    on_the_node: bool,
) -> String {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "namespace": namespace, "name": name },
        "spec": {
            "restartPolicy": "Never", "serviceAccountName": account, "hostNetwork": on_the_node,
            "nodeSelector": { "iam.gke.io/gke-metadata-server-enabled": "true" },
            "containers": [{
                "name": "main", "image": cluster.image(), "command": ["sh", "-c", asking(paths)],
            }],
        },
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pod.to_string()).unwrap();
    cluster.ok(&["create", "--filename", file.path().to_str().unwrap()]);
    let ended = "--for=jsonpath={.status.phase}=Succeeded";
    let of = format!("--namespace={namespace}");
    cluster.ok(&["wait", &of, &format!("pod/{name}"), ended, "--timeout=120s"]);
    cluster.ok(&["logs", &of, name])
}

#[test]
fn a_pod_of_a_real_node_gets_its_own_identity() {
    let Some(cluster) = sidestep_cluster_testing::node() else {
        return;
    };
    if cluster.on_the_node("true").is_none() {
        return; // The users' nodes are not this machine.
    }
    // The namespace of the seed's binding, and another one with an account of the same name.
    let link = format!("iam.gke.io/gcp-service-account={BUILDER}");
    for (namespace, account) in [
        ("builds", "kaniko"),
        ("builds", "plain"),
        ("others", "kaniko"),
    ] {
        let _ = cluster.kubectl(&["create", "namespace", namespace]);
        let of = format!("--namespace={namespace}");
        cluster.ok(&["create", "serviceaccount", account, &of]);
        if account == "kaniko" {
            cluster.ok(&["annotate", "serviceaccount", account, &of, &link]);
        }
    }
    let sandbox = OnNode::start(cluster, "builds,others").unwrap();
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
    let _ = cluster.kubectl(&["create", "namespace", "elsewhere"]);
    cluster.ok(&[
        "create",
        "serviceaccount",
        "kaniko",
        "--namespace=elsewhere",
    ]);
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
    let refused = sandbox.exchange(token.trim());
    assert_eq!(refused["error"], "invalid_grant", "{refused}");

    assert!(installed(cluster).contains("google-names"));
    drop(sandbox);
    assert_eq!(installed(cluster), "");

    // A killed sandbox leaves its objects to the next command that stops it.
    let mut killed = OnNode::start(cluster, "builds").unwrap();
    killed.kill();
    assert!(installed(cluster).contains("google-names"));
    let stopped = killed.run(&["sandbox", "stop", "--cluster", "sidestep"]);
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

/// Returns the error of `sandbox --cluster` with a kubeconfig of one context `kind-kind`.
fn refused(arguments: &[&str], port: u16) -> (Option<i32>, String) {
    let mut setup = Setup::new();
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": [{ "name": "c", "cluster": { "server": format!("https://127.0.0.1:{port}") } }],
        "users": [{ "name": "u", "user": {} }],
        "contexts": [{ "name": "kind-kind", "context": { "cluster": "c", "user": "u" } }],
    });
    setup.write("kubeconfig", &kubeconfig.to_string());
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
