//! Unmodified kubectl against the cluster.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use sidestep_test_harness::programs::program;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

use crate::support::{Cluster, PODS, open, phase, pod};

struct Kubectl {
    config: std::path::PathBuf,
    home: std::path::PathBuf,
}

#[derive(Debug)]
struct Said {
    ok: bool,
    out: String,
    err: String,
}

/// Returns `None` if kubectl is not installed.
fn kubectl(cluster: &Cluster, token: &str) -> Option<Kubectl> {
    program("kubectl")?;
    let config = cluster.dir.path().join(format!("kubeconfig-{token}"));
    let text = cluster.kubernetes.kubeconfig(&cluster.url, token, "builds");
    std::fs::write(&config, text).expect("written");
    Some(Kubectl {
        config,
        home: cluster.dir.path().join("home"),
    })
}

impl Kubectl {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command
            .args(args)
            .env("KUBECONFIG", &self.config)
            .env("HOME", &self.home)
            .env_remove("KUBERNETES_SERVICE_HOST")
            .kill_on_drop(true)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    async fn with_input(&self, args: &[&str], input: &str) -> Said {
        let run = async {
            let mut child = self.command(args).spawn().expect("starts");
            let mut stdin = child.stdin.take().expect("a pipe");
            stdin.write_all(input.as_bytes()).await.expect("written");
            drop(stdin);
            child.wait_with_output().await.expect("ends")
        };
        let output = tokio::time::timeout(Duration::from_mins(1), run)
            .await
            .unwrap_or_else(|_| panic!("kubectl {args:?} took over a minute"));
        Said {
            ok: output.status.success(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    async fn run(&self, args: &[&str]) -> Said {
        self.with_input(args, "").await
    }

    /// Runs a command that must succeed, and returns its output.
    async fn ok(&self, args: &[&str]) -> String {
        let said = self.run(args).await;
        assert!(said.ok, "kubectl {args:?}: {}", said.err);
        said.out
    }
}

#[tokio::test]
async fn a_pod_is_created_looked_at_and_deleted() {
    let cluster = open(|_| {}).await;
    let Some(kubectl) = kubectl(&cluster, "developer") else {
        return;
    };
    let manifest = pod("web", &["say=hello from the pod", "wait"]).to_string();
    let said = kubectl.with_input(&["create", "-f", "-"], &manifest).await;
    assert_eq!(
        (said.ok, said.out.as_str()),
        (true, "pod/web created\n"),
        "{said:?}"
    );
    let said = kubectl.with_input(&["create", "-f", "-"], &manifest).await;
    assert!(
        !said.ok
            && said.err.contains("(AlreadyExists)")
            && said.err.contains("pods \"web\" already exists"),
        "{said:?}"
    );
    let waited = kubectl
        .ok(&["wait", "--for=condition=Ready", "pod/web", "--timeout=20s"])
        .await;
    assert_eq!(waited, "pod/web condition met\n");

    let table = kubectl.ok(&["get", "pods"]).await;
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|l| l.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0], ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
    assert_eq!(&lines[1][..4], ["web", "1/1", "Running", "0"]);
    let wide = kubectl.ok(&["get", "pod", "web", "-o", "wide"]).await;
    assert!(
        wide.contains("NOMINATED NODE") && wide.contains("sandbox-node-1"),
        "{wide}"
    );
    let object: Value =
        serde_json::from_str(&kubectl.ok(&["get", "pod", "web", "-o", "json"]).await)
            .expect("JSON");
    assert_eq!(object["status"]["phase"], "Running");
    let yaml = kubectl.ok(&["get", "pod", "web", "-o", "yaml"]).await;
    assert!(
        yaml.contains("serviceAccountName: kaniko") && !yaml.contains("managedFields"),
        "{yaml}"
    );
    let all = kubectl
        .ok(&["get", "pods", "-A", "-l", "app=web", "--no-headers"])
        .await;
    assert!(all.starts_with("builds"), "{all}");

    let described = kubectl.ok(&["describe", "pod", "web"]).await;
    for part in [
        "Service Account:  kaniko",
        "Status:           Running",
        "Events:",
        "Successfully assigned builds/web to sandbox-node-1",
        "Started container main",
        "QoS Class:                   BestEffort",
    ] {
        assert!(described.contains(part), "{part:?} in {described}");
    }
    assert!(
        kubectl
            .ok(&["describe", "node", "sandbox-node-1"])
            .await
            .contains("KubeletReady")
    );

    let logs = kubectl.ok(&["logs", "web"]).await;
    assert_eq!(logs, "hello from the pod\n");
    let said = kubectl.run(&["delete", "pod", "web"]).await;
    assert!(
        said.ok && said.out.contains("pod \"web\" deleted"),
        "{said:?}"
    );
    let said = kubectl.run(&["get", "pod", "web"]).await;
    assert!(
        !said.ok
            && said
                .err
                .contains("Error from server (NotFound): pods \"web\" not found"),
        "{said:?}"
    );
    assert!(cluster.kubernetes.get("pods", "builds", "web").is_none());
}

#[tokio::test]
async fn following_a_log_to_its_end() {
    let cluster = open(|_| {}).await;
    let Some(kubectl) = kubectl(&cluster, "developer") else {
        return;
    };
    cluster
        .post(PODS, pod("a", &["say=one", "say=two", "wait"]))
        .await;
    cluster.until("a", phase("Running")).await;
    let mut child = kubectl
        .command(&["logs", "-f", "a"])
        .spawn()
        .expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let reading = async {
        assert_eq!(
            lines.next_line().await.expect("reads").as_deref(),
            Some("one")
        );
        assert_eq!(
            lines.next_line().await.expect("reads").as_deref(),
            Some("two")
        );
        cluster.delete(&format!("{PODS}/a")).await;
        assert_eq!(
            lines.next_line().await.expect("reads").as_deref(),
            Some("terminated")
        );
        assert_eq!(lines.next_line().await.expect("reads"), None);
        assert!(child.wait().await.expect("ends").success());
    };
    tokio::time::timeout(Duration::from_mins(1), reading)
        .await
        .expect("in time");
}

#[tokio::test]
async fn apply_in_both_forms() {
    let cluster = open(|_| {}).await;
    let Some(kubectl) = kubectl(&cluster, "developer") else {
        return;
    };
    let map = |value: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  colour: {value}\n"
        )
    };
    for (value, word) in [
        ("red", "created"),
        ("blue", "configured"),
        ("blue", "unchanged"),
    ] {
        let said = kubectl.with_input(&["apply", "-f", "-"], &map(value)).await;
        assert_eq!(
            (said.ok, said.out),
            (true, format!("configmap/settings {word}\n")),
            "{}",
            said.err
        );
        assert!(said.err.is_empty(), "{}", said.err);
    }
    assert_eq!(
        cluster
            .kubernetes
            .get("configmaps", "builds", "settings")
            .expect("there")["data"]["colour"],
        "blue"
    );
    let said = kubectl
        .with_input(&["apply", "--server-side", "-f", "-"], &map("green"))
        .await;
    assert!(!said.ok && said.err.contains("conflict"), "{said:?}");
    let said = kubectl
        .with_input(
            &["apply", "--server-side", "--force-conflicts", "-f", "-"],
            &map("green"),
        )
        .await;
    assert_eq!(
        (said.ok, said.out.as_str()),
        (true, "configmap/settings serverside-applied\n"),
        "{}",
        said.err
    );
    assert_eq!(
        cluster
            .kubernetes
            .get("configmaps", "builds", "settings")
            .expect("there")["data"]["colour"],
        "green"
    );

