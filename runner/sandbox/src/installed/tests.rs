use std::path::Path;

use serde_json::json;
use sidestep_cluster_testing::Namespace;

use super::*;
use crate::live::{hold, make_private};
use crate::server::finish;
use crate::{reset, stop};

fn places(folder: &Path) -> Places {
    let places = Places::new(folder, "healthy@kind-kind");
    make_private(&places.dir).unwrap();
    places
}

/// Returns a cluster whose API server does not answer.
fn silent(folder: &Path) -> UserCluster {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let file = folder.join("kubeconfig");
    let text = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": [{ "name": "c", "cluster": { "server": format!("https://127.0.0.1:{port}") } }],
        "users": [{ "name": "u", "user": {} }],
        "contexts": [{ "name": "kind-kind", "context": { "cluster": "c", "user": "u" } }],
    });
    std::fs::write(&file, text.to_string()).unwrap();
    UserCluster {
        context: "kind-kind".to_owned(),
        namespaces: vec!["builds".to_owned()],
        kubeconfig: vec![file],
    }
}

/// Returns a cluster of which only the address is known.
fn at(address: &str) -> Server {
    Server {
        address: address.to_owned(),
        authority: None,
        uid: None,
    }
}

async fn record(places: &Places, cluster: &UserCluster) -> Installation {
    record_of(places, cluster, at("127.0.0.1:1")).await
}

async fn record_of(places: &Places, cluster: &UserCluster, server: Server) -> Installation {
    let held = hold(places).unwrap().unwrap();
    let nothing = take_back(places, &held).await.unwrap().nothing;
    nothing
        .record(cluster, server, false)
        .unwrap()
        .installation()
        .clone()
}

#[tokio::test]
async fn without_a_record_no_cluster_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    let held = hold(&places).unwrap().unwrap();
    let taken_back = take_back(&places, &held).await.unwrap();
    assert_eq!(taken_back.removed, 0);
}

#[tokio::test]
async fn a_record_stays_until_its_objects_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    let cluster = silent(folder.path());
    let installation = record(&places, &cluster).await;
    let expected = Installed {
        installation,
        cluster,
        server: at("127.0.0.1:1"),
        relays: false,
    };
    for _ in 0..2 {
        let error = stop(&places).await.unwrap_err();
        let SandboxError::LeftBehind {
            name, installed, ..
        } = &error
        else {
            panic!("{error}");
        };
        assert_eq!(
            (name.as_str(), &**installed),
            ("healthy@kind-kind", &expected)
        );
        let text = error.to_string();
        let start = "what sandbox `healthy@kind-kind` installed in the cluster can't be removed: \
                     the API server 127.0.0.1:";
        assert!(text.starts_with(start), "{text}");
        assert_eq!(installed_now(&places), Some(expected.clone()));
    }
    // The context is gone with its cluster, or was only renamed.
    std::fs::remove_file(&expected.cluster.kubeconfig[0]).unwrap();
    let text = stop(&places).await.unwrap_err().to_string();
    let end = "can't be removed: the kubeconfig has no context `kind-kind`; it has none";
    assert!(text.ends_with(end), "{text}");
    assert_eq!(installed_now(&places), Some(expected));
}

fn installed_now(places: &Places) -> Option<Installed> {
    installed(places).unwrap()
}

#[tokio::test]
async fn a_reset_deletes_the_record_and_names_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    record(&places, &silent(folder.path())).await;
    let was = reset(&places).await.unwrap();
    assert!(was.existed);
    assert!(matches!(was.left, Some(SandboxError::LeftBehind { .. })));
    assert!(!places.dir.exists());
    let again = reset(&places).await.unwrap();
    assert!(!again.existed && again.left.is_none());
}

#[tokio::test]
async fn a_damaged_record_does_not_keep_the_state_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    std::fs::write(places.installed(), "{").unwrap();
    let error = stop(&places).await.unwrap_err();
    assert!(matches!(error, SandboxError::Corrupt { .. }), "{error}");
    let was = reset(&places).await.unwrap();
    assert!(matches!(was.left, Some(SandboxError::Corrupt { .. })));
    assert!(!places.dir.exists());
}

