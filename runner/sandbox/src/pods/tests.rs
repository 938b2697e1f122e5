use std::sync::Arc;

use serde_json::json;
use sidestep_evaluator_guest::Native;
use sidestep_sandbox_google::Scenario;
use sidestep_sandbox_identity::{Access, Clock, Identity, Resource};
use sidestep_sandbox_kubernetes::{Config, service_account};

use super::*;
use crate::own::OwnCluster;

fn own(kubernetes: &Arc<Kubernetes>) -> OwnCluster {
    OwnCluster {
        kubernetes: Arc::clone(kubernetes),
        endpoint: "127.0.0.1:1".to_owned(),
    }
}

#[tokio::test]
async fn a_pod_is_whom_a_policy_names_by_uid() {
    let folder = tempfile::tempdir().expect("a folder");
    let healthy = Scenario::named("healthy").expect("it ships");
    let seed = healthy.seed().expect("it has a seed");
    let identity = Identity::new(seed.identity(), Clock::system(), Arc::new(Native));
    let access: Arc<dyn Access> = Arc::new(identity.clone());
    let pods = Arc::new(Pods {
        program: "/nonexistent".into(),
        cluster: seed.clusters.keys().next().expect("it has one").clone(),
        endpoints: Vec::new(),
        kubernetes: OnceLock::new(),
        cloud: SetOnce::new(),
        images: LocalImages::default(),
        running: AtomicUsize::new(0),
        served: AtomicUsize::new(0),
    });
    let mut config = Config::new(folder.path(), "demo", "europe-west1", "ci");
    for name in ["by-uid", "by-another"] {
        config.seed.push(service_account("builds", name, None));
    }
    let kubernetes = Kubernetes::open(config, access, Arc::clone(&pods) as _);
    let kubernetes = Arc::new(kubernetes.expect("it opens"));
    let account = kubernetes.get("serviceaccounts", "builds", "by-uid");
    let account = account.expect("it is seeded");
    let uid = account["metadata"]["uid"].as_str().expect("it has one");
    let cluster = Arc::new(own(&kubernetes));
    let state = seed.state("2026-01-01T00:00:00Z");
    let cloud = Cloud::new(identity.clone(), state, cluster);
    assert!(pods.kubernetes.set(Arc::downgrade(&kubernetes)).is_ok());
    assert!(pods.cloud.set(cloud).is_ok());

    let bucket = Resource::Bucket("demo-contexts".to_owned());
    let pool = "projects/123456789012/locations/global/workloadIdentityPools/demo.svc.id.goog";
    let member =
        format!("principal://iam.googleapis.com/{pool}/kubernetes.serviceaccount.uid/{uid}");
    let policy = json!({"bindings": [{"role": "roles/storage.objectViewer", "members": [member]}]});
    assert!(identity.set_policy(&bucket, policy).is_ok());

    for (account, may) in [("by-uid", true), ("by-another", false)] {
        let pod = json!({
            "metadata": {"namespace": "builds"}, "spec": {"serviceAccountName": account},
        });
        let server = pods.metadata_server(&pod).await.expect("it starts");
        let url = format!(
            "http://{}/computeMetadata/v1/instance/service-accounts/default/token",
            server.address
        );
        let token = reqwest::Client::new()
            .get(url)
            .header("Metadata-Flavor", "Google")
            .send()
            .await
            .expect("it answers")
            .text()
            .await
            .expect("a text");
        let token: Value = serde_json::from_str(&token).expect("JSON");
        let caller = identity.caller(token["access_token"].as_str());
        let caller = caller.expect("it is a token");
        let allowed = identity.allows(&caller, "storage.objects.get", &bucket);
        assert_eq!(allowed, may, "{account}");
    }
}

/// Simulates a process that ended just before one of its pods ran: the next process resumes the pod
/// as soon as it opens the cluster, before it has anything else.
#[tokio::test]
async fn a_pod_that_is_taken_up_first_of_all_waits_for_its_metadata_server() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("kaniko");
    let script = "#!/bin/sh\nprintf %s \"$GCE_METADATA_HOST\" > \"$SIDESTEP_TERMINATION_LOG\"\n";
    std::fs::write(&program, script).expect("written");
    let executable = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(&program, executable).expect("made executable");
    let healthy = Scenario::named("healthy").expect("it ships");
    let seed = healthy.seed().expect("it has a seed");
    let identity = Identity::new(seed.identity(), Clock::system(), Arc::new(Native));
    let access: Arc<dyn Access> = Arc::new(identity.clone());
    let pods = Arc::new(Pods {
        program,
        cluster: seed.clusters.keys().next().expect("it has one").clone(),
        endpoints: Vec::new(),
        kubernetes: OnceLock::new(),
        cloud: SetOnce::new(),
        images: LocalImages::default(),
        running: AtomicUsize::new(0),
        served: AtomicUsize::new(0),
    });
    let mut config = Config::new(folder.path().join("state"), "demo", "europe-west1", "ci");
    config.seed.push(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "left", "namespace": "builds", "uid": "left"},
        "spec": {
            "restartPolicy": "Never", "serviceAccountName": "kaniko", "nodeName": "n",
            "containers": [{"name": "main", "image": "kaniko", "args": []}],
        },
        "status": {"phase": "Pending"},
    }));
    let kubernetes = Kubernetes::open(config, access, Arc::clone(&pods) as _);
    let kubernetes = Arc::new(kubernetes.expect("it opens"));
    assert!(pods.kubernetes.set(Arc::downgrade(&kubernetes)).is_ok());
    let until = async |done: &dyn Fn() -> bool| {
        let wait = async {
            while !done() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), wait)
            .await
            .expect("it comes to that");
    };
    until(&|| pods.running.load(Ordering::Relaxed) == 1).await;

    let cluster = Arc::new(own(&kubernetes));
    let cloud = Cloud::new(identity, seed.state("2026-01-01T00:00:00Z"), cluster);
    assert!(pods.cloud.set(cloud).is_ok());
    let pod = || kubernetes.get("pods", "builds", "left").expect("it stays");
    until(&|| pod()["status"]["phase"] == "Succeeded").await;
    let ended = &pod()["status"]["containerStatuses"][0]["state"]["terminated"];
    let told = ended["message"].as_str().unwrap_or_default();
    assert!(told.starts_with("127.0.0.1:"), "{}", pod());
}
