//! The policy and the webhook on a real API server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::routing::post;
use axum::{Json, Router};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams, PostParams};
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use sidestep_cluster_testing::{Cluster, Namespace};
use sidestep_sandbox_tls::{Authority, Secured};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, MutexGuard};

use super::pods::large;
use super::{Case, names, patched, seen, table};
use crate::cluster::put;
use crate::install::install_by;
use crate::objects::{Kind, mark, wanted};
use crate::{
    Error, Installation, Means, Names, Namespaces, Target, Webhook, install, is_in_force, remove,
    review, rules,
};

/// The longest time in which an API server follows an installation.
const PATIENCE: Duration = Duration::from_mins(1);

/// A cluster has one installation, so one test at a time has it.
async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

fn this() -> Installation {
    Installation::new("sandbox `healthy@kind` on laptop")
}

async fn client(cluster: &Cluster) -> Client {
    let file = Kubeconfig::read_from(cluster.kubeconfig()).unwrap();
    let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
    Client::try_from(config.unwrap()).unwrap()
}

fn only(namespace: &Namespace<'_>) -> Namespaces {
    Namespaces::new([namespace.name()]).unwrap()
}

/// Creates a pod as a dry run, and returns it.
async fn created(client: &Client, namespace: &str, pod: &Value) -> Value {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Pod"));
    let pods: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let dry_run = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let pod = serde_json::from_value(pod.clone()).unwrap();
    let answer = pods.create(&dry_run, &pod).await.unwrap();
    serde_json::to_value(answer).unwrap()
}

/// Compares what the API server makes of every pod with what our patch makes of it.
async fn check_table(client: &Client, namespace: &str) {
    for Case {
        what,
        pod,
        expected,
    } in table()
    {
        let created = created(client, namespace, &pod).await;
        assert_eq!(seen(&created), expected, "{what}");
        assert_eq!(seen(&created), seen(&patched(&pod)), "{what}");
    }
    let large = large();
    let created = seen(&created(client, namespace, &large).await);
    assert_eq!(created, seen(&patched(&large)));
    assert_ne!(created, seen(&large));
}

/// Checks that a namespace's pods are not changed.
async fn check_unchanged(client: &Client, namespace: &str) {
    for Case { what, pod, .. } in table() {
        let created = created(client, namespace, &pod).await;
        assert_eq!(seen(&created), seen(&pod), "{what}");
    }
}

