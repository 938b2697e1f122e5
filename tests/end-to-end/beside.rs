//! A sandbox beside the tests' cluster: on its node, or on a machine that no pod reaches; and pods
//! that ask it who they are.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use serde_json::{Value, json};
use sidestep_cluster_testing::Cluster;
use tempfile::TempDir;

pub(crate) const BUILDER: &str = "builder@demo.iam.gserviceaccount.com";

/// A ceiling for what takes seconds.
const LONG: Duration = Duration::from_mins(3);

/// The node has one metadata server, so one test at a time uses it.
static ALONE: Mutex<()> = Mutex::new(());

/// Returns the tests' node for one test, if it is one of this machine.
pub(crate) fn node() -> Option<(&'static Cluster, MutexGuard<'static, ()>)> {
    let cluster = sidestep_cluster_testing::node()?;
    cluster.on_the_node("true")?;
    Some((
        cluster,
        ALONE.lock().unwrap_or_else(PoisonError::into_inner),
    ))
}

/// Creates a service account and its namespace, if they do not exist.
pub(crate) fn account(cluster: &Cluster, namespace: &str, name: &str, google: Option<&str>) {
    let _ = cluster.kubectl(&["create", "namespace", namespace]);
    let of = format!("--namespace={namespace}");
    let _ = cluster.kubectl(&["create", "serviceaccount", name, &of]);
    if let Some(google) = google {
        let link = format!("iam.gke.io/gcp-service-account={google}");
        cluster.ok(&[
            "annotate",
            "serviceaccount",
            name,
            &of,
            &link,
            "--overwrite",
        ]);
    }
}

/// The machine of a sandbox beside a cluster.
#[derive(Clone, Copy)]
pub(crate) enum Machine {
    /// The cluster's node.
    Node,
    /// Another one, which reaches the API server and which no pod reaches.
    Outside,
}

impl Machine {
    /// Returns a command there, with a kubeconfig of the cluster.
    pub(crate) fn command(self, cluster: &Cluster, program: &str) -> Option<Command> {
        match self {
            Self::Node => cluster.on_the_node(program),
            Self::Outside => {
                let mut command = Command::new(program);
                command.env("KUBECONFIG", cluster.kubeconfig());
                Some(command)
            }
        }
    }
}

/// A sandbox beside the tests' cluster.
pub(crate) struct Beside {
    cluster: &'static Cluster,
    machine: Machine,
    scenario: &'static str,
    folder: TempDir,
    child: Child,
    /// The lines after it.
    later: Mutex<mpsc::Receiver<String>>,
    /// The text for people.
    pub(crate) welcome: String,
}

impl Beside {
    /// Serves the pods of these namespaces.
    pub(crate) fn start(cluster: &'static Cluster, namespaces: &str) -> Option<Self> {
        Self::of_scenario(cluster, Machine::Node, "healthy", namespaces)
    }

    /// Serves the pods of these namespaces on a machine.
    pub(crate) fn at(
        machine: Machine,
        cluster: &'static Cluster,
        namespaces: &str,
    ) -> Option<Self> {
        Self::of_scenario(cluster, machine, "healthy", namespaces)
    }

