//! Against a real API server.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use kube::config::Kubeconfig;
use serde_json::{Value, json};
use sidestep_cluster_testing::{Cluster, Namespace};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};

use crate::callers::{self, Caller, NoCaller};
use crate::cluster::RealCluster;
use crate::connect::connect;
use crate::error::ClusterError;
use crate::rights::{Namespaces, User};
use crate::state::State;

const POOL: &str = "demo.svc.id.goog";

/// Nodes belong to the whole cluster: a test that creates one runs alone.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Opens the tests' cluster as its administrator, or with a token.
async fn open(
    cluster: &Cluster,
    namespaces: &Namespaces,
    token: Option<&str>,
) -> Result<RealCluster, ClusterError> {
    let mut file = Kubeconfig::read_from(cluster.kubeconfig()).expect("a kubeconfig");
    let context = file.current_context.clone().expect("a context");
    if let Some(token) = token {
        for named in &mut file.auth_infos {
            let user = json!({ "token": token });
            named.auth_info = Some(serde_json::from_value(user).expect("a user"));
        }
    }
    RealCluster::of(connect(file, &context).await?, namespaces).await
}

/// Waits until the watched state is as expected.
async fn until(cluster: &RealCluster, expected: impl Fn(&State) -> bool) {
    let wait = cluster.until(|state| expected(state).then_some(()));
    let waited = tokio::time::timeout(Duration::from_mins(1), wait).await;
    waited.expect("the watch shows it");
}

fn apply(namespace: &Namespace<'_>, object: &Value) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), object.to_string()).expect("written");
    let path = file.path().to_str().expect("UTF-8");
    namespace.ok(&["create", "--filename", path]);
}

/// Creates a pod that no kubelet runs, and gives it an address.
fn run(namespace: &Namespace<'_>, name: &str, account: &str, address: &str) {
    apply(
        namespace,
        &json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name },
            "spec": {
                "serviceAccountName": account, "nodeName": "none",
                "containers": [{ "name": "main", "image": "none" }],
            },
        }),
    );
    status(
        namespace,
        name,
        &json!({ "podIP": address, "podIPs": [{ "ip": address }] }),
    );
}

fn status(namespace: &Namespace<'_>, name: &str, status: &Value) {
    let patch = json!({ "status": status }).to_string();
    namespace.ok(&[
        "patch",
        "pod",
        name,
        "--subresource=status",
        "--patch",
        &patch,
    ]);
}

fn delete(namespace: &Namespace<'_>, pod: &str) {
    namespace.ok(&["delete", "pod", pod, "--grace-period=0", "--force"]);
}

fn is(state: &State, address: &str, namespace: &Namespace<'_>, account: &str) -> bool {
    matches!(
        callers::find(state, address.parse().expect("an address"), None),
        Ok(Caller::Pod { namespace: found, service_account, .. })
            if found == namespace.name() && service_account == account
    )
}