/// Returns our objects: kind, namespace and version of each.
async fn ours(client: &Client) -> Vec<String> {
    let mut found = Vec::new();
    for kind in Kind::ALL {
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind.resource());
        let list = api
            .list(&ListParams::default().labels(&mark()))
            .await
            .unwrap();
        for object in list {
            let metadata = object.metadata;
            found.push(format!(
                "{} {} {}",
                kind.name(),
                metadata.namespace.unwrap_or_default(),
                metadata.resource_version.unwrap_or_default()
            ));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_changes_the_pods_of_its_namespaces_and_leaves_nothing() {
    let Some(cluster) = sidestep_cluster_testing::pinned_api() else {
        return;
    };
    let _alone = alone().await;
    let client = client(cluster).await;
    let this = this();
    let (inside, outside) = (cluster.namespace(), cluster.namespace());
    let means = install(&client, &this, &names(), &only(&inside), None)
        .await
        .unwrap();
    assert_eq!(means, Means::Policy);
    assert!(is_in_force(&client, inside.name(), PATIENCE).await.unwrap());
    check_table(&client, inside.name()).await;
    check_unchanged(&client, outside.name()).await;
    let first = ours(&client).await;
    assert_eq!(first.len(), 3, "{first:?}");

    // The same again.
    install(&client, &this, &names(), &only(&inside), None)
        .await
        .unwrap();
    assert_eq!(ours(&client).await, first);

    // Elsewhere.
    install(&client, &this, &names(), &only(&outside), None)
        .await
        .unwrap();
    assert!(
        is_in_force(&client, outside.name(), PATIENCE)
            .await
            .unwrap()
    );
    check_unchanged(&client, inside.name()).await;
    let moved = ours(&client).await;
    assert_eq!(moved.len(), 3, "{moved:?}");
    assert!(
        moved[0].starts_with(&format!("ConfigMap {} ", outside.name())),
        "{moved:?}"
    );

    assert_eq!(remove(&client, &this).await.unwrap(), 3);
    assert_eq!(ours(&client).await, [""; 0]);
    assert_eq!(remove(&client, &this).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_changes_pods_as_the_policy_does() {
    let Some(cluster) = sidestep_cluster_testing::pinned_api() else {
        return;
    };
    let _alone = alone().await;
    let client = client(cluster).await;
    let this = this();
    let (inside, outside) = (cluster.namespace(), cluster.namespace());
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::open(folder.path(), "webhook", &[]).unwrap();
    let server = serve(&authority).await;
    let served = cluster.google_names(server).expect("a cluster of our own");
    let webhook = Webhook {
        target: Target::Url(format!("https://{}/admission", served.address())),
        authority: authority.pem().to_owned(),
    };
    install_by(&client, &this, &names(), &only(&inside), Some(&webhook))
        .await
        .unwrap();
    assert!(is_in_force(&client, inside.name(), PATIENCE).await.unwrap());
    check_table(&client, inside.name()).await;
    check_unchanged(&client, outside.name()).await;
    let installed = ours(&client).await;
    assert_eq!(installed.len(), 2, "{installed:?}");

    // A policy takes its place.
    let means = install(&client, &this, &names(), &only(&inside), Some(&webhook))
        .await
        .unwrap();
    assert_eq!(means, Means::Policy);
    let installed = ours(&client).await;
    assert!(
        !installed
            .iter()
            .any(|object| object.starts_with(Kind::Webhook.name())),
        "{installed:?}"
    );
    assert_eq!(remove(&client, &this).await.unwrap(), 3);
    assert_eq!(ours(&client).await, [""; 0]);
}

/// Serves the webhook with a certificate of an authority for the address of Google's names.
async fn serve(authority: &Authority) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = authority.acceptor(&["10.96.0.2"], &["http/1.1"]).unwrap();
    let listener = Secured::new(listener, move |stream| {
        let acceptor = acceptor.clone();
        async move { acceptor.accept(stream).await.map(Some) }
    });
    let names: Arc<Names> = Arc::new(names());
    let answer = post(move |Json(asked): Json<Value>| {
        let names = Arc::clone(&names);
        async move { Json(review(&asked, &names).unwrap()) }
    });
    let router = Router::new().route("/admission", answer);
    let listener = listener.unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_of_another_is_never_touched() {
    let Some(cluster) = sidestep_cluster_testing::pinned_api() else {
        return;
    };
    let _alone = alone().await;
    let client = client(cluster).await;
    let this = this();
    let namespace = cluster.namespace();
    namespace.ok(&[
        "create",
        "configmap",
        "sidestep-google-names",
        "--from-literal=a=b",
    ]);
    let refused = install(&client, &this, &names(), &only(&namespace), None)
        .await
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!(
            "ConfigMap `sidestep-google-names` in namespace `{}` was not created by sidestep, and \
             is not changed; rename or delete it first",
            namespace.name()
        )
    );
    assert_eq!(remove(&client, &this).await.unwrap(), 0);
    let kept = namespace.ok(&["get", "configmap", "sidestep-google-names", "-o", "json"]);
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept["data"], json!({ "a": "b" }));

    let nowhere = Namespaces::new(["nowhere"]).unwrap();
    let refused = install(&client, &this, &names(), &nowhere, None)
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::NoNamespace(name) if name == "nowhere"));
}

