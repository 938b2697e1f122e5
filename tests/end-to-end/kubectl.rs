//! Unmodified kubectl against the sandbox's process.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::served::Served;
use crate::setup::program;

/// A build whose context is in a ConfigMap, so that kubectl alone can set it up.
const BUILD: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: { name: context }
data: { Dockerfile: "FROM scratch\nCOPY hello.txt /\n", hello.txt: "hello\n" }
---
apiVersion: v1
kind: Pod
metadata: { name: build, labels: { app: demo } }
spec:
  serviceAccountName: kaniko
  restartPolicy: Never
  containers:
  - name: kaniko
    image: gcr.io/kaniko-project/executor:latest
    args:
    - --context=dir:///context
    - --destination=europe-docker.pkg.dev/demo/images/app:1
    - --log-format=text
    volumeMounts: [{ name: context, mountPath: /context }]
  volumes: [{ name: context, configMap: { name: context } }]
"#;

#[test]
fn a_build_by_hand_from_manifest_to_deletion() {
    let Some(_) = program("kubectl") else { return };
    let mut served = Served::new();
    served.setup.write("build.yaml", BUILD);
    let shell = served.shell(&[]);

    let applied = shell.ok("kubectl apply -f build.yaml");
    assert_eq!(applied, "configmap/context created\npod/build created\n");
    let log = shell.ok("kubectl logs -f build");
    assert!(
        log.contains("Pushed europe-docker.pkg.dev/demo/images/app@sha256:"),
        "{log}"
    );
    let done = "kubectl wait --for=jsonpath={.status.phase}=Succeeded pod/build --timeout=20s";
    assert_eq!(shell.ok(done), "pod/build condition met\n");

    let described = shell.ok("kubectl describe pod build");
    for part in [
        "Service Account:  kaniko",
        "Reason:       Completed",
        "ConfigMap (a volume populated by a ConfigMap)",
        "Started container kaniko",
    ] {
        assert!(described.contains(part), "{part}: {described}");
    }
    let wide = shell.ok("kubectl get pod build -o wide");
    assert!(
        wide.contains("NOMINATED NODE") && wide.contains("Completed"),
        "{wide}"
    );
    let yaml = shell.ok("kubectl get pod build -o yaml");
    assert!(yaml.contains("\nspec:\n  containers:\n"), "{yaml}");
    // Kubernetes itself writes this null explicitly.
    let nulls = yaml.lines().filter(|line| line.ends_with(": null"));
    assert!(
        nulls.into_iter().all(|line| line.contains("lastProbeTime")),
        "{yaml}"
    );

    // The live object matches the applied one (kubectl reports `configured` for every pod with
    // volumes, because its own patch only sets their order), and it may be labelled.
    let version = |pod: &serde_json::Value| pod["metadata"]["resourceVersion"].clone();
    let before = shell.json("kubectl get pod build");
    let again = shell.ok("kubectl apply -f build.yaml");
    assert!(again.starts_with("configmap/context unchanged\npod/build "));
    assert_eq!(
        version(&shell.json("kubectl get pod build")),
        version(&before)
    );
    shell.ok("kubectl annotate pod build note=first");
    shell.ok("kubectl label pod build tier=one");
    let refused = shell.refused("kubectl label pod build tier=two");
    assert!(refused.contains("--overwrite is false"), "{refused}");
    shell.ok("kubectl label pod build tier=two --overwrite");
    let pod = shell.json("kubectl get pod build");
    assert_eq!(pod["metadata"]["annotations"]["note"], "first");
    assert_eq!(pod["metadata"]["labels"]["tier"], "two");
    let found = shell.ok("kubectl get pods -l app=demo,tier=two -o name");
    assert_eq!(found, "pod/build\n");

    let deleted = shell.ok("kubectl delete pod build --wait");
    assert!(deleted.starts_with("pod \"build\" deleted"), "{deleted}");
    let gone = shell.refused("kubectl get pod build");
    assert_eq!(
        gone,
        "Error from server (NotFound): pods \"build\" not found\n"
    );
}

#[test]
fn what_people_try_first() {
    let Some(_) = program("kubectl") else { return };
    let mut served = Served::new();
    let shell = served.shell(&[]);
    assert_eq!(shell.ok("kubectl auth can-i create pods"), "yes\n");
    let me = shell.ok("kubectl auth whoami");
    assert!(me.contains("dev@example.com"), "{me}");
    let fields = shell.ok("kubectl explain pods");
    assert!(fields.contains("KIND:       Pod"), "{fields}");
    let nodes = shell.ok("kubectl get nodes");
    assert!(nodes.contains("Ready"), "{nodes}");

    let account = "kubectl create serviceaccount robot";
    assert_eq!(shell.ok(account), "serviceaccount/robot created\n");
    let annotated = "kubectl annotate serviceaccount robot iam.gke.io/gcp-service-account=x@y.z";
    shell.ok(annotated);
    shell.ok("kubectl create secret generic words --from-literal=a=b");
    let secret = shell.json("kubectl get secret words");
    assert_eq!(secret["data"]["a"], "Yg==");
    let manifest = "kind: ConfigMap\napiVersion: v1\nmetadata: { name: piped }\n";
    let created = shell.given("kubectl create -f -", manifest);
    assert_eq!(created, "configmap/piped created\n");

    // Objects that the cluster itself created come back.
    let all = "kubectl delete configmaps --all";
    assert!(shell.ok(all).contains("kube-root-ca.crt"));
    let back = "kubectl wait --for=create configmap/kube-root-ca.crt --timeout=20s";
    shell.ok(back);

    // The sandbox does not run images other than kaniko's, and the pod says so.
    shell.ok("kubectl run other --image=nginx");
    let waiting = "kubectl wait pod/other --timeout=20s --for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff";
    shell.ok(waiting);
    let described = shell.ok("kubectl describe pod other");
    assert!(
        described.contains("the sandbox runs only kaniko"),
        "{described}"
    );
    shell.ok("kubectl delete pod other --now");
}

#[test]
fn a_watch_tells_what_happens() {
    let Some(_) = program("kubectl") else { return };
    let mut served = Served::new();
    let shell = served.shell(&[]);
    let watch = "kubectl get configmaps -w --output-watch-events --no-headers";
    let mut child = shell
        .command(watch)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || {
        let line = lines.next().unwrap().unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        format!("{} {}", words[0], words[1])
    };
    assert_eq!(next(), "ADDED kube-root-ca.crt");
    shell.ok("kubectl create configmap new --from-literal=a=1");
    assert_eq!(next(), "ADDED new");
    shell.ok("kubectl label configmap new a=b");
    assert_eq!(next(), "MODIFIED new");
    shell.ok("kubectl delete configmap new");
    assert_eq!(next(), "DELETED new");
    child.kill().unwrap();
    child.wait().unwrap();
}
