//! Faults of pods, and how they appear from outside.

use serde_json::{Value, json};

use crate::support::{Cluster, PODS, open, phase, pod};

async fn with(faults: Value) -> Cluster {
    open(|config| config.faults = serde_json::from_value(faults).expect("faults")).await
}

fn state(pod: &Value) -> &Value {
    &pod["status"]["containerStatuses"][0]["state"]
}

fn has(events: &[(String, String)], reason: &str, part: &str) -> bool {
    events.iter().any(|(r, m)| r == reason && m.contains(part))
}

#[tokio::test]
async fn a_pod_lives_and_says_so() {
    let cluster = open(|_| {}).await;
    let (_, made) = cluster
        .post(PODS, pod("a", &["say=hello", "message=sha256:1", "exit=0"]))
        .await;
    assert_eq!(made["status"]["phase"], "Pending");
    let done = cluster.until("a", phase("Succeeded")).await;
    assert_eq!(state(&done)["terminated"]["message"], "sha256:1");
    assert_eq!(state(&done)["terminated"]["reason"], "Completed");
    assert_eq!(done["spec"]["nodeName"], "sandbox-node-1");
    let events = cluster.events("a").await;
    let reasons: Vec<&str> = events.iter().map(|(r, _)| r.as_str()).collect();
    for wanted in ["Scheduled", "Pulling", "Pulled", "Created", "Started"] {
        assert!(reasons.contains(&wanted), "{wanted} in {reasons:?}");
    }
    assert!(has(
        &events,
        "Scheduled",
        "Successfully assigned builds/a to sandbox-node-1"
    ));
    let (_, log) = cluster.get(&format!("{PODS}/a/log")).await;
    assert_eq!(log, "hello\n");
}

#[tokio::test]
async fn a_failure_shows_code_and_the_logs_end() {
    let cluster = open(|_| {}).await;
    let mut one = pod("a", &["say=the cause", "exit=7"]);
    one["spec"]["containers"][0]["terminationMessagePolicy"] = "FallbackToLogsOnError".into();
    cluster.post(PODS, one).await;
    let done = cluster.until("a", phase("Failed")).await;
    assert_eq!(state(&done)["terminated"]["exitCode"], 7);
    assert_eq!(state(&done)["terminated"]["reason"], "Error");
    assert_eq!(state(&done)["terminated"]["message"], "the cause\n");
}

#[tokio::test]
async fn environment_and_volumes_are_real() {
    let cluster = open(|_| {}).await;
    let secret = json!({ "metadata": { "name": "s" }, "stringData": { "key": "hidden" } });
    let mut one = pod(
        "a",
        &[
            "env=KEY",
            "env=ME",
            "cat=/s/key",
            "cat=/token/t",
            "cat=/var/run/secrets/kubernetes.io/serviceaccount/namespace",
        ],
    );
    let main = &mut one["spec"]["containers"][0];
    main["env"] = json!([
        { "name": "KEY", "valueFrom": { "secretKeyRef": { "name": "s", "key": "key" } } },
        { "name": "ME", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } },
    ]);
    main["volumeMounts"] =
        json!([{ "name": "s", "mountPath": "/s" }, { "name": "t", "mountPath": "/token" }]);
    one["spec"]["volumes"] = json!([
        { "name": "s", "secret": { "secretName": "s" } },
        { "name": "t", "projected": { "sources": [{ "serviceAccountToken": { "path": "t", "audience": "demo.svc.id.goog" } }] } },
    ]);
    cluster.post(PODS, one).await;
    let waits = cluster
        .until("a", |p| state(p)["waiting"].is_object())
        .await;
    assert_eq!(state(&waits)["waiting"]["reason"], "ContainerCreating");
    cluster
        .post("/api/v1/namespaces/builds/secrets", secret)
        .await;
    cluster.until("a", phase("Succeeded")).await;
    let (_, log) = cluster.get(&format!("{PODS}/a/log")).await;
    let lines: Vec<&str> = log.as_str().expect("text").lines().collect();
    assert_eq!(&lines[..3], ["KEY=hidden", "ME=a", "hidden"]);
    assert_eq!(lines[4], "builds");
    // Its pod has ended but still exists, so the token is still valid.
    let subject = cluster
        .kubernetes
        .verify_token(lines[3], "demo.svc.id.goog")
        .expect("valid");
    assert_eq!(subject.pod.as_deref(), Some("a"));
}

