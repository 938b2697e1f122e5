//! `cargo xtask cluster`: clusters start, stand side by side, and leave nothing however they end.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A cluster of a test, which is ended when it is dropped.
struct Cluster {
    name: String,
}

/// What belongs to a live cluster, noted while it lives.
struct Traces {
    folder: PathBuf,
    first: u32,
    namespaces: Vec<PathBuf>,
    cgroup: String,
}

fn xtask(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("cluster").args(arguments);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns whether this machine can run clusters of that extent, and has built them. Prints the
/// reason if not, which is an error in CI.
fn runs_here(extent: &[&str]) -> bool {
    let mut arguments = vec!["check"];
    arguments.extend(extent);
    let check = xtask(&arguments).output().unwrap();
    if !check.status.success() {
        let line = format!("not run: {}", text(&check.stderr));
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{line}");
        #[expect(clippy::print_stdout, reason = "for the person who runs the tests")]
        {
            println!("{line}");
        }
    }
    check.status.success()
}

/// Waits until something holds. Processes that are no children of the test end here.
fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_mins(1), "not so: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn kill(process: u32) {
    let pid = Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

fn interfaces() -> Vec<PathBuf> {
    let entries = fs::read_dir("/sys/class/net").unwrap();
    let mut names: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names
}

impl Cluster {
    /// Chooses a name. Starts nothing yet.
    fn new(name: &str) -> Self {
        let name = format!("test-{}-{name}", std::process::id());
        Self { name }
    }

    fn up(&self, extent: &[&str]) {
        let mut up = xtask(&["up", "--name", &self.name]);
        let output = up.args(extent).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }

    fn exec(&self, words: &[&str]) -> Output {
        let mut exec = xtask(&["exec", "--name", &self.name]);
        exec.args(words).output().unwrap()
    }

    fn ok(&self, words: &[&str]) -> String {
        let output = self.exec(words);
        assert!(
            output.status.success(),
            "{words:?}: {}",
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// Returns the line of `status` about this cluster.
    fn status(&self) -> Option<String> {
        let output = xtask(&["status"]).output().unwrap();
        let lines = text(&output.stdout);
        let start = format!("{}: ", self.name);
        lines
            .lines()
            .find_map(|line| Some(line.strip_prefix(&start)?.to_owned()))
    }

    fn traces(&self) -> Traces {
        let status = self.status().expect("a cluster");
        let kubeconfig = status.strip_prefix("up, KUBECONFIG=").expect(&status);
        let folder = Path::new(kubeconfig).parent().unwrap().to_owned();
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let first = read("first.pid").trim().parse().unwrap();
        let namespace = |kind| fs::read_link(format!("/proc/{first}/ns/{kind}")).unwrap();
        Traces {
            first,
            namespaces: ["net", "mnt", "pid"].map(namespace).to_vec(),
            cgroup: read("cgroup"),
            folder,
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = xtask(&["down", "--name", &self.name])
            .stderr(Stdio::null())
            .status();
    }
}

impl Traces {
    /// Returns the processes in a namespace of the cluster or of its folder.
    fn processes(&self) -> Vec<u32> {
        let entries = fs::read_dir("/proc").unwrap();
        let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        ids.filter(|id: &u32| self.owns(*id)).collect()
    }

    fn owns(&self, process: u32) -> bool {
        let inside = ["net", "mnt", "pid"].iter().any(|kind| {
            let link = fs::read_link(format!("/proc/{process}/ns/{kind}"));
            link.is_ok_and(|link| self.namespaces.contains(&link))
        });
        let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        inside || text(&line).contains(&self.folder.display().to_string())
    }

    fn cgroups(&self) -> Vec<PathBuf> {
        if self.cgroup.is_empty() {
            return Vec::new();
        }
        let hierarchies = fs::read_dir("/sys/fs/cgroup").unwrap();
        let mut folders: Vec<PathBuf> = hierarchies
            .map(|entry| entry.unwrap().path().join(&self.cgroup))
            .collect();
        folders.push(Path::new("/sys/fs/cgroup").join(&self.cgroup));
        folders.retain(|folder| folder.exists());
        folders
    }

    /// Waits until nothing is left, and names what is left otherwise.
    fn are_gone(&self) {
        until("no process is left", || self.processes().is_empty());
        until("no cgroup is left", || self.cgroups().is_empty());
        until("no folder is left", || !self.folder.exists());
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(self.folder.to_str().unwrap()), "{mounts}");
    }
}

const POD: [&str; 9] = [
    "kubectl",
    "run",
    "pod",
    "--image=sidestep.test/busybox:1",
    "--restart=Never",
    "--",
    "sh",
    "-c",
    "nc $KUBERNETES_SERVICE_HOST 443 </dev/null && echo reached; sleep 1000",
];

/// Starts a pod that goes on, and waits for its first line.
fn start_pod(cluster: &Cluster) {
    cluster.ok(&POD);
    cluster.ok(&[
        "kubectl",
        "wait",
        "pod/pod",
        "--for=condition=Ready",
        "--timeout=180s",
    ]);
    until("the pod reached the API server", || {
        cluster.ok(&["kubectl", "logs", "pod"]) == "reached\n"
    });
}

#[test]
fn two_clusters_stand_side_by_side_and_one_ends_with_its_first_process() {
    if !runs_here(&[]) {
        return;
    }
    let interfaces_before = interfaces();
    let (node, api) = (Cluster::new("node"), Cluster::new("api"));
    std::thread::scope(|scope| {
        scope.spawn(|| node.up(&[]));
        scope.spawn(|| api.up(&["--api-only"]));
    });
    let nodes = node.ok(&["kubectl", "get", "nodes", "--no-headers"]);
    assert!(nodes.starts_with("node   Ready"), "{nodes}");
    start_pod(&node);
    // The same address is another API server in each.
    assert_eq!(api.ok(&["kubectl", "get", "nodes", "--output=name"]), "");
    api.ok(&["kubectl", "create", "configmap", "mine"]);
    assert!(
        !node
            .exec(&["kubectl", "get", "configmap", "mine"])
            .status
            .success()
    );
    // From the machine, each by its own port.
    let outside = |cluster: &Cluster| {
        let folder = cluster.traces().folder;
        let kubeconfig = format!("--kubeconfig={}", folder.join("kubeconfig").display());
        let kubectl = api.exec(&["sh", "-c", "command -v kubectl"]);
        let mut kubectl = Command::new(text(&kubectl.stdout).trim());
        kubectl.args([&*kubeconfig, "get", "nodes", "--output=name"]);
        text(&kubectl.output().unwrap().stdout)
    };
    assert_eq!(
        (outside(&node), outside(&api)),
        ("node/node\n".to_owned(), String::new())
    );
    // The exit code of the command, and its folder.
    assert_eq!(node.exec(&["sh", "-c", "exit 7"]).status.code(), Some(7));
    let here = std::env::current_dir().unwrap();
    assert_eq!(node.ok(&["pwd"]).trim(), here.to_str().unwrap());

    let traces = node.traces();
    assert!(!traces.cgroups().is_empty());
    assert!(traces.processes().len() > 8, "{:?}", traces.processes());
    kill(traces.first);
    traces.are_gone();
    assert_eq!(node.status(), None);

    let traces = api.traces();
    api.ok(&["kubectl", "get", "configmap", "mine"]);
    let down = xtask(&["down", "--name", &api.name]).output().unwrap();
    assert!(down.status.success(), "{}", text(&down.stderr));
    traces.are_gone();
    assert_eq!(interfaces(), interfaces_before);
}

#[test]
fn a_node_whose_keeper_is_killed_leaves_nothing() {
    if !runs_here(&[]) {
        return;
    }
    let cluster = Cluster::new("kept");
    cluster.up(&[]);
    start_pod(&cluster);
    let traces = cluster.traces();
    let keeper = traces.cgroup.rsplit('-').next().unwrap().parse().unwrap();
    assert!(traces.owns(keeper));
    kill(keeper);
    traces.are_gone();
}

#[test]
fn a_start_that_is_killed_leaves_nothing() {
    if !runs_here(&["--api-only"]) {
        return;
    }
    let cluster = Cluster::new("started");
    let mut up = xtask(&["up", "--api-only", "--name", &cluster.name])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(up.stderr.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    assert!(lines.any(|line| line.contains("starting etcd")));
    let traces = cluster.traces();
    up.kill().unwrap();
    up.wait().unwrap();
    traces.are_gone();
}

#[test]
fn one_of_two_starts_at_once_is_refused() {
    if !runs_here(&["--api-only"]) {
        return;
    }
    let cluster = Cluster::new("twice");
    let starts = [(), ()].map(|()| {
        let mut up = xtask(&["up", "--api-only", "--name", &cluster.name]);
        up.stdout(Stdio::piped()).stderr(Stdio::piped());
        up.spawn().unwrap()
    });
    let outputs = starts.map(|start| start.wait_with_output().unwrap());
    let refused: Vec<&Output> = outputs.iter().filter(|it| !it.status.success()).collect();
    assert_eq!(refused.len(), 1, "{outputs:?}");
    let told = text(&refused[0].stderr);
    assert!(told.contains("is already up"), "{told}");
    cluster.ok(&["kubectl", "get", "--raw=/readyz"]);
    let traces = cluster.traces();
    let down = xtask(&["down", "--name", &cluster.name]).output().unwrap();
    assert!(down.status.success(), "{}", text(&down.stderr));
    traces.are_gone();
    assert!(!traces.folder.with_extension("lock").exists());
}

#[test]
fn a_start_waits_for_what_a_killed_keeper_left() {
    if !runs_here(&["--api-only"]) {
        return;
    }
    let cluster = Cluster::new("again");
    cluster.up(&["--api-only"]);
    let before = cluster.traces();
    let keeper = before.processes().into_iter().find(|process| {
        let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        text(&line).contains("\0keep\0")
    });
    cluster.ok(&["kubectl", "create", "configmap", "mine"]);
    kill(keeper.expect("a keeper"));
    cluster.up(&["--api-only"]);
    // It is another cluster, and nothing of the first has removed its folder.
    let mine = cluster.exec(&["kubectl", "get", "configmap", "mine"]);
    assert!(!mine.status.success(), "{}", text(&mine.stdout));
    cluster.ok(&["kubectl", "get", "--raw=/readyz"]);
}

#[test]
fn a_stopped_part_stays_down_until_it_is_started_again() {
    if !runs_here(&["--api-only"]) {
        return;
    }
    let cluster = Cluster::new("stopped");
    cluster.up(&["--api-only"]);
    let part = |command: &str, part: &str| {
        let output = xtask(&[command, "--name", &cluster.name, part]).output();
        output.unwrap()
    };
    let unknown = text(&part("stop", "kubelet").stderr);
    assert!(unknown.contains("no running part `kubelet`"), "{unknown}");
    assert!(part("stop", "kube-apiserver").status.success());
    let request = ["kubectl", "get", "--raw=/readyz"];
    assert!(!cluster.exec(&request).status.success());
    assert!(cluster.status().unwrap().starts_with("up"));
    assert!(part("start", "kube-apiserver").status.success());
    until("it answers again", || {
        cluster.exec(&request).status.success()
    });
    let again = text(&part("start", "kube-apiserver").stderr);
    assert!(again.contains("is not stopped"), "{again}");
}

#[test]
fn a_part_that_ends_ends_the_cluster_and_names_its_log() {
    if !runs_here(&["--api-only"]) {
        return;
    }
    let cluster = Cluster::new("part");
    cluster.up(&["--api-only"]);
    let traces = cluster.traces();
    cluster.exec(&["sh", "-c", "kill -9 $(pidof etcd)"]);
    until("no process is left", || traces.processes().is_empty());
    let log = traces.folder.join("logs/etcd.log");
    let why = format!(
        "etcd ended with signal: 9 (SIGKILL)\nits log: {}\n",
        log.display()
    );
    let ended = fs::read_to_string(traces.folder.join("ended")).unwrap();
    assert!(ended.starts_with(&why), "{ended}");
    assert!(
        fs::read_to_string(log)
            .unwrap()
            .contains("ready to serve client requests")
    );

    let refused = cluster.exec(&["true"]);
    assert!(!refused.status.success());
    assert!(
        text(&refused.stderr).contains(&why),
        "{}",
        text(&refused.stderr)
    );
    assert!(
        cluster
            .status()
            .unwrap()
            .starts_with("ended: etcd ended with signal: 9")
    );
    // The name is free again.
    cluster.up(&["--api-only"]);
    cluster.ok(&["kubectl", "get", "--raw=/readyz"]);
}
