//! The runner's images on a real node, and Google's names there.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use sidestep_cluster_testing::{Cluster, Images, Namespace};
use sidestep_sandbox::admission::{
    Installation, Means, Names, Namespaces, install, is_in_force, remove,
};

use crate::beside::{self, Beside, Machine};
use crate::served::{Served, Shell};
use crate::setup::program;

/// The registry of the tests' images.
const REGISTRY: &str = "europe-docker.pkg.dev";
const IMAGE: &str = "europe-docker.pkg.dev/demo/images/named:1";

/// A node with the runner's images.
fn node() -> Option<(&'static Cluster, &'static Images)> {
    let cluster = sidestep_cluster_testing::node()?;
    let images = cluster.images(Path::new(env!("CARGO_BIN_EXE_sidestep")))?;
    Some((cluster, images))
}

/// Creates an object.
fn create(namespace: &Namespace<'_>, object: &Value) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("object.json");
    std::fs::write(&file, object.to_string()).unwrap();
    namespace.ok(&["create", "--filename", file.to_str().unwrap()]);
}

/// Creates a pod with one container.
fn start(namespace: &Namespace<'_>, name: &str, container: Value, more: &Value) {
    let mut spec = json!({
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "containers": [container],
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name }, "spec": spec,
    });
    create(namespace, &pod);
}

/// Waits for the end of a pod's container. Returns its state and its log.
fn ended(namespace: &Namespace<'_>, name: &str) -> (Value, String) {
    let ended = "--for=jsonpath={.status.containerStatuses[0].state.terminated}";
    namespace.ok(&["wait", &format!("pod/{name}"), ended, "--timeout=180s"]);
    let pod = namespace.ok(&["get", "pod", name, "--output=json"]);
    let pod: Value = serde_json::from_str(&pod).unwrap();
    let log = namespace.kubectl(&["logs", name]).stdout;
    let status = pod["status"]["containerStatuses"][0].clone();
    (status, String::from_utf8_lossy(&log).into_owned())
}

/// Returns the digest in a container's termination message, after checking that it succeeded.
fn built((status, log): &(Value, String)) -> String {
    let state = &status["state"]["terminated"];
    assert_eq!(state["exitCode"], 0, "{state:#}\n{log}");
    let digest = state["message"].as_str().unwrap().trim().to_owned();
    assert!(digest.starts_with("sha256:"), "{digest}\n{log}");
    digest
}

/// Creates a build context, and returns the volumes and the mounts of a build.
fn context(namespace: &Namespace<'_>) -> (Value, Value) {
    let files = json!({
        "Dockerfile": "FROM scratch\nCOPY greeting /greeting\nENV A=b\n",
        "greeting": "hello\n",
    });
    create(
        namespace,
        &json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "context" },
            "data": files,
        }),
    );
    (
        json!([{ "name": "context", "configMap": { "name": "context" } }, { "name": "tmp", "emptyDir": {} }]),
        json!([{ "name": "context", "mountPath": "/workspace" }]),
    )
}

const BUILD: [&str; 3] = [
    "--no-push",
    "--digest-file=/dev/termination-log",
    "--log-format=text",
];

#[test]
fn the_runner_and_the_builder_start_in_a_pod() {
    let Some((cluster, images)) = node() else {
        return;
    };
    let namespace = cluster.namespace();
    let (volumes, mounts) = context(&namespace);
    let runner = json!({ "name": "main", "image": images.runner, "args": ["--version"] });
    start(&namespace, "runner", runner, &json!({}));
    let builder = json!({
        "name": "main", "image": images.builder, "args": BUILD, "volumeMounts": mounts,
    });
    start(
        &namespace,
        "builder",
        builder,
        &json!({ "volumes": volumes }),
    );

    let (status, log) = ended(&namespace, "runner");
    assert_eq!(status["state"]["terminated"]["exitCode"], 0, "{log}");
    assert_eq!(log, format!("sidestep {}\n", env!("CARGO_PKG_VERSION")));
    let build = ended(&namespace, "builder");
    built(&build);
    assert!(build.1.contains("COPY greeting /greeting"), "{}", build.1);
}

#[test]
fn our_kaniko_builds_as_any_user_and_with_a_read_only_root() {
    let Some((cluster, images)) = node() else {
        return;
    };
    let namespace = cluster.namespace();
    let (volumes, mounts) = context(&namespace);
    let mut with_room = mounts.clone();
    let room = json!({ "name": "tmp", "mountPath": "/tmp" });
    with_room.as_array_mut().unwrap().push(room);
    let strict = json!({
        "runAsUser": 65534, "runAsNonRoot": true, "allowPrivilegeEscalation": false,
        "capabilities": { "drop": ["ALL"] },
    });
    let mut read_only = strict.clone();
    read_only["readOnlyRootFilesystem"] = json!(true);
    for (name, security, mounts) in [
        ("root", json!({}), &mounts),
        ("user", strict, &mounts),
        ("read-only", read_only.clone(), &with_room),
        ("no-room", read_only, &mounts),
    ] {
        let container = json!({
            "name": "main", "image": images.kaniko, "args": BUILD, "volumeMounts": mounts,
            "securityContext": security,
        });
        start(&namespace, name, container, &json!({ "volumes": volumes }));
    }
    for name in ["root", "user", "read-only"] {
        built(&ended(&namespace, name));
    }
    let (status, log) = ended(&namespace, "no-room");
    assert_eq!(status["state"]["terminated"]["exitCode"], 1, "{log}");
    assert!(log.contains("mount a volume at /tmp"), "{log}");
}

