//! Google's own Python and Go clients in pods of a real node: each is its pod's identity, and knows of
//! no sandbox.

use serde_json::{Value, json};
use sidestep_cluster_testing::Cluster;

use crate::beside::{BUILDER, Beside, account, create, node};
use crate::setup::program;

/// The clients, and how each is started.
const CLIENTS: [(&str, &[&str]); 2] = [
    ("python", &["/bin/python3", "/opt/clients/storage.py"]),
    ("go", &["/opt/clients/storage"]),
];
const TEXT: &str = "written in a pod";

/// A call of each client.
struct Call {
    namespace: &'static str,
    account: &'static str,
    verb: &'static str,
    /// The object's name, which `$OTHER` makes the one that the other client wrote.
    object: &'static str,
}

impl Call {
    fn pod_name(&self, client: &str) -> String {
        format!("{}-{client}-{}", self.account, self.verb)
    }

    fn pod(&self, image: &str, (client, command): (&str, &[&str])) -> Value {
        let other = CLIENTS.iter().find(|(name, _)| *name != client).unwrap().0;
        let object = self.object.replace("$OTHER", other);
        let object = object.replace("$OWN", client);
        let arguments = [self.verb, "demo-contexts", &object, TEXT];
        let command = [command, &arguments].concat();
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "namespace": self.namespace, "name": self.pod_name(client) },
            "spec": {
                "restartPolicy": "Never", "serviceAccountName": self.account,
                "containers": [{
                    "name": "main", "image": image, "command": command,
                    "env": [{ "name": "PYTHONPATH", "value": "/opt/clients/packages" }],
                }],
            },
        })
    }
}

/// Makes a call by each client at once, and returns what each prints.
fn make(cluster: &Cluster, image: &str, calls: &[Call]) -> Vec<String> {
    let pods = calls.iter().flat_map(|call| {
        let of_client = |client: &(&str, &[&str])| call.pod(image, *client);
        CLIENTS.iter().map(of_client).collect::<Vec<_>>()
    });
    let pods: Vec<Value> = pods.collect();
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": pods });
    create(cluster, &list);
    let log = |pod: &Value| {
        let text = |field: &str| pod["metadata"][field].as_str().unwrap().to_owned();
        let (of, name) = (format!("--namespace={}", text("namespace")), text("name"));
        let ended = "--for=jsonpath={.status.containerStatuses[0].state.terminated}";
        cluster.ok(&["wait", &of, &format!("pod/{name}"), ended, "--timeout=240s"]);
        cluster.ok(&["logs", &of, &name])
    };
    pods.iter().map(log).collect()
}

#[test]
fn python_and_go_read_and_write_as_the_identity_of_their_pod() {
    let (Some((cluster, _alone)), Some(_)) = (node(), program("gcloud")) else {
        return;
    };
    let Some(image) = cluster.clients() else {
        return;
    };
    account(cluster, "builds", "kaniko", Some(BUILDER));
    account(cluster, "builds", "plain", None);
    // The same names, which the binding does not include.
    account(cluster, "others", "kaniko", Some(BUILDER));
    let sandbox = Beside::start(cluster, "builds,others").unwrap();
    sandbox.in_a_shell(&format!(
        "gcloud storage buckets add-iam-policy-binding gs://demo-contexts \
         --member serviceAccount:{BUILDER} --role roles/storage.objectUser --condition=None"
    ));
    let call = |namespace, account, verb, object| Call {
        namespace,
        account,
        verb,
        object,
    };

    let written = make(
        cluster,
        &image,
        &[call("builds", "kaniko", "write", "from-$OWN")],
    );
    assert_eq!(written, ["", ""]);
    let said = make(
        cluster,
        &image,
        &[
            call("builds", "kaniko", "read", "from-$OTHER"),
            call("others", "kaniko", "read", "from-$OTHER"),
            call("builds", "plain", "read", "from-$OTHER"),
            call("builds", "plain", "write", "never"),
        ],
    );
    let [read, of_others, unread, unwritten] = said.chunks(2).collect::<Vec<_>>()[..] else {
        panic!("{said:?}");
    };
    assert_eq!(read, [TEXT, TEXT]);
    for (said, why) in [
        (of_others, "iam.serviceAccounts.getAccessToken"),
        (unread, "does not have storage.objects.get access"),
        (unwritten, "does not have storage.objects.create access"),
    ] {
        for said in said {
            assert!(said.contains("refused: ") && said.contains(why), "{said}");
        }
    }
    let objects = sandbox.in_a_shell("gcloud storage ls gs://demo-contexts/");
    assert_eq!(
        objects,
        "gs://demo-contexts/from-go\ngs://demo-contexts/from-python\n"
    );
}