    let manifest = pod("job", &["exit=0"]).to_string();
    let said = kubectl.with_input(&["apply", "-f", "-"], &manifest).await;
    assert_eq!(
        (said.ok, said.out.as_str()),
        (true, "pod/job created\n"),
        "{}",
        said.err
    );
    let said = kubectl.with_input(&["apply", "-f", "-"], &manifest).await;
    assert_eq!(
        (said.ok, said.out.as_str()),
        (true, "pod/job unchanged\n"),
        "{}",
        said.err
    );
    let mut changed = pod("job", &["exit=1"]);
    changed["spec"]["containers"][0]["name"] = "other".into();
    let said = kubectl
        .with_input(&["apply", "-f", "-"], &changed.to_string())
        .await;
    assert!(
        !said.ok
            && said
                .err
                .contains("spec: Forbidden: pod updates may not change fields"),
        "{said:?}"
    );
    let mut wrong = pod("typo", &[]);
    wrong["spec"]["restartpolicy"] = "Never".into();
    let said = kubectl
        .with_input(&["create", "-f", "-"], &wrong.to_string())
        .await;
    assert!(
        !said.ok && said.err.contains("unknown field \"spec.restartpolicy\""),
        "{said:?}"
    );
    let said = kubectl
        .with_input(
            &["create", "--dry-run=server", "-f", "-"],
            &pod("dry", &[]).to_string(),
        )
        .await;
    assert_eq!(
        (said.ok, said.out.as_str()),
        (true, "pod/dry created (server dry run)\n"),
        "{}",
        said.err
    );
    assert!(cluster.kubernetes.get("pods", "builds", "dry").is_none());
}

