//! Removes expired pods that carry the mark of a step, no matter which run created them.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use sidestep_capabilities::kubernetes::{
    MADE_BY_STEPS, Objects, Target, expires, made_by, made_by_run,
};
use sidestep_events::{Class, Failure, Header, Owner, codes};
use sidestep_pipeline::Plan;
use sidestep_policy::{Capability, StepGrant};
use sidestep_state::{Runs, StateError, Writer};

use crate::cleaner::GRACE;
use crate::cloud::Clients;
use crate::finding::{Fate, Finding};

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
    let spots = spots_of_plan(plan);
    let mut found = Vec::new();
    let look = async {
        for spot in &spots {
            sweep_spot(clients, runs, spot, false, &mut found).await;
        }
    };
    // Findings up to the timeout are still reported.
    if tokio::time::timeout(BOUND, look).await.is_err() {
        tracing::debug!(?BOUND, "the search for expired pods took too long");
    }
    found.retain(|pod| match &pod.fate {
        Fate::Removed | Fate::Going(_) => true,
        Fate::Failed(failure) => {
            let (name, why) = (pod.name.exact(), failure.message.exact());
            tracing::debug!(name, why, "an expired pod was not removed");
            false
        }
        _ => false,
    });
    found
}

/// A pod that a step created.
struct StepPod {
    name: String,
    uid: Option<String>,
    /// The run that it belongs to.
    run: String,
    /// The digest of that run's plan. Runs on separate hosts can have the same id.
    plan: String,
    expires: Option<Timestamp>,
}

impl StepPod {
    /// Returns the pod if it has a step's mark. The label alone does not prove that a step created
    /// it.
    fn of(pod: &Value) -> Option<Self> {
        let text = |key: &str| pod["metadata"][key].as_str().map(str::to_owned);
        let (run, rest) = made_by(pod)?.split_once('/')?;
        let plan = rest.rsplit('/').next()?;
        Some(Self {
            name: text("name")?,
            uid: text("uid"),
            run: run.to_owned(),
            plan: plan.to_owned(),
            expires: expires(pod),
        })
    }
}

/// The decision on a pod, with its reason.
enum Decision {
    Keep(String),
    Remove(String),
}

/// Checks the pods of steps in one namespace, and removes those that are expired, unless their run
/// is in progress.
pub(super) async fn sweep_spot(
    clients: &Clients,
    runs: &Runs,
    spot: &Spot,
    dry_run: bool,
    found: &mut Vec<Finding>,
) {
    let now = Timestamp::now();
    let decide = |pod: &StepPod| {
        let (run, expiry) = (&pod.run, pod.expires?);
        Some(if let Some(why) = in_use(runs, run) {
            Decision::Keep(why)
        } else if expiry >= now {
            Decision::Keep(format!(
                "it belongs to run {run} and expires at {expiry:.0}"
            ))
        } else {
            Decision::Remove(format!("it expired at {expiry:.0}; run {run} created it"))
        })
    };
    sweep_pods(clients, spot, MADE_BY_STEPS, dry_run, found, decide).await;
}

/// Removes all pods of the run with this header in one namespace. It is used for runs that can't be
/// resumed and whose journal may not name all of their objects.
pub(super) async fn sweep_run(
    clients: &Clients,
    spot: &Spot,
    header: &Header,
    why: &str,
    dry_run: bool,
    found: &mut Vec<Finding>,
) {
    let decide = |pod: &StepPod| {
        let own = pod.run == header.run && pod.plan == header.plan_digest;
        own.then(|| Decision::Remove(why.to_owned()))
    };
    sweep_pods(
        clients,
        spot,
        &made_by_run(&header.run),
        dry_run,
        found,
        decide,
    )
    .await;
}

/// Decides on all pods of steps with these labels in one namespace, however many there are. Adds
/// each finding as soon as it is known, since the caller may stop waiting.
async fn sweep_pods(
    clients: &Clients,
    spot: &Spot,
    labels: &str,
    dry_run: bool,
    found: &mut Vec<Finding>,
    decide: impl Fn(&StepPod) -> Option<Decision>,
) {
    let objects = match open(clients, spot).await {
        Ok(objects) => objects,
        Err(failure) => return found.push(unseen(spot, failure)),
    };
    let mut pages = objects.pages(labels);
    loop {
        let page = match pages.next().await {
            Ok(Some(page)) => page,
            Ok(None) => return,
            Err(failure) => return found.push(unseen(spot, failure)),
        };
        for pod in page.iter().filter_map(StepPod::of) {
            let (why, fate) = match decide(&pod) {
                None => continue,
                Some(Decision::Keep(why)) => (why, Fate::Kept),
                Some(Decision::Remove(why)) if dry_run => (why, Fate::WouldRemove),
                Some(Decision::Remove(why)) => (why, Fate::Failed(unanswered())),
            };
            let remove = matches!(fate, Fate::Failed(_));
            found.push(pod_of(spot, &pod.name, &pod.run, &why, fate));
            if remove {
                let deletion = objects.delete(&pod.name, pod.uid.as_deref(), Some(GRACE), None);
                let fate = Finding::fate_of_pod(deletion.await);
                if let Some(finding) = found.last_mut() {
                    finding.fate = fate;
                }
            }
        }
    }
}

/// Returns the failure of a removal that was requested, until its answer arrives.
fn unanswered() -> Failure {
    Failure::new(
        Class::TimedOut,
        codes::cleanup::TIMED_OUT,
        Owner::Cluster,
        "the API server did not answer in time, so the pod may still exist",
    )
}

fn pod_of(spot: &Spot, name: &str, run: &str, why: &str, fate: Fate) -> Finding {
    Finding {
        kind: "pod".into(),
        name: format!("{}/{name}", spot.namespace).into(),
        cluster: Some(spot.cluster.clone()),
        run: Some(run.into()),
        why: why.into(),
        fate,
    }
}

fn unseen(spot: &Spot, failure: Failure) -> Finding {
    Finding {
        kind: "pod".into(),
        name: format!("{}/*", spot.namespace).into(),
        cluster: Some(spot.cluster.clone()),
        run: None,
        why: "the pods could not be listed".into(),
        fate: Fate::Failed(failure),
    }
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

/// Returns why the run counts as in progress on this machine; `None` if it does not.
fn in_use(runs: &Runs, run: &str) -> Option<String> {
    let folder = match runs.open(&run.parse().ok()?) {
        Ok(folder) => folder,
        Err(StateError::NotFound { .. }) => return None,
        Err(error) => return Some(format!("run {run} may be in progress: {error}")),
    };
    match folder.writer() {
        Writer::Alive(Some(pid)) => Some(format!("run {run} is in progress (process {pid})")),
        Writer::Alive(None) => Some(format!("run {run} is in progress")),
        Writer::Nobody | Writer::Gone(_) => None,
    }
}