fn at(cluster: &RealCluster, address: &str) -> Result<Caller, NoCaller> {
    let address = address.parse().expect("an address");
    cluster.now(|state| callers::find(state, address, None))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_follows_its_pods() {
    let Some(cluster) = sidestep_cluster_testing::api() else {
        return;
    };
    let _alone = ALONE.lock().await;
    let (builds, other) = (cluster.namespace(), cluster.namespace());
    for namespace in [&builds, &other] {
        namespace.ok(&["create", "serviceaccount", "kaniko"]);
    }
    let names = [&builds, &other].map(|namespace| namespace.name().to_owned());
    let real = open(cluster, &Namespaces::Only(names.to_vec()), None).await;
    let real = real.expect("it opens");
    assert!(real.api_server().version.starts_with("v1."));
    assert!(real.api_server().authority.starts_with("-----BEGIN CERT"));

    run(&builds, "build", "kaniko", "10.9.0.5");
    run(&other, "build", "kaniko", "10.9.0.6");
    until(&real, |state| is(state, "10.9.0.5", &builds, "kaniko")).await;
    until(&real, |state| is(state, "10.9.0.6", &other, "kaniko")).await;
    assert_eq!(at(&real, "10.9.0.7"), Err(NoCaller::Unknown));

    // Recreated with another address: nobody has the old one.
    delete(&builds, "build");
    run(&builds, "build", "default", "10.9.0.7");
    until(&real, |state| is(state, "10.9.0.7", &builds, "default")).await;
    assert_eq!(at(&real, "10.9.0.5"), Err(NoCaller::Unknown));

    // Reused by a pod of the other namespace, and shown before the first one's end.
    run(&other, "next", "default", "10.9.0.7");
    until(&real, |state| {
        callers::find(state, "10.9.0.7".parse().expect("an address"), None) == Err(NoCaller::NotYet)
    })
    .await;
    status(&builds, "build", &json!({ "phase": "Succeeded" }));
    until(&real, |state| is(state, "10.9.0.7", &other, "default")).await;

    // An account's annotations and uid are the current ones.
    let link = "iam.gke.io/gcp-service-account=builder@demo.iam.gserviceaccount.com";
    builds.ok(&["annotate", "serviceaccount", "kaniko", link]);
    until(&real, |state| {
        let account = state.account(builds.name(), "kaniko");
        account.is_some_and(|account| account.annotations.values().any(|v| v.contains("builder")))
    })
    .await;
    assert_eq!(real.service_account(builds.name(), "nobody"), None);
}

/// Forwards connections to a server. Those that were accepted until it is frozen stay open, and
/// carry nothing more.
struct Freezing {
    address: SocketAddr,
    frozen: watch::Sender<bool>,
}

impl Freezing {
    async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (frozen, _) = watch::channel(false);
        let state = frozen.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (server, mut ends) = (server.clone(), state.subscribe());
                let is_late = *ends.borrow_and_update();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(server).await.expect("connected");
                    let both = copy_bidirectional(&mut client, &mut server);
                    tokio::select! {
                        _ = both => return,
                        _ = ends.changed(), if !is_late => {}
                    }
                    // Neither end learns of it.
                    std::future::pending::<()>().await;
                });
            }
        });
        Self { address, frozen }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silently_cut_watch_names_no_former_pod() {
    let Some(cluster) = sidestep_cluster_testing::api() else {
        return;
    };
    let _alone = ALONE.lock().await;
    let builds = cluster.namespace();
    let mut file = Kubeconfig::read_from(cluster.kubeconfig()).expect("a kubeconfig");
    let context = file.current_context.clone().expect("a context");
    let server = file.clusters[0].cluster.as_mut().expect("a cluster");
    let address: http::Uri = server
        .server
        .clone()
        .and_then(|url| url.parse().ok())
        .expect("a URL");
    let freezing = Freezing::to(address.authority().expect("an address").to_string()).await;
    server.server = Some(format!("https://{}", freezing.address));
    server.tls_server_name = address.host().map(str::to_owned);
    let only = Namespaces::Only(vec![builds.name().to_owned()]);
    let connection = connect(file, &context).await.expect("it connects");
    let mut real = RealCluster::of(connection, &only).await.expect("it opens");

    run(&builds, "first", "default", "10.9.3.5");
    run(&builds, "other", "default", "10.9.3.6");
    until(&real, |state| is(state, "10.9.3.5", &builds, "default")).await;
    until(&real, |state| is(state, "10.9.3.6", &builds, "default")).await;
    let other: IpAddr = "10.9.3.6".parse().expect("an address");
    let named = real.caller(other, None).await;
    assert!(
        matches!(&named, Ok(Caller::Pod { name, .. }) if name == "other"),
        "{named:?}"
    );

    freezing.frozen.send_replace(true);
    delete(&builds, "first");
    run(&builds, "second", "default", "10.9.3.5");
    real.patience = Duration::from_secs(2);
    // The state still has the former pod alone.
    assert!(matches!(at(&real, "10.9.3.5"), Ok(Caller::Pod { name, .. }) if name == "first"));
    let address: IpAddr = "10.9.3.5".parse().expect("an address");
    assert_eq!(real.caller(address, None).await, Err(NoCaller::NotYet));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_server_checks_tokens_and_knows_deleted_accounts() {
    let Some(cluster) = sidestep_cluster_testing::api() else {
        return;
    };
    let _alone = ALONE.lock().await;
    let builds = cluster.namespace();
    builds.ok(&["create", "serviceaccount", "kaniko"]);
    let real = open(cluster, &Namespaces::All, None)
        .await
        .expect("it opens");
    assert!(real.has_reviews());
    let token = |audience: &str| {
        let audience = format!("--audience={audience}");
        let token = builds.ok(&["create", "token", "kaniko", &audience]);
        token.trim().to_owned()
    };
    let ours = token(POOL);
    let subject = real.verify_token(&ours, POOL).await.expect("it is valid");
    let path = "--output=jsonpath={.metadata.uid}";
    let uid = builds.ok(&["get", "serviceaccount", "kaniko", path]);
    assert_eq!(
        (
            subject.namespace.as_str(),
            subject.name.as_str(),
            subject.uid
        ),
        (builds.name(), "kaniko", uid)
    );
    for refused in [token("another"), "no token".to_owned()] {
        let error = real
            .verify_token(&refused, POOL)
            .await
            .expect_err("refused");
        assert!(
            error
                .to_string()
                .starts_with("the cluster rejects the token"),
            "{error}"
        );
        assert!(!error.to_string().contains(&refused), "{error}");
    }
    // A user of another kind is authenticated, but is not a workload.
    let admin = Kubeconfig::read_from(cluster.kubeconfig()).expect("a kubeconfig");
    let admin = serde_json::to_value(&admin.auth_infos[0]).expect("a user");
    let admin = admin["user"]["token"].as_str().unwrap_or_default();
    assert!(real.verify_token(admin, POOL).await.is_err());

    // A recreated account is another one.
    // The API server still answers from its cache here.
    let name = builds.name();
    builds.ok(&["delete", "serviceaccount", "kaniko"]);
    until(&real, |state| state.account(name, "kaniko").is_none()).await;
    assert!(real.verify_token(&ours, POOL).await.is_err());
    builds.ok(&["create", "serviceaccount", "kaniko"]);
    assert!(real.verify_token(&ours, POOL).await.is_err());
    let anew = real.verify_token(&token(POOL), POOL).await;
    assert!(anew.is_ok(), "{anew:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_that_lack_are_listed_and_keys_check_tokens_without_reviews() {
    let Some(cluster) = sidestep_cluster_testing::api() else {
        return;
    };
    let _alone = ALONE.lock().await;
    let builds = cluster.namespace();
    let name = builds.name();
    for account in ["sandbox", "kaniko"] {
        builds.ok(&["create", "serviceaccount", account]);
    }
    let own = builds.ok(&["create", "token", "sandbox"]);
    let only = Namespaces::Only(vec![name.to_owned()]);
    let error = open(cluster, &only, Some(own.trim())).await;
    let error = error.expect_err("it may do nothing");
    let ClusterError::Rights { user, missing, .. } = &error else {
        panic!("{error}");
    };
    let account = User::ServiceAccount {
        namespace: name.to_owned(),
        name: "sandbox".to_owned(),
    };
    assert_eq!(*user, account);
    assert_eq!(missing.len(), 7, "{error}");
    let words = format!("service account {name}/sandbox of context `sidestep` may not list pods");
    assert!(error.to_string().starts_with(&words), "{error}");

    // As the printed commands grant them, but for reviews.
    let role = format!("sidestep-test-{}", std::process::id());
    let (role, to) = (role.as_str(), format!("--serviceaccount={name}:sandbox"));
    let verbs = ["--verb=list,watch", "--resource=pods,serviceaccounts,nodes"];
    builds.ok(&[&["create", "clusterrole", role][..], &verbs].concat());
    let of_role = format!("--clusterrole={role}");
    builds.ok(&["create", "clusterrolebinding", role, &of_role, &to]);
    // The API server applies the role some time after its creation.
    let opened = async {
        loop {
            match open(cluster, &only, Some(own.trim())).await {
                Err(ClusterError::Rights { .. }) => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                opened => break opened,
            }
        }
    };
    let opened = tokio::time::timeout(Duration::from_mins(1), opened).await;
    let real = opened.expect("the role applies").expect("it opens");
    assert!(!real.has_reviews());
    let audience = format!("--audience={POOL}");
    let token = builds.ok(&["create", "token", "kaniko", &audience]);
    let token = token.trim();
    assert!(real.verify_token(token, POOL).await.is_ok());
    assert!(real.verify_token(token, "another").await.is_err());
    assert!(real.verify_token(own.trim(), POOL).await.is_err());
    let mut forged = token.to_owned();
    forged.replace_range(forged.len() - 8.., "AAAAAAAA");
    assert!(real.verify_token(&forged, POOL).await.is_err());
    builds.ok(&["delete", "serviceaccount", "kaniko"]);
    until(&real, |state| state.account(name, "kaniko").is_none()).await;
    assert!(real.verify_token(token, POOL).await.is_err());
    builds.ok(&["create", "serviceaccount", "kaniko"]);
    until(&real, |state| state.account(name, "kaniko").is_some()).await;
    assert!(real.verify_token(token, POOL).await.is_err());
    for kind in ["clusterrolebinding", "clusterrole"] {
        builds.ok(&["delete", kind, role]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_of_a_cloud_is_refused() {
    let Some(cluster) = sidestep_cluster_testing::api() else {
        return;
    };
    let _alone = ALONE.lock().await;
    let builds = cluster.namespace();
    let name = format!("gke-{}", builds.name());
    apply(
        &builds,
        &json!({
            "apiVersion": "v1", "kind": "Node", "metadata": { "name": name },
            "spec": { "providerID": "gce://demo/europe-west1-b/gke-1" },
        }),
    );
    let opened = open(cluster, &Namespaces::All, None).await;
    builds.ok(&["delete", "node", &name]);
    assert_eq!(
        opened.expect_err("it has a metadata server").to_string(),
        format!(
            "the nodes of context `sidestep` already have a metadata server at 169.254.169.254: \
             node `{name}` is a machine of Google Cloud (providerID gce://demo/europe-west1-b/gke-1)"
        )
    );
}

#[tokio::test]
async fn a_context_that_cannot_be_used_is_named() {
    let file = |port: u16| {
        let text = json!({
            "clusters": [{ "name": "c", "cluster": { "server": format!("https://127.0.0.1:{port}") } }],
            "users": [{ "name": "u", "user": {} }],
            "contexts": [{ "name": "kind-kind", "context": { "cluster": "c", "user": "u" } }],
        });
        serde_json::from_value::<Kubeconfig>(text).expect("a kubeconfig")
    };
    let error = connect(file(1), "kind-knid").await.err().expect("refused");
    assert_eq!(
        error.to_string(),
        "the kubeconfig has no context `kind-knid`; its contexts are kind-kind"
    );
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let error = connect(file(port), "kind-kind")
        .await
        .err()
        .expect("refused");
    let text = error.to_string();
    let start = format!("the API server 127.0.0.1:{port} of context `kind-kind` does not answer: ");
    assert!(
        text.starts_with(&start) && text.contains("refused"),
        "{text}"
    );
}