#[tokio::test]
async fn the_commands_that_mend_workload_identity() {
    let cluster = open(|_| {}).await;
    let Some(kubectl) = kubectl(&cluster, "developer") else {
        return;
    };
    assert_eq!(
        kubectl
            .ok(&["create", "serviceaccount", "new", "-n", "builds"])
            .await,
        "serviceaccount/new created\n"
    );
    let link = "iam.gke.io/gcp-service-account=other@demo.iam.gserviceaccount.com";
    let said = kubectl
        .run(&["annotate", "serviceaccount", "kaniko", "-n", "builds", link])
        .await;
    assert!(
        !said.ok
            && said
                .err
                .contains("--overwrite is false but found the following declared annotation"),
        "{said:?}"
    );
    let said = kubectl
        .ok(&[
            "annotate",
            "serviceaccount",
            "kaniko",
            "-n",
            "builds",
            link,
            "--overwrite",
        ])
        .await;
    assert_eq!(said, "serviceaccount/kaniko annotated\n");
    let annotations = |name: &str| {
        cluster
            .kubernetes
            .service_account("builds", name)
            .expect("there")
    };
    assert_eq!(
        annotations("kaniko")["iam.gke.io/gcp-service-account"],
        "other@demo.iam.gserviceaccount.com"
    );
    kubectl
        .ok(&[
            "annotate",
            "serviceaccount",
            "kaniko",
            "iam.gke.io/gcp-service-account-",
        ])
        .await;
    assert!(annotations("kaniko").is_empty());
    assert_eq!(
        kubectl
            .ok(&["label", "serviceaccount", "kaniko", "team=ci"])
            .await,
        "serviceaccount/kaniko labeled\n"
    );
    assert_eq!(
        cluster
            .kubernetes
            .get("serviceaccounts", "builds", "kaniko")
            .expect("there")["metadata"]["labels"]["team"],
        "ci"
    );
    let token = kubectl
        .ok(&["create", "token", "kaniko", "--audience=demo.svc.id.goog"])
        .await;
    assert_eq!(
        cluster
            .kubernetes
            .verify_token(token.trim(), "demo.svc.id.goog")
            .expect("valid")
            .name,
        "kaniko"
    );
    kubectl.ok(&["delete", "serviceaccount", "new"]).await;
    assert!(
        cluster
            .kubernetes
            .service_account("builds", "new")
            .is_none()
    );
    assert_eq!(
        kubectl.ok(&["create", "namespace", "other"]).await,
        "namespace/other created\n"
    );
    assert!(
        cluster
            .kubernetes
            .service_account("other", "default")
            .is_some()
    );
    kubectl.ok(&["delete", "namespace", "other"]).await;
    assert!(cluster.kubernetes.get("namespaces", "", "other").is_none());
    kubectl
        .ok(&["create", "secret", "generic", "s", "--from-literal=k=v"])
        .await;
    let value = kubectl
        .ok(&["get", "secret", "s", "-o", "jsonpath={.data.k}"])
        .await;
    assert_eq!(value, "dg==");
}

#[tokio::test]
async fn questions_about_rights_and_kinds() {
    let cluster = open(|_| {}).await;
    let Some(developer) = kubectl(&cluster, "developer") else {
        return;
    };
    assert_eq!(
        developer.ok(&["auth", "can-i", "create", "pods"]).await,
        "yes\n"
    );
    assert_eq!(
        developer
            .ok(&["auth", "can-i", "get", "pods", "--subresource=log"])
            .await,
        "yes\n"
    );
    assert!(
        developer
            .ok(&["auth", "can-i", "--list"])
            .await
            .contains("pods/log")
    );
    assert!(
        developer
            .ok(&["auth", "whoami"])
            .await
            .contains("developer@example.com")
    );
    let explained = developer
        .ok(&["explain", "pod.spec.serviceAccountName"])
        .await;
    assert!(
        explained.contains("FIELD: serviceAccountName <string>"),
        "{explained}"
    );
    let kinds = developer.ok(&["api-resources"]).await;
    assert!(
        kinds.contains("serviceaccounts") && kinds.contains("SelfSubjectAccessReview"),
        "{kinds}"
    );
    assert!(
        developer
            .ok(&["version"])
            .await
            .contains("Server Version: v1.33")
    );
    let viewer = kubectl(&cluster, "viewer").expect("it was there before");
    let said = viewer.run(&["auth", "can-i", "create", "pods"]).await;
    assert!(!said.ok && said.out.starts_with("no"), "{said:?}");
    let said = viewer.run(&["delete", "serviceaccount", "kaniko"]).await;
    assert!(
        !said.ok
            && said
                .err
                .contains("requires one of [\"container.serviceAccounts.delete\"] permission(s)"),
        "{said:?}"
    );
    let forged = kubectl(&cluster, "forged").expect("it was there before");
    let said = forged.run(&["get", "pods"]).await;
    assert!(
        !said.ok && said.err.contains("You must be logged in to the server"),
        "{said:?}"
    );
}