#[tokio::test]
async fn an_image_that_heals_and_one_that_does_not() {
    let cluster = with(json!({ "imagePull": { "failTimes": 2, "message": "not found" } })).await;
    cluster.post(PODS, pod("a", &["exit=0"])).await;
    let waits = cluster
        .until("a", |p| state(p)["waiting"]["reason"] == "ImagePullBackOff")
        .await;
    assert_eq!(
        state(&waits)["waiting"]["message"],
        "Back-off pulling image \"script:1\": ErrImagePull: not found"
    );
    assert_eq!(waits["status"]["phase"], "Pending");
    cluster.until("a", phase("Succeeded")).await;
    let events = cluster.events("a").await;
    assert!(has(
        &events,
        "Failed",
        "Failed to pull image \"script:1\": not found"
    ));
    assert!(has(&events, "BackOff", "Back-off pulling image"));

    let cluster = open(|_| {}).await;
    let mut other = pod("b", &[]);
    other["spec"]["containers"][0]["image"] = "nginx".into();
    cluster.post(PODS, other).await;
    let waits = cluster
        .until("b", |p| state(p)["waiting"]["reason"] == "ImagePullBackOff")
        .await;
    assert!(
        state(&waits)["waiting"]["message"]
            .as_str()
            .is_some_and(|m| m.contains("the sandbox runs only kaniko"))
    );
    let (code, body) = cluster.get(&format!("{PODS}/b/log")).await;
    assert_eq!(code, 400);
    assert_eq!(
        body["message"],
        "container \"main\" in pod \"b\" is waiting to start: trying and failing to pull image"
    );
    cluster.delete(&format!("{PODS}/b")).await;
    cluster.until("b", Value::is_null).await;
}

#[tokio::test]
async fn out_of_memory_unless_there_is_enough() {
    let cluster = with(json!({ "outOfMemory": { "afterMillis": 50, "below": "1Gi" } })).await;
    let limited = |name: &str, limit: &str| {
        let mut one = pod(name, &["say=work", "exit=0"]);
        if limit == "512Mi" {
            one["spec"]["containers"][0]["args"] = json!(["say=work", "wait"]);
        }
        one["spec"]["containers"][0]["resources"] = json!({ "limits": { "memory": limit } });
        one
    };
    cluster.post(PODS, limited("small", "512Mi")).await;
    cluster.post(PODS, limited("large", "2Gi")).await;
    let dead = cluster.until("small", phase("Failed")).await;
    assert_eq!(state(&dead)["terminated"]["reason"], "OOMKilled");
    assert_eq!(state(&dead)["terminated"]["exitCode"], 137);
    cluster.until("large", phase("Succeeded")).await;
}

/// Returns the fields of a pod's object that show why it ended: the condition's reason,
/// `status.reason`, and whether it is being deleted.
fn marks(pod: &Value) -> (String, String, bool) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let conditions = pod["status"]["conditions"].as_array();
    let disruption = conditions
        .into_iter()
        .flatten()
        .find(|condition| condition["type"] == "DisruptionTarget")
        .map(|condition| text(&condition["reason"]));
    (
        disruption.unwrap_or_default(),
        text(&pod["status"]["reason"]),
        pod["metadata"]["deletionTimestamp"].is_string(),
    )
}

#[tokio::test]
async fn each_disruption_leaves_the_marks_of_a_real_node() {
    for (by, script, condition, reason, deleted, event) in [
        (
            "kubelet",
            "wait",
            "TerminationByKubelet",
            "Evicted",
            false,
            ("Evicted", "low on resource"),
        ),
        (
            "shutdown",
            "wait",
            "TerminationByKubelet",
            "Terminated",
            false,
            ("Killing", "Stopping"),
        ),
        (
            "drain",
            "stubborn",
            "EvictionByEvictionAPI",
            "",
            true,
            ("Killing", "Stopping"),
        ),
        (
            "preemption",
            "stubborn",
            "PreemptionByScheduler",
            "",
            true,
            ("Preempted", "priority"),
        ),
        (
            "deletion",
            "stubborn",
            "",
            "",
            true,
            ("Killing", "Stopping"),
        ),
    ] {
        let cluster = with(json!({ "disruption": { "by": by, "afterMillis": 50 } })).await;
        cluster.post(PODS, pod("a", &[script])).await;
        let expected = (condition.to_owned(), reason.to_owned(), deleted);
        let marked = marks;
        let seen = cluster.until("a", move |pod| marked(pod) == expected).await;
        assert!(
            deleted || seen["status"]["phase"] == "Failed",
            "{by}: {seen}"
        );
        let (reason, message) = event;
        cluster.until("a", |pod| deleted == pod.is_null()).await;
        assert!(has(&cluster.events("a").await, reason, message), "{by}");
    }
}

