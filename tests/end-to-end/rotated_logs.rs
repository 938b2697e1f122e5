//! Logs that the kubelet of a real node rotates while they are read.

use std::fs;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sidestep_cluster_testing::{Cluster, Namespace, node_to_disturb};

use crate::beside::create;
use crate::setup::Setup;
use crate::soak::{is_soak, row};

/// The length of a line without its number.
const LINE: usize = 4000;
/// How long a connection lives that is cut.
const LIFE: Duration = Duration::from_millis(300);

/// A log that a pod writes.
#[derive(Clone, Copy)]
struct Log {
    lines: usize,
    /// The lines in a second.
    pace: usize,
}

impl Log {
    /// Returns the shell's lines that write it.
    fn script(self) -> String {
        let Self { lines, pace } = self;
        let tenth = pace / 10;
        format!(
            "line=$(head -c {LINE} /dev/zero | tr '\\0' x); i=0; while [ $i -lt {lines} ]; do \
             echo \"$i $line\"; i=$((i+1)); [ $((i % {tenth})) = 0 ] && sleep 0.1; done; \
             printf 'sha256:%064d' 1 >/dev/termination-log"
        )
    }

    fn megabytes(self) -> usize {
        self.lines * LINE / 1_000_000
    }
}

/// Lets pods with a script in their annotations run it in the place of a builder.
fn scripts(cluster: &Cluster) {
    let name = json!({ "name": "scripts.sidestep.test" });
    let script = "object.metadata.annotations['sidestep.test/script']";
    let patch = format!(
        "[JSONPatch{{op: 'replace', path: '/spec/containers/0/image', value: '{}'}}, \
          JSONPatch{{op: 'remove', path: '/spec/containers/0/args'}}, \
          JSONPatch{{op: 'add', path: '/spec/containers/0/command', \
                     value: dyn([dyn('sh'), dyn('-c'), dyn({script})])}}]",
        cluster.image()
    );
    let version = "admissionregistration.k8s.io/v1";
    create(
        cluster,
        &json!({
            "apiVersion": version, "kind": "MutatingAdmissionPolicy", "metadata": name,
            "spec": {
                "matchConstraints": { "resourceRules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                    "resources": ["pods"],
                }]},
                "matchConditions": [{
                    "name": "script",
                    "expression": "has(object.metadata.annotations) && 'sidestep.test/script' in object.metadata.annotations",
                }],
                "reinvocationPolicy": "Never",
                "failurePolicy": "Fail",
                "mutations": [{ "patchType": "JSONPatch", "jsonPatch": { "expression": patch } }],
            },
        }),
    );
    create(
        cluster,
        &json!({
            "apiVersion": version, "kind": "MutatingAdmissionPolicyBinding", "metadata": name,
            "spec": { "policyName": "scripts.sidestep.test" },
        }),
    );
    // The API server follows a few seconds later.
    let probe = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "probe", "namespace": "default",
            "annotations": { "sidestep.test/script": "true" },
        },
        "spec": { "containers": [{ "name": "main", "image": "none", "args": ["none"] }] },
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), probe.to_string()).unwrap();
    let path = file.path().to_str().unwrap();
    let asked = [
        "create",
        "--dry-run=server",
        "--output=json",
        "--filename",
        path,
    ];
    let began = Instant::now();
    while !cluster.ok(&asked).contains(cluster.image()) {
        assert!(began.elapsed() < Duration::from_mins(2), "no policy");
    }
}

/// Passes connections on to a port, and cuts each of them after a while. Returns its own port.
fn cutting(to: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for caller in listener.incoming().map_while(io::Result::ok) {
            thread::spawn(move || pass(&caller, to));
        }
    });
    port
}

fn pass(caller: &TcpStream, to: u16) -> io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", to))?;
    for (from, to) in [(caller, &server), (&server, caller)] {
        let (mut from, mut to) = (from.try_clone()?, to.try_clone()?);
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
            let _ = from.shutdown(Shutdown::Both);
        });
    }
    thread::sleep(LIFE);
    let _ = server.shutdown(Shutdown::Both);
    caller.shutdown(Shutdown::Both)
}

/// A build on the cluster whose pod writes a log.
struct Build {
    setup: Setup,
}

impl Build {
    /// Prepares a build that reaches the API server at a port of its own.
    fn new(cluster: &Cluster, namespace: &Namespace<'_>, log: Log, cut: bool) -> Self {
        let setup = Setup::with_application();
        let kubeconfig = fs::read_to_string(cluster.kubeconfig()).unwrap();
        let (before, after) = kubeconfig.split_once("https://127.0.0.1:").unwrap();
        let (port, after) = after.split_once('"').unwrap();
        let port: u16 = port.parse().unwrap();
        let port = if cut { cutting(port) } else { port };
        setup.write(
            "kubeconfig",
            &format!("{before}https://127.0.0.1:{port}\"{after}"),
        );
        let config = setup.folder().join("config/sidestep");
        fs::create_dir_all(&config).unwrap();
        fs::write(
            config.join("config.yaml"),
            "clusters: { far: { context: sidestep } }\n",
        )
        .unwrap();
        let pipeline = json!({
            "version": 1, "name": "far",
            "steps": { "build": { "uses": "sidestep/kaniko-launch", "with": {
                "cluster": "far", "context": "gs://demo-contexts/c.tar.gz",
                "destinations": ["registry.example.com/a:1"], "namespace": namespace.name(),
                "serviceAccount": "default", "nodeSelector": {},
                "podAnnotations": { "sidestep.test/script": log.script() },
            }}},
        });
        setup.write("sidestep.yaml", &pipeline.to_string());
        Self { setup }
    }