/// Calls a Google API by its name, as the developer.
fn call(shell: &Shell<'_>, arguments: &[&str]) -> String {
    let token = std::fs::read_to_string(shell.get("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE")).unwrap();
    let header = format!("Authorization: Bearer {token}");
    let output = shell
        .command("curl")
        .args([
            "--silent",
            "--show-error",
            "--fail-with-body",
            "--max-time",
            "60",
        ])
        .args(["--header", &header])
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}{said}");
    said
}

/// Returns a key of the builder's, as Google would write it: the sandbox's names its own address.
fn key(shell: &Shell<'_>) -> String {
    let account = "https://iam.googleapis.com/v1/projects/demo/serviceAccounts/builder@demo.iam.gserviceaccount.com";
    let answer = call(shell, &["--json", "{}", &format!("{account}/keys")]);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let data = STANDARD
        .decode(answer["privateKeyData"].as_str().unwrap())
        .unwrap();
    let mut key: Value = serde_json::from_slice(&data).unwrap();
    key["token_uri"] = json!("https://oauth2.googleapis.com/token");
    key.to_string()
}

async fn client(cluster: &Cluster) -> kube::Client {
    let file = Kubeconfig::read_from(cluster.kubeconfig()).unwrap();
    let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
    kube::Client::try_from(config.unwrap()).unwrap()
}

/// Starts a build by Google's names alone: the token, the context and the push. The pod's manifest
/// says nothing about a sandbox.
fn start_build(namespace: &Namespace<'_>, builder: &str, key: &str) {
    create(
        namespace,
        &json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "key" },
            "stringData": { "key.json": key },
        }),
    );
    let container = json!({
        "name": "main", "image": builder,
        "args": [
            "--context=gs://demo-contexts/named.tar.gz",
            format!("--destination={IMAGE}"),
            "--digest-file=/dev/termination-log",
            "--log-format=text",
        ],
        "env": [{ "name": "GOOGLE_APPLICATION_CREDENTIALS", "value": "/secret/key.json" }],
        "volumeMounts": [{ "name": "key", "mountPath": "/secret" }],
    });
    let volumes = json!([{ "name": "key", "secret": { "secretName": "key" } }]);
    start(
        namespace,
        "build",
        container,
        &json!({ "volumes": volumes }),
    );
}

#[test]
fn a_manifest_for_gke_builds_and_pushes_and_the_node_pulls_by_googles_names() {
    let Some(_) = program("curl") else { return };
    let Some((cluster, images)) = node() else {
        return;
    };
    let mut served = Served::new();
    served
        .setup
        .write("app/Dockerfile", "FROM scratch\nCOPY greeting /greeting\n");
    served.setup.write("app/greeting", "hello\n");
    let status = served.setup.status_of("healthy");
    let server: SocketAddr = status["live"]["google"].as_str().unwrap().parse().unwrap();
    let authority = served.setup.sandbox_file("healthy", "tls/ca.crt");
    let shell = served.shell(&["--proxy"]);
    let upload = "https://storage.googleapis.com/upload/storage/v1/b/demo-contexts/o?uploadType=media&name=named.tar.gz";
    shell.ok("tar -czf named.tar.gz -C app .");
    call(&shell, &["--data-binary", "@named.tar.gz", upload]);
    let key = key(&shell);

    let _alone = beside::node().expect("a node of this machine").1;
    let mut google = cluster.google_names(server).expect("a cluster of our own");
    let namespace = cluster.namespace();
    let names = Names::new(google.address(), authority.as_str());
    let inside = Namespaces::new([namespace.name()]).unwrap();
    let this = Installation::new("a test");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (client, means, in_force) = runtime.block_on(async {
        let client = client(cluster).await;
        let means = install(&client, &this, &names, &inside, None)
            .await
            .unwrap();
        let patience = Duration::from_mins(1);
        let in_force = is_in_force(&client, namespace.name(), patience)
            .await
            .unwrap();
        (client, means, in_force)
    });
    assert_eq!((means, in_force), (Means::Policy, true));
    let outside = cluster.namespace();
    start_build(&namespace, &images.builder, &key);
    // The real kaniko retries for minutes.
    start_build(&outside, &images.kaniko, &key);
    let digest = built(&ended(&namespace, "build"));

    // Elsewhere, the same pod finds none of the names.
    let (status, log) = ended(&outside, "build");
    assert_eq!(status["state"]["terminated"]["exitCode"], 1, "{log}");
    assert!(log.contains("oauth2.googleapis.com"), "{log}");

    // The node pulls it by the same name. There is no program in it, so it does not start.
    google.for_the_node(&[REGISTRY.to_owned()], &authority);
    let token = std::fs::read_to_string(shell.get("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE")).unwrap();
    namespace.ok(&[
        "create",
        "secret",
        "docker-registry",
        "pull",
        &format!("--docker-server={REGISTRY}"),
        "--docker-username=oauth2accesstoken",
        &format!("--docker-password={token}"),
    ]);
    let container = json!({ "name": "main", "image": IMAGE, "command": ["/greeting"] });
    let secrets = json!({ "imagePullSecrets": [{ "name": "pull" }] });
    start(&namespace, "pulled", container, &secrets);
    let (status, _) = ended(&namespace, "pulled");
    assert_eq!(
        status["imageID"],
        format!("{}@{digest}", IMAGE.trim_end_matches(":1"))
    );

    let removed = runtime.block_on(remove(&client, &this)).unwrap();
    assert_eq!(removed, 3);
}