/// Returns a client of an account that has only these permissions.
async fn least(cluster: &Cluster, namespace: &Namespace<'_>, rules: &Value) -> Client {
    let account = "names";
    namespace.ok(&["create", "serviceaccount", account]);
    let role = format!("{}-names", namespace.name());
    let object = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": { "name": role }, "rules": rules,
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("role.json");
    std::fs::write(&file, object.to_string()).unwrap();
    namespace.ok(&["create", "--filename", file.to_str().unwrap()]);
    let subject = format!("--serviceaccount={}:{account}", namespace.name());
    let role = format!("--clusterrole={role}");
    namespace.ok(&[
        "create",
        "clusterrolebinding",
        namespace.name(),
        &role,
        &subject,
    ]);
    let token = namespace.ok(&["create", "token", account]);
    let mut file = Kubeconfig::read_from(cluster.kubeconfig()).unwrap();
    for named in &mut file.auth_infos {
        named.auth_info = Some(AuthInfo {
            token: Some(token.trim().to_owned().into()),
            ..AuthInfo::default()
        });
    }
    let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
    Client::try_from(config.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documented_permissions_are_enough_in_a_restricted_namespace() {
    let Some(cluster) = sidestep_cluster_testing::pinned_api() else {
        return;
    };
    let _alone = alone().await;
    let namespace = cluster.namespace();
    let level = "pod-security.kubernetes.io/enforce=restricted";
    namespace.ok(&["label", "namespace", namespace.name(), level]);
    let client = least(cluster, &namespace, &rules()).await;
    let this = this();
    install(&client, &this, &names(), &only(&namespace), None)
        .await
        .unwrap();
    install(&client, &this, &names(), &only(&namespace), None)
        .await
        .unwrap();
    assert!(
        is_in_force(&client, namespace.name(), PATIENCE)
            .await
            .unwrap()
    );
    assert_eq!(remove(&client, &this).await.unwrap(), 3);
}

/// Prints what a program in a container gets: an address of each server, the variables, and the
/// first and the last line of the bundle.
const SCRIPT: &str = "grep -w storage.googleapis.com /etc/hosts | cut -f1
grep -w metadata.google.internal /etc/hosts | cut -f1
echo $SSL_CERT_FILE $NODE_EXTRA_CA_CERTS
head -n 1 $SSL_CERT_FILE
tail -n 1 $SSL_CERT_FILE";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_in_containers_get_the_names_and_the_bundle() {
    let Some(cluster) = sidestep_cluster_testing::node() else {
        return;
    };
    let _alone = alone().await;
    let client = client(cluster).await;
    let this = this();
    let namespace = cluster.namespace();
    match install(&client, &this, &names(), &only(&namespace), None).await {
        // A cluster of the user's, older than policies.
        Err(Error::NoPolicies) => return,
        installed => assert_eq!(installed.unwrap(), Means::Policy),
    }
    assert!(
        is_in_force(&client, namespace.name(), PATIENCE)
            .await
            .unwrap()
    );
    let folder = tempfile::tempdir().unwrap();
    for (name, host_network) in [("of-its-own", false), ("of-the-node", true)] {
        let script = json!(["sh", "-c", SCRIPT]);
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name },
            "spec": {
                "restartPolicy": "Never",
                "hostNetwork": host_network,
                "initContainers": [{ "name": "first", "image": cluster.image(), "command": script }],
                "containers": [{ "name": "main", "image": cluster.image(), "command": script }],
            },
        });
        let file = folder.path().join(name);
        std::fs::write(&file, pod.to_string()).unwrap();
        namespace.ok(&["create", "--filename", file.to_str().unwrap()]);
    }
    let path = "/var/run/sidestep-google-names/ca-bundle.crt";
    let expected = format!(
        "10.96.0.2\n169.254.169.254\n{path} {path}\n-----BEGIN CERTIFICATE-----\nthe authority\n"
    );
    for name in ["of-its-own", "of-the-node"] {
        let ended = "--for=jsonpath={.status.phase}=Succeeded";
        namespace.ok(&["wait", &format!("pod/{name}"), ended, "--timeout=120s"]);
        for container in ["first", "main"] {
            let log = namespace.ok(&["logs", name, "--container", container]);
            assert_eq!(log, expected, "{name} {container}");
        }
    }
    assert_eq!(remove(&client, &this).await.unwrap(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_installation_left_is_found() {
    let Some(cluster) = sidestep_cluster_testing::pinned_api() else {
        return;
    };
    let _alone = alone().await;
    let client = client(cluster).await;
    let this = this();
    let namespace = cluster.namespace();
    let all = wanted(&names(), &only(&namespace), None);
    for count in 1..=all.len() {
        for object in &all[..count] {
            put(&client, &this, object).await.unwrap();
        }
        assert_eq!(remove(&client, &this).await.unwrap(), count);
        assert_eq!(ours(&client).await, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_objects_of_another_sandbox_are_neither_changed_nor_removed() {
    let Some(cluster) = sidestep_cluster_testing::pinned_api() else {
        return;
    };
    let _alone = alone().await;
    let client = client(cluster).await;
    let (inside, outside) = (cluster.namespace(), cluster.namespace());
    let (this, other) = (
        this(),
        Installation::new("sandbox `no-binding@kind` on desk"),
    );
    install(&client, &other, &names(), &only(&inside), None)
        .await
        .unwrap();
    let live = ours(&client).await;
    for (namespace, object) in [
        (
            &inside,
            format!(
                "ConfigMap `sidestep-google-names` in namespace `{}`",
                inside.name()
            ),
        ),
        (
            &outside,
            "MutatingAdmissionPolicy `sidestep-google-names`".to_owned(),
        ),
    ] {
        let refused = install(&client, &this, &names(), &only(namespace), None)
            .await
            .unwrap_err();
        let expected = format!(
            "{object} was installed by sandbox `no-binding@kind` on desk and is not changed; stop \
             that sandbox, or, if it no longer exists, delete its objects, which have the label \
             sidestep.dev/installation={}",
            other.id()
        );
        assert_eq!(refused.to_string(), expected);
    }
    // The ConfigMap that the second attempt created.
    assert_eq!(remove(&client, &this).await.unwrap(), 1);
    assert_eq!(ours(&client).await, live);
    assert_eq!(remove(&client, &other).await.unwrap(), 3);
    install(&client, &this, &names(), &only(&inside), None)
        .await
        .unwrap();
    assert_eq!(remove(&client, &this).await.unwrap(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_removal_of_one_kind_keeps_no_other_kind() {
    let Some(cluster) = sidestep_cluster_testing::pinned_api() else {
        return;
    };
    let _alone = alone().await;
    let client = client(cluster).await;
    let this = this();
    let namespace = cluster.namespace();
    install(&client, &this, &names(), &only(&namespace), None)
        .await
        .unwrap();
    let mut lacking = rules();
    for rule in lacking.as_array_mut().unwrap() {
        if rule["resources"][0] == "mutatingadmissionpolicies" {
            rule["verbs"] = json!(["get", "list"]);
        }
    }
    let refused = remove(&least(cluster, &namespace, &lacking).await, &this).await;
    let text = refused.unwrap_err().to_string();
    assert!(
        text.starts_with("cannot delete mutatingadmissionpolicies: "),
        "{text}"
    );
    let left = ours(&client).await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].starts_with("MutatingAdmissionPolicy "), "{left:?}");
    assert_eq!(remove(&client, &this).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_on_resources_accepts_the_probe() {
    let Some(cluster) = sidestep_cluster_testing::pinned_api() else {
        return;
    };
    let _alone = alone().await;
    let client = client(cluster).await;
    let this = this();
    let namespace = cluster.namespace();
    let hard = json!({
        "requests.cpu": "1", "limits.cpu": "1", "requests.memory": "1Gi", "limits.memory": "1Gi",
        "requests.ephemeral-storage": "1Gi", "limits.ephemeral-storage": "1Gi", "pods": "5",
    });
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "small" },
        "spec": { "hard": hard },
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("quota.json");
    std::fs::write(&file, quota.to_string()).unwrap();
    namespace.ok(&["create", "--filename", file.to_str().unwrap()]);
    // The part of the controller, without which the API server refuses every pod.
    let used: serde_json::Map<String, Value> = hard
        .as_object()
        .unwrap()
        .keys()
        .map(|resource| (resource.clone(), json!("0")))
        .collect();
    let status = json!({ "status": { "hard": hard, "used": used } }).to_string();
    namespace.ok(&[
        "patch",
        "resourcequota",
        "small",
        "--subresource=status",
        "--patch",
        &status,
    ]);
    install(&client, &this, &names(), &only(&namespace), None)
        .await
        .unwrap();
    assert!(
        is_in_force(&client, namespace.name(), PATIENCE)
            .await
            .unwrap()
    );
    assert_eq!(remove(&client, &this).await.unwrap(), 3);
}