#[tokio::test]
async fn the_pods_of_a_lost_node_are_gone_at_once() {
    for by in ["taint", "garbage-collection"] {
        let cluster = with(json!({ "disruption": { "by": by, "afterMillis": 50 } })).await;
        cluster.post(PODS, pod("a", &["stubborn"])).await;
        cluster.until("a", phase("Running")).await;
        cluster.until("a", Value::is_null).await;
    }
}

#[tokio::test]
async fn an_injected_container_comes_first_and_holds_the_pod() {
    let cluster = with(json!({ "sidecar": { "name": "proxy" } })).await;
    cluster.post(PODS, pod("a", &["exit=0"])).await;
    let done = cluster
        .until("a", |pod| {
            pod["status"]["containerStatuses"][1]["state"]["terminated"].is_object()
        })
        .await;
    assert_eq!(done["status"]["containerStatuses"][0]["name"], "proxy");
    assert_eq!(done["status"]["phase"], "Running");
    let fails = json!({ "sidecar": { "name": "setup", "init": true, "exitCode": 3 } });
    let cluster = with(fails).await;
    cluster.post(PODS, pod("a", &["exit=0"])).await;
    let failed = cluster.until("a", phase("Failed")).await;
    let setup = &failed["status"]["initContainerStatuses"][0];
    assert_eq!(setup["state"]["terminated"]["exitCode"], 3);
}

#[tokio::test]
async fn no_room_for_a_while() {
    let cluster =
        with(json!({ "unschedulable": { "reason": "1 Insufficient memory", "forMillis": 300 } }))
            .await;
    cluster.post(PODS, pod("a", &["exit=0"])).await;
    let waits = cluster
        .until("a", |p| {
            p["status"]["conditions"][0]["reason"] == "Unschedulable"
        })
        .await;
    assert_eq!(waits["status"]["phase"], "Pending");
    cluster.until("a", phase("Succeeded")).await;
    assert!(has(
        &cluster.events("a").await,
        "FailedScheduling",
        "0/1 nodes are available: 1 Insufficient memory."
    ));
    let mut picky = pod("b", &["exit=0"]);
    picky["spec"]["nodeSelector"] = json!({ "disk": "fast" });
    cluster.post(PODS, picky).await;
    cluster
        .until("b", |p| {
            p["status"]["conditions"][0]["reason"] == "Unschedulable"
        })
        .await;
    cluster
        .patch(
            "/api/v1/nodes/sandbox-node-1",
            "merge-patch+json",
            json!({ "metadata": { "labels": { "disk": "fast" } } }),
        )
        .await;
    cluster.until("b", phase("Succeeded")).await;
}

#[tokio::test]
async fn a_deadline_ends_a_pod() {
    let cluster = with(json!({ "hang": { "ignoresTerm": false } })).await;
    let mut one = pod("a", &[]);
    one["spec"]["activeDeadlineSeconds"] = 1.into();
    cluster.post(PODS, one).await;
    let done = cluster
        .until("a", |p| {
            p["status"]["phase"] == "Failed" && state(p)["terminated"].is_object()
        })
        .await;
    assert_eq!(done["status"]["reason"], "DeadlineExceeded");
    assert_eq!(state(&done)["terminated"]["exitCode"], 143);
}

#[tokio::test]
async fn deletion_asks_first_and_then_kills() {
    let cluster = open(|_| {}).await;
    cluster.post(PODS, pod("polite", &["wait"])).await;
    cluster.post(PODS, pod("stubborn", &["stubborn"])).await;
    for name in ["polite", "stubborn"] {
        cluster.until(name, phase("Running")).await;
        let (code, going) = cluster.delete(&format!("{PODS}/{name}")).await;
        assert_eq!(
            (code, &going["metadata"]["deletionGracePeriodSeconds"]),
            (200, &json!(1))
        );
        cluster.until(name, Value::is_null).await;
        assert!(has(
            &cluster.events(name).await,
            "Killing",
            "Stopping container main"
        ));
    }
    let (code, _) = cluster.get(&format!("{PODS}/polite/log")).await;
    assert_eq!(code, 404);
}