    fn command(&mut self, arguments: &[&str]) -> Command {
        let mut command = self.setup.command(arguments);
        command.env("KUBECONFIG", "kubeconfig");
        command
    }

    /// Runs it to its end. Returns its events.
    fn run(&mut self) -> Vec<Value> {
        let run = ["run", "--run-id", "far", "--output", "json"];
        let output = self.command(&run).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let events = String::from_utf8(output.stdout).unwrap();
        let events: Vec<Value> = events
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let rest: Vec<&Value> = events
            .iter()
            .filter(|event| event["type"] != "log")
            .collect();
        assert!(output.status.success(), "{said}{rest:#?}");
        events
    }
}

/// Returns the codes of the warnings about the log.
fn warnings(events: &[Value]) -> Vec<&str> {
    let warnings = events.iter().filter(|event| event["type"] == "warning");
    let codes = warnings.filter_map(|event| event["data"]["code"].as_str());
    codes.filter(|code| code.starts_with("pod.log")).collect()
}

/// Checks that each line comes once, and that a gap stands where lines are missing. Returns the
/// number of gaps and of missing lines.
fn gaps(events: &[Value], log: Log) -> (usize, usize) {
    let (mut next, mut gap, mut gaps, mut missing) = (0, false, 0, 0);
    for event in events {
        if event["data"]["code"] == "pod.log-gap" {
            let message = event["data"]["message"].as_str().unwrap();
            assert!(
                message.contains(" between 20") && message.contains(" and 20"),
                "{message}"
            );
            (gap, gaps) = (true, gaps + 1);
        } else if event["type"] == "log" && event["data"]["source"] == "pod" {
            let line = event["data"]["message"].as_str().unwrap();
            let (number, text) = line.split_once(' ').unwrap();
            let number: usize = number.parse().unwrap();
            assert!(
                text.len() == LINE && text.bytes().all(|byte| byte == b'x'),
                "{number}"
            );
            assert!(number >= next, "line {number} comes after {next}");
            assert!(
                number == next || gap,
                "lines {next} to {number} are missing without a gap"
            );
            missing += number - next;
            (next, gap) = (number + 1, false);
        }
    }
    assert_eq!(next, log.lines, "the end is there");
    (gaps, missing)
}

#[test]
fn a_log_is_read_through_rotation_whole_or_with_its_gaps() {
    let Some((cluster, _turn)) = node_to_disturb() else {
        return;
    };
    // GKE's size of a file, at 1 MB/s; the shortest interval that the kubelet accepts.
    let (size, log) = if is_soak() {
        let (lines, pace) = (25_000, 250);
        ("10Mi", Log { lines, pace })
    } else {
        let (lines, pace) = (2000, 200);
        ("512Ki", Log { lines, pace })
    };
    let configuration = format!("containerLogMaxSize: {size}\ncontainerLogMonitorInterval: 3s\n");
    let _configured = cluster.configure_kubelet(&configuration);
    let namespace = cluster.namespace();
    scripts(cluster);
    let (kept, cut) = thread::scope(|scope| {
        let (mut kept, mut cut) = [false, true]
            .map(|cut| Build::new(cluster, &namespace, log, cut))
            .into();
        let other = scope.spawn(move || cut.run());
        let kept_events = kept.run();
        let raw = kept.command(&["logs", "far", "build", "--raw"]).output();
        let raw = raw.unwrap().stdout;
        let line = "x".repeat(LINE);
        let wanted: String = (0..log.lines).map(|i| format!("{i} {line}\n")).collect();
        assert_eq!(warnings(&kept_events), Vec::<&str>::new());
        assert!(
            raw == wanted.as_bytes(),
            "{} of {} bytes",
            raw.len(),
            wanted.len()
        );
        (raw.len(), other.join().unwrap())
    });
    let (gaps, missing) = gaps(&cut, log);
    cluster.ok(&[
        "delete",
        "mutatingadmissionpolicies/scripts.sidestep.test",
        "mutatingadmissionpolicybindings/scripts.sidestep.test",
    ]);
    let megabytes = log.megabytes();
    row(
        format!("{megabytes} MB of log in files of {size}, the connection kept"),
        format!("{kept} bytes, the same as written"),
    );
    row(
        format!("{megabytes} MB of log in files of {size}, each connection cut after 300 ms"),
        format!(
            "no line twice; {gaps} gaps shown, {missing} of {} lines missing in them",
            log.lines
        ),
    );
}