#[tokio::test]
async fn each_record_has_an_id_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (
        Places::new(folder.path(), "a@c"),
        Places::new(folder.path(), "b@c"),
    );
    let cluster = silent(folder.path());
    let mut ids = Vec::new();
    for places in [&first, &second] {
        make_private(&places.dir).unwrap();
        let installation = record(places, &cluster).await;
        let owner = installation.owner().to_owned();
        assert!(
            owner.starts_with(&format!("sandbox `{}`", Name::of_folder(&places.dir))),
            "{owner}"
        );
        ids.push(installation.id().to_owned());
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_failed_start_removes_what_it_installed() {
    let Some(real) = sidestep_cluster_testing::pinned_api() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    let namespace = real.namespace();
    let cluster = UserCluster {
        context: "sidestep".to_owned(),
        namespaces: vec![namespace.name().to_owned()],
        kubeconfig: vec![folder.path().join("none"), real.kubeconfig()],
    };
    let connected = client(&cluster.kubeconfig, "sidestep").await.unwrap();
    let installation = record_of(&places, &cluster, connected.1).await;
    // As a process that was killed after its first object.
    install_bundle(&namespace, &installation);
    let held = hold(&places).unwrap().unwrap();
    let failed = SandboxError::UnknownScenario("x".to_owned());
    let error = finish(&places, &held, Err(failed)).await.unwrap_err();
    assert!(matches!(error, SandboxError::UnknownScenario(_)), "{error}");
    assert_eq!(installed_now(&places), None);
    let left = namespace.ok(&["get", "configmaps", "--output=name"]);
    assert!(!left.contains("sidestep-google-names"), "{left}");
}

/// Creates the object that an installation creates first.
fn install_bundle(namespace: &Namespace<'_>, installation: &Installation) {
    let name = "sidestep-google-names";
    let part = "sidestep.dev/sandbox=google-names";
    namespace.ok(&["create", "configmap", name]);
    namespace.ok(&["label", "configmap", name, &installation.selector(), part]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_context_that_means_another_cluster_by_now_is_left_alone() {
    let Some(real) = sidestep_cluster_testing::pinned_api() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    let namespace = real.namespace();
    let cluster = UserCluster {
        context: "sidestep".to_owned(),
        namespaces: vec![namespace.name().to_owned()],
        kubeconfig: vec![real.kubeconfig()],
    };
    let (_, server) = client(&cluster.kubeconfig, "sidestep").await.unwrap();
    assert!(
        server.uid.is_some() && server.authority.is_some(),
        "{server:?}"
    );
    // The cluster of this context was deleted and created again.
    let deleted = Server {
        uid: Some("5f0c".to_owned()),
        ..server.clone()
    };
    let installation = record_of(&places, &cluster, deleted).await;
    install_bundle(&namespace, &installation);
    let error = stop(&places).await.unwrap_err();
    let SandboxError::LeftBehind {
        why: NotRemoved::Another(difference),
        ..
    } = &error
    else {
        panic!("{error}");
    };
    let uid = server.uid.as_deref().unwrap_or_default();
    let expected = format!("its namespace kube-system has the uid {uid} and had 5f0c");
    assert_eq!(*difference, expected);
    assert!(installed_now(&places).is_some(), "the record stays");
    let left = namespace.ok(&["get", "configmaps", "--output=name"]);
    assert!(left.contains("sidestep-google-names"), "{left}");

    // The cluster that it was, at another address.
    let recorded = installed_now(&places).unwrap();
    let moved = Installed {
        server: Server {
            address: "192.0.2.1:6443".to_owned(),
            ..server
        },
        ..recorded
    };
    std::fs::write(places.installed(), serde_json::to_vec(&moved).unwrap()).unwrap();
    assert_eq!(stop(&places).await.unwrap().removed, 1);
    assert_eq!(installed_now(&places), None);
}