#[tokio::test]
async fn init_containers_and_restarts() {
    let cluster = open(|_| {}).await;
    let mut one = pod("a", &["say=main", "exit=0"]);
    one["spec"]["initContainers"] =
        json!([{ "name": "first", "image": "script:1", "args": ["say=first", "exit=3"] }]);
    cluster.post(PODS, one).await;
    let done = cluster.until("a", phase("Failed")).await;
    assert_eq!(
        done["status"]["initContainerStatuses"][0]["state"]["terminated"]["exitCode"],
        3
    );
    assert_eq!(state(&done)["waiting"]["reason"], "PodInitializing");

    let mut again = pod("b", &["say=try", "exit=1"]);
    again["spec"]["restartPolicy"] = "OnFailure".into();
    cluster.post(PODS, again).await;
    let looping = cluster
        .until("b", |p| {
            state(p)["waiting"]["reason"] == "CrashLoopBackOff"
                && p["status"]["containerStatuses"][0]["restartCount"].as_u64() >= Some(1)
        })
        .await;
    assert_eq!(looping["status"]["phase"], "Running");
    let (_, log) = cluster.get(&format!("{PODS}/b/log?previous=true")).await;
    assert_eq!(log, "try\n");
    assert!(has(
        &cluster.events("b").await,
        "BackOff",
        "Back-off restarting failed container main in pod b_builds("
    ));
    cluster.delete(&format!("{PODS}/b")).await;
    cluster.until("b", Value::is_null).await;
}

#[tokio::test]
async fn a_quota_that_covers_cpu_wants_every_container_to_say_so_and_counts() {
    let quota = json!({ "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": { "namespace": "builds", "name": "compute" },
        "spec": { "hard": { "limits.cpu": "2", "requests.cpu": "2", "pods": "10" } } });
    let cluster = open(|config| config.seed.push(quota)).await;
    let says = |answer: &Value| answer["message"].as_str().unwrap_or_default().to_owned();
    let (_, refused) = cluster.post(PODS, pod("a", &["exit=0"])).await;
    assert_eq!(refused["code"], 403);
    assert_eq!(
        says(&refused),
        "pods \"a\" is forbidden: failed quota: compute: must specify limits.cpu for: main; requests.cpu for: main"
    );
    let with = |name: &str, cpu: &str| {
        let mut one = pod(name, &["hang"]);
        one["spec"]["containers"][0]["resources"] =
            json!({ "limits": { "cpu": cpu }, "requests": { "cpu": cpu } });
        one
    };
    let (_, made) = cluster.post(PODS, with("a", "1500m")).await;
    assert_eq!(made["kind"], "Pod", "{made}");
    let (_, refused) = cluster.post(PODS, with("b", "1")).await;
    assert_eq!(
        says(&refused),
        "pods \"b\" is forbidden: exceeded quota: compute, requested: limits.cpu=1, used: limits.cpu=1500m, limited: limits.cpu=2"
    );
}

fn with_sidecar(name: &str, sidecar: &[&str], main: &[&str]) -> Value {
    let mut one = pod(name, main);
    one["spec"]["terminationGracePeriodSeconds"] = 1.into();
    one["spec"]["initContainers"] = json!([{
        "name": "beside", "image": "script:1", "args": sidecar, "restartPolicy": "Always",
    }]);
    one
}

fn beside(pod: &Value) -> &Value {
    &pod["status"]["initContainerStatuses"][0]
}

#[tokio::test]
async fn a_sidecar_runs_beside_the_main_container_and_ends_after_it() {
    let cluster = open(|_| {}).await;
    let one = with_sidecar("a", &["say=up", "wait"], &["say=work", "exit=0"]);
    cluster.post(PODS, one).await;
    cluster.until("a", phase("Succeeded")).await;
    let done = cluster
        .until("a", |pod| beside(pod)["state"]["terminated"].is_object())
        .await;
    assert_eq!(beside(&done)["state"]["terminated"]["exitCode"], 143);
    assert_eq!(done["status"]["phase"], "Succeeded");
    let (_, log) = cluster.get(&format!("{PODS}/a/log?container=beside")).await;
    assert_eq!(log, "up\nterminated\n");
}

#[tokio::test]
async fn a_sidecar_that_fails_is_restarted_and_takes_nothing_from_the_pod() {
    let cluster = open(|_| {}).await;
    let one = with_sidecar("a", &["exit=1"], &["wait"]);
    cluster.post(PODS, one).await;
    cluster
        .until("a", |pod| {
            let waiting = &beside(pod)["state"]["waiting"];
            waiting["reason"] == "CrashLoopBackOff" && pod["status"]["phase"] == "Running"
        })
        .await;
    cluster.delete(&format!("{PODS}/a")).await;
    cluster.until("a", Value::is_null).await;
}