    /// Serves the pods of these namespaces in a scenario.
    pub(crate) fn of_scenario(
        cluster: &'static Cluster,
        machine: Machine,
        scenario: &'static str,
        namespaces: &str,
    ) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let names = ["--scenario", scenario, "--cluster", "sidestep"];
        let arguments = [&["sandbox"][..], &names, &["--namespaces", namespaces]].concat();
        let mut child = sidestep(machine, cluster, folder.path(), &arguments)?
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut welcome = String::new();
        while !welcome.contains("know Google's names") && !welcome.contains("get no identity") {
            let read = errors.read_line(&mut welcome).unwrap();
            assert!(read > 0, "it did not come up: {welcome}");
        }
        let (said, later) = mpsc::channel();
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                // The test may have heard enough.
                let _ = said.send(line);
            }
        });
        Some(Self {
            cluster,
            machine,
            scenario,
            folder,
            child,
            later: Mutex::new(later),
            welcome,
        })
    }

    /// Returns a command of the runner, which works in the sandbox's folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command =
            sidestep(self.machine, self.cluster, self.folder.path(), arguments).unwrap();
        command.current_dir(self.folder.path());
        command
    }

    /// Returns a command of the runner that uses this kubeconfig.
    pub(crate) fn command_as(&self, kubeconfig: &Path, arguments: &[&str]) -> Command {
        let mut command = self.machine.command(self.cluster, "env").unwrap();
        command
            .arg(format!("HOME={}", self.folder.path().display()))
            .arg(format!("KUBECONFIG={}", kubeconfig.display()))
            .arg("XDG_STATE_HOME=")
            .arg(env!("CARGO_BIN_EXE_sidestep"))
            .args(arguments)
            .current_dir(self.folder.path());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(crate) fn cluster(&self) -> &'static Cluster {
        self.cluster
    }

    /// Waits until it says something.
    pub(crate) fn says(&self, text: &str) {
        let later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        let mut heard = Vec::new();
        while !heard.iter().any(|line: &String| line.contains(text)) {
            let line = later.recv_timeout(LONG);
            heard.push(line.unwrap_or_else(|error| panic!("{error} after {heard:#?}")));
        }
    }

    /// Returns the sandbox's folder, the workspace of its runs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a subcommand of `sandbox` for this one.
    pub(crate) fn manage(&self, subcommand: &[&str]) -> Output {
        let names = ["--scenario", self.scenario, "--cluster", "sidestep"];
        self.run(&[&["sandbox"][..], subcommand, &names].concat())
    }

    pub(crate) fn status(&self) -> Value {
        let status = self.manage(&["status", "--output", "json"]);
        serde_json::from_slice(&status.stdout).unwrap()
    }

    /// Runs a line of a shell on the sandbox's machine, with the sandbox's exports. Returns what it prints.
    pub(crate) fn in_a_shell(&self, line: &str) -> String {
        let exports = self.manage(&["status", "--output", "env"]);
        let exports = String::from_utf8(exports.stdout).unwrap();
        let mut shell = self.machine.command(self.cluster, "env").unwrap();
        let output = shell
            .arg(format!("HOME={}", self.folder.path().display()))
            .args(["sh", "-c", &format!("{exports}\n{line}")])
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a file of the sandbox's folder. Returns its exit code and what it prints.
    pub(crate) fn pipeline(&self, file: &str) -> (Option<i32>, String) {
        let sandbox = format!("--sandbox={}@sidestep", self.scenario);
        let workspace = self.folder.path().to_str().unwrap();
        let output = self.run(&["--workspace", workspace, "run", file, &sandbox]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = text(&output.stdout) + &text(&output.stderr);
        (output.status.code(), said)
    }

    /// Kills it as if the machine had failed (SIGKILL).
    pub(crate) fn kill(&mut self) {
        let status = self.status();
        let pid = status["live"]["pid"].to_string();
        let mut kill = self.machine.command(self.cluster, "kill").unwrap();
        assert!(kill.args(["-KILL", &pid]).status().unwrap().success());
        self.wait();
    }

    /// Takes the process of a new start in the same folder as this sandbox's.
    pub(crate) fn goes_on_as(&mut self, child: Child) {
        self.child = child;
    }

    /// Waits for the end of its process.
    pub(crate) fn wait(&mut self) {
        self.child.wait().unwrap();
    }

    /// Lists the objects of a bucket of the seed, as a pod would under Google's name.
    pub(crate) fn list_contexts(&self, token: &str) -> Value {
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
    pub(crate) fn exchange(&self, token: &str) -> Value {
        let status = self.status();
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

impl Drop for Beside {
    fn drop(&mut self) {
        // Its process is in the cluster's namespaces, so a signal to this one's child does not end it.
        let stopped = self.manage(&["stop"]);
        assert!(stopped.status.success() || std::thread::panicking());
        let _ = self.child.wait();
    }
}

/// Returns a command of the runner.
pub(crate) fn sidestep(
    machine: Machine,
    cluster: &Cluster,
    folder: &Path,
    arguments: &[&str],
) -> Option<Command> {
    let mut command = machine.command(cluster, "env")?;
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
            "echo \"== {path}\"\nwhile true; do\n\
             nc 169.254.169.254 80 </pipe >/answer & asks=$!\n\
             exec 3>/pipe\n\
             printf 'GET /computeMetadata/v1/instance/service-accounts/default/{path} HTTP/1.0\\r\\n\
             Host: 169.254.169.254\\r\\nMetadata-Flavor: Google\\r\\n\\r\\n' >&3\n\
             wait $asks\nexec 3>&-\n\
             grep -q '^HTTP/1.. 503' /answer || break\ndone\ncat /answer\necho\n"
        )
    };
    let asks: String = paths.iter().map(ask).collect();
    format!("mkfifo /pipe\n{asks}")
}

/// Runs a pod that asks for paths of its account, and returns its log.
pub(crate) fn asked(cluster: &Cluster, namespace: &str, account: &str, paths: &[&str]) -> String {
    let name = format!("ask-{account}");
    asked_by(cluster, namespace, account, paths, &name, false)
}

/// Runs a pod of a name, on its own network or that of the node, and returns its log.
pub(crate) fn asked_by(
    cluster: &Cluster,
    namespace: &str,
    account: &str,
    paths: &[&str],
    name: &str,
    on_the_node: bool,
) -> String {
    let mut pod = asking_pod(cluster, namespace, account, name, paths);
    pod["spec"]["hostNetwork"] = json!(on_the_node);
    create(cluster, &pod);
    let ended = "--for=jsonpath={.status.phase}=Succeeded";
    let of = format!("--namespace={namespace}");
    cluster.ok(&["wait", &of, &format!("pod/{name}"), ended, "--timeout=120s"]);
    cluster.ok(&["logs", &of, name])
}

pub(crate) fn create(cluster: &Cluster, object: &Value) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), object.to_string()).unwrap();
    cluster.ok(&["create", "--filename", file.path().to_str().unwrap()]);
}

/// Returns a pod that asks for paths of its account.
pub(crate) fn asking_pod(
    cluster: &Cluster,
    namespace: &str,
    account: &str,
    name: &str,
    paths: &[&str],
) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "namespace": namespace, "name": name },
        "spec": {
            "restartPolicy": "Never", "serviceAccountName": account,
            "nodeSelector": { "iam.gke.io/gke-metadata-server-enabled": "true" },
            "containers": [{
                "name": "main", "image": cluster.image(), "command": ["sh", "-c", asking(paths)],
            }],
        },
    })
}
