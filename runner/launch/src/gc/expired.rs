//! Removes expired pods that carry the mark of a step, no matter which run created them.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use sidestep_capabilities::kubernetes::{MADE_BY_STEPS, Most, Objects, Target, expires, made_by};
use sidestep_events::Failure;
use sidestep_pipeline::Plan;
use sidestep_policy::{Capability, StepGrant};
use sidestep_state::{Runs, Writer};

use crate::cleaner::GRACE;
use crate::cloud::Clients;
use crate::finding::{Fate, Finding};

/// The pods of one namespace that are checked.
const MOST: Most = Most {
    objects: 500,
    bytes: 16 << 20,
};
/// The maximum time for which a run searches for leftovers of earlier runs before it begins.
const BOUND: Duration = Duration::from_secs(5);

/// A namespace of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The cluster's resource name, or the operator's name for it.
    pub cluster: String,
    /// The namespace.
    pub namespace: String,
}

/// Returns the namespaces in which a plan's steps may delete pods, if the plan names them
/// literally.
pub(super) fn spots_of_plan(plan: &Plan) -> BTreeSet<Spot> {
    let mut spots = BTreeSet::new();
    for instance in &plan.instances {
        let grant = instance.scopes.get(Capability::Kubernetes);
        for scope in grant.into_iter().flat_map(StepGrant::scopes) {
            let removes = scope
                .patterns("actions")
                .is_none_or(|all| all.iter().any(|action| action.matches("delete")));
            if !removes {
                continue;
            }
            for cluster in scope.exactly("cluster") {
                for namespace in scope.exactly("namespace") {
                    spots.insert(Spot {
                        cluster: cluster.to_owned(),
                        namespace: namespace.to_owned(),
                    });
                }
            }
        }
    }
    spots
}

/// Removes the expired pods of steps from the namespaces in which the run will work. Every run does
/// this first. It takes at most a few seconds. A cluster that refuses is not an error, since the
/// run itself will report that better.
pub(crate) async fn sweep_expired(clients: &Clients, runs: &Runs, plan: &Plan) -> Vec<Finding> {
    let mut found = Vec::new();
    let spots = spots_of_plan(plan);
    let look = async {
        for spot in &spots {
            let pods = sweep_spot(clients, runs, spot, false).await;
            for pod in pods {
                match &pod.fate {
                    Fate::Removed | Fate::Going(_) => found.push(pod),
                    Fate::Failed(failure) => {
                        let (name, why) = (pod.name.exact(), failure.message.exact());
                        tracing::debug!(name, why, "an expired pod was not removed");
                    }
                    _ => {}
                }
            }
        }
    };
    // Findings up to the timeout are still reported.
    if tokio::time::timeout(BOUND, look).await.is_err() {
        tracing::debug!(?BOUND, "the search for expired pods took too long");
    }
    found
}

/// Checks the pods of steps in one namespace, and removes those that are expired, unless their run
/// is in progress.
pub(super) async fn sweep_spot(
    clients: &Clients,
    runs: &Runs,
    spot: &Spot,
    dry_run: bool,
) -> Vec<Finding> {
    let (objects, pods) = match pods_of_steps(clients, spot).await {
        Ok(found) => found,
        Err(failure) => return vec![unseen(spot, failure)],
    };
    let now = Timestamp::now();
    let mut found = Vec::new();
    for pod in pods {
        let metadata = &pod["metadata"];
        let (Some(name), Some(by), Some(expiry)) =
            (metadata["name"].as_str(), made_by(&pod), expires(&pod))
        else {
            // The label alone does not prove that a step created the pod.
            continue;
        };
        let run = by.split('/').next().unwrap_or(by);
        let (why, fate) = if let Some(pid) = alive(runs, run) {
            (format!("run {run} is in progress{pid}"), Fate::Kept)
        } else if expiry >= now {
            let why = format!("it belongs to run {run} and expires at {expiry:.0}");
            (why, Fate::Kept)
        } else {
            let why = format!("it expired at {expiry:.0}; run {run} created it");
            let uid = metadata["uid"].as_str();
            (why, remove(&objects, name, uid, dry_run).await)
        };
        found.push(pod_of(spot, name, run, &why, fate));
    }
    found
}

/// Removes all pods of one run in one namespace. It is used for runs that can't be resumed and
/// whose journal may not name all of their objects.
pub(super) async fn sweep_run(
    clients: &Clients,
    spot: &Spot,
    run: &str,
    why: &str,
    dry_run: bool,
) -> Vec<Finding> {
    let (objects, pods) = match pods_of_steps(clients, spot).await {
        Ok(found) => found,
        Err(failure) => return vec![unseen(spot, failure)],
    };
    let mut found = Vec::new();
    for pod in pods {
        let metadata = &pod["metadata"];
        let by = made_by(&pod).and_then(|by| by.split('/').next());
        let (Some(name), true) = (metadata["name"].as_str(), by == Some(run)) else {
            continue;
        };
        let fate = remove(&objects, name, metadata["uid"].as_str(), dry_run).await;
        found.push(pod_of(spot, name, run, why, fate));
    }
    found
}

async fn remove(objects: &Objects, name: &str, uid: Option<&str>, dry_run: bool) -> Fate {
    if dry_run {
        return Fate::WouldRemove;
    }
    Finding::fate_of_pod(objects.delete(name, uid, Some(GRACE), None).await)
}

fn pod_of(spot: &Spot, name: &str, run: &str, why: &str, fate: Fate) -> Finding {
    Finding {
        kind: "pod".into(),
        name: format!("{}/{name}", spot.namespace).into(),
        run: Some(run.into()),
        why: why.into(),
        fate,
    }
}

fn unseen(spot: &Spot, failure: Failure) -> Finding {
    Finding {
        kind: "pod".into(),
        name: format!("{}/*", spot.namespace).into(),
        run: None,
        why: "the pods could not be listed".into(),
        fate: Fate::Failed(failure),
    }
}

async fn pods_of_steps(clients: &Clients, spot: &Spot) -> Result<(Objects, Vec<Value>), Failure> {
    let objects = open(clients, spot).await?;
    let (pods, _more) = objects.list(Some(MADE_BY_STEPS), None, MOST).await?;
    Ok((objects, pods))
}

async fn open(clients: &Clients, spot: &Spot) -> Result<Objects, Failure> {
    let client = clients.clusters.client(&spot.cluster).await?;
    let target = Target {
        api_version: "v1".to_owned(),
        resource: "pods".to_owned(),
        namespace: Some(spot.namespace.clone()),
    };
    Ok(Objects::new(client, target))
}

/// Returns a description of the process on this machine that executes the run, if there is one.
fn alive(runs: &Runs, run: &str) -> Option<String> {
    let folder = runs.open(&run.parse().ok()?).ok()?;
    match folder.writer() {
        Writer::Alive(Some(pid)) => Some(format!(" (process {pid})")),
        Writer::Alive(None) => Some(String::new()),
        Writer::Nobody | Writer::Gone(_) => None,
    }
}