/// The manifest that people write for GKE.
fn manifest(builder: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "kaniko", "namespace": "builds" },
        "spec": {
            "restartPolicy": "Never",
            "serviceAccountName": "kaniko",
            "nodeSelector": { "iam.gke.io/gke-metadata-server-enabled": "true" },
            "containers": [{
                "name": "kaniko", "image": builder,
                "args": [
                    "--dockerfile=Dockerfile",
                    "--context=gs://demo-contexts/gke.tar.gz",
                    "--destination=europe-docker.pkg.dev/demo/images/gke:1",
                    "--digest-file=/dev/termination-log",
                    "--cache=true",
                ],
            }],
        },
    })
}

/// Uploads a build context as the sandbox's developer.
fn upload(sandbox: &Beside) {
    let storage = sandbox.status()["live"]["endpoints"]["STORAGE"].clone();
    let storage = storage.as_str().unwrap();
    sandbox.in_a_shell(&format!(
        "cd $HOME && printf 'FROM scratch\\nCOPY Dockerfile /\\n' >Dockerfile && \
         tar -czf gke.tar.gz Dockerfile && curl --silent --show-error --fail-with-body \
         --header \"Authorization: Bearer $(cat $CLOUDSDK_AUTH_ACCESS_TOKEN_FILE)\" \
         --data-binary @gke.tar.gz \
         '{storage}/upload/storage/v1/b/demo-contexts/o?uploadType=media&name=gke.tar.gz'"
    ));
}

#[test]
fn a_sandbox_beside_a_cluster_runs_a_manifest_for_gke_unchanged() {
    let Some(_) = program("curl") else { return };
    let Some((cluster, images)) = node() else {
        return;
    };
    let _alone = beside::node().expect("a node of this machine").1;
    let builds = "--namespace=builds";
    let _ = cluster.kubectl(&["create", "namespace", "builds"]);
    let _ = cluster.kubectl(&["create", "serviceaccount", "kaniko", builds]);
    let kinds = "configmaps,mutatingadmissionpolicies,mutatingadmissionpolicybindings";
    for machine in [Machine::Node, Machine::Outside] {
        build_for_gke(cluster, images, machine, kinds);
    }
}

/// Builds by the manifest for GKE, and checks that the sandbox installs one object of each of these
/// kinds for that.
pub(crate) fn build_for_gke(
    cluster: &'static Cluster,
    images: &Images,
    machine: Machine,
    kinds: &str,
) {
    let builds = "--namespace=builds";
    let sandbox = Beside::at(machine, cluster, "builds").unwrap();
    let link = "iam.gke.io/gcp-service-account=builder@demo.iam.gserviceaccount.com";
    cluster.ok(&[
        "annotate",
        "--overwrite",
        "serviceaccount",
        "kaniko",
        builds,
        link,
    ]);
    upload(&sandbox);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), manifest(&images.builder).to_string()).unwrap();
    cluster.ok(&["apply", "--filename", file.path().to_str().unwrap()]);
    let ended = "--for=jsonpath={.status.containerStatuses[0].state.terminated}";
    cluster.ok(&["wait", builds, "pod/kaniko", ended, "--timeout=180s"]);
    let pod = cluster.ok(&["get", builds, "pod", "kaniko", "--output=json"]);
    let pod: Value = serde_json::from_str(&pod).unwrap();
    let log = cluster.ok(&["logs", builds, "kaniko"]);
    built(&(pod["status"]["containerStatuses"][0].clone(), log));

    // Everything that was installed ends with the sandbox.
    let ours = "--selector=sidestep.dev/sandbox";
    let list = ["get", kinds, "--all-namespaces", ours, "--output=name"];
    assert_eq!(cluster.ok(&list).lines().count(), kinds.split(',').count());
    drop(sandbox);
    assert_eq!(cluster.ok(&list), "");
    cluster.ok(&["delete", builds, "pod", "kaniko"]);
}
