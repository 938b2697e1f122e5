//! Whole runs of the step.

use sidestep::kubernetes::Update;
use sidestep::serde_json::{Value, json};
use sidestep::testing::{CreatedObject, Host, follow};
use sidestep::{Creation, Owner};

use super::*;

/// Returns the state of the build's pod, evicted from its node.
fn evicted(name: &str) -> Value {
    json!({
        "metadata": { "name": name, "namespace": "builds", "uid": "u1" },
        "status": {
            "phase": "Failed",
            "reason": "Evicted",
            "message": "The node was low on resource: ephemeral-storage.",
        },
    })
}

#[test]
fn a_build_whose_pod_is_evicted_names_the_node_s_reason() {
    let host = Host::new();
    host.kubernetes().create(|target, object, _| {
        let mut object: Value = sidestep::serde_json::from_str(object)?;
        object["metadata"]["name"] = target.name.clone().into();
        object["metadata"]["uid"] = "u1".into();
        Ok(CreatedObject {
            object: object.to_string(),
            outcome: Creation::Created,
        })
    });
    host.kubernetes().follow_pod(|pod, _| {
        let ended = evicted(&pod.name).to_string();
        Ok(follow([Update::Ended(ended)], ""))
    });
    let inputs = json!({
        "context": "gs://demo-contexts/contexts/a.tar.gz",
        "destinations": ["europe-docker.pkg.dev/demo/images/api:1"],
        "cluster": "ci",
        "namespace": "builds",
        "serviceAccount": "kaniko",
    });
    let error = host.run(run, inputs).expect_err("it is evicted");
    assert_eq!(error.code, "pod.evicted");
    assert_eq!(
        error.message,
        "the node evicted the build's pod: The node was low on resource: ephemeral-storage."
    );
    assert_eq!(error.owner, Owner::Cluster);
    let calls = host.calls();
    let names = calls.iter().filter_map(|call| call.split('(').next());
    let names: Vec<&str> = names.collect();
    assert_eq!(names, ["kubernetes::create", "kubernetes::follow_pod"]);
}
