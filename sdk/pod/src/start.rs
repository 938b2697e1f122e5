//! The creation of the pod.

use sidestep::kubernetes::{self, CreateOptions, ObjectRef, PodRef};
use sidestep::serde_json::Value;
use sidestep::{Creation, Result};

use crate::refused::refused;
use crate::work::Work;

/// A pod that was created, or that an earlier incarnation of the step created.
#[derive(Debug)]
pub struct Started {
    /// The pod.
    pub pod: PodRef,
    /// Its state when it was created.
    pub object: Value,
    /// Whether it is new.
    pub outcome: Creation,
}

/// Creates the pod of that name. A rejected pod gets the help that repairs the work's inputs.
pub fn start(
    work: &Work<'_>,
    name: String,
    pod: &Value,
    options: &CreateOptions<'_>,
) -> Result<Started> {
    let cluster = work.cluster.as_str();
    let target = ObjectRef::namespaced(cluster, "v1", "pods", work.namespace, &name);
    let made = kubernetes::create(&target, pod, options).map_err(|error| refused(error, work))?;
    Ok(Started {
        pod: PodRef {
            cluster: cluster.to_owned(),
            namespace: work.namespace.to_owned(),
            name,
            uid: made.object["metadata"]["uid"].as_str().map(str::to_owned),
        },
        object: made.object,
        outcome: made.outcome,
    })
}
