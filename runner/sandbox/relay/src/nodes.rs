//! The relays of all nodes: one tunnel to each pod, as long as it exists.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{ContainerState, Pod};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{Config, Event, watcher};
use kube::{Api, Client, ResourceExt as _};
use sidestep_sandbox_base::Watched;
use tokio::task::{AbortHandle, JoinSet};

use crate::CONTROL_PORT;
use crate::objects::POD;
use crate::tunnels::Tunnels;

/// The first and the longest pause before another tunnel to a pod is opened.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// The duration of one watch, in seconds. A connection that is cut silently is noticed 5 s later.
const SECONDS: u32 = 30;

/// The relay of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relay {
    /// Its pod starts, or a tunnel to it is opened.
    Starts,
    /// The node has no image of this name, and can't pull it; with the kubelet's reason.
    NoImage(String),
    /// Its container ended, with these last words.
    Ended(String),
    /// Pods of the node reach the sandbox.
    Works,
}

/// The relays by their nodes' names.
pub type Nodes = BTreeMap<String, Relay>;

/// Keeps a tunnel to the relay of each node, and writes down what becomes of them. Never ends.
pub async fn keep(client: Client, namespace: String, tunnels: Tunnels, nodes: Arc<Watched<Nodes>>) {
    let pods: Api<Pod> = Api::namespaced(client, &namespace);
    let labels = format!("{}={}", POD.0, POD.1);
    let config = Config::default().labels(&labels).timeout(SECONDS);
    let mut events = pin!(watcher(pods.clone(), config).default_backoff());
    let mut followed = Followed {
        pods,
        tunnels,
        nodes,
        running: BTreeMap::new(),
        tasks: JoinSet::new(),
    };
    let mut listed = BTreeSet::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(pod)) => {
                listed.insert(pod.name_any());
                followed.apply(&pod);
            }
            Ok(Event::InitDone) => followed.retain(&listed),
            Ok(Event::Apply(pod)) => followed.apply(&pod),
            Ok(Event::Delete(pod)) => followed.remove(&pod.name_any()),
            Err(error) => tracing::warn!(%error, "a watch of the relays was lost"),
        }
    }
}

/// The pods that are known, and their tunnels.
struct Followed {
    pods: Api<Pod>,
    tunnels: Tunnels,
    nodes: Arc<Watched<Nodes>>,
    /// Each pod's node, and its tunnel while its container runs.
    running: BTreeMap<String, (String, Option<AbortHandle>)>,
    /// All end with this value.
    tasks: JoinSet<()>,
}

impl Followed {
    fn apply(&mut self, pod: &Pod) {
        while self.tasks.try_join_next().is_some() {}
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone());
        // A pod without a node is not scheduled yet.
        let Some(node) = node else { return };
        let name = pod.name_any();
        let state = state(pod);
        let known = self.running.entry(name.clone());
        let (_, task) = known.or_insert_with(|| (node.clone(), None));
        if state != Relay::Works {
            if let Some(task) = task.take() {
                task.abort();
            }
            self.nodes.write(|nodes| nodes.insert(node, state));
        } else if task.is_none() {
            let (pods, tunnels) = (self.pods.clone(), self.tunnels.clone());
            let kept = tunnel(pods, name, node, tunnels, Arc::clone(&self.nodes));
            *task = Some(self.tasks.spawn(kept));
        }
    }

    fn remove(&mut self, name: &str) {
        if let Some((node, task)) = self.running.remove(name) {
            if let Some(task) = task {
                task.abort();
            }
            self.nodes.write(|nodes| nodes.remove(&node));
        }
    }

    /// Removes what is not in a new list.
    fn retain(&mut self, listed: &BTreeSet<String>) {
        let known: Vec<String> = self.running.keys().cloned().collect();
        for name in known.iter().filter(|name| !listed.contains(*name)) {
            self.remove(name);
        }
    }
}

/// Returns what a pod's status says. [`Relay::Works`] means that a tunnel can be opened.
fn state(pod: &Pod) -> Relay {
    let container = pod
        .status
        .iter()
        .flat_map(|status| status.container_statuses.iter().flatten())
        .next();
    let Some(container) = container else {
        return Relay::Starts;
    };
    let last_words = |state: &Option<ContainerState>| {
        let ended = state.as_ref()?.terminated.as_ref()?;
        ended.message.clone().or_else(|| ended.reason.clone())
    };
    let state = container.state.as_ref();
    if state.is_some_and(|state| state.running.is_some()) {
        return Relay::Works;
    }
    let waiting = state.and_then(|state| state.waiting.as_ref());
    let reason = waiting
        .and_then(|waiting| waiting.reason.as_deref())
        .unwrap_or_default();
    if [
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
    ]
    .contains(&reason)
    {
        let said = waiting.and_then(|waiting| waiting.message.clone());
        return Relay::NoImage(said.unwrap_or_else(|| reason.to_owned()));
    }
    match last_words(&container.state).or_else(|| last_words(&container.last_state)) {
        Some(words) => Relay::Ended(words.trim().to_owned()),
        None => Relay::Starts,
    }
}

/// Keeps a tunnel to one pod.
async fn tunnel(
    pods: Api<Pod>,
    name: String,
    node: String,
    tunnels: Tunnels,
    nodes: Arc<Watched<Nodes>>,
) {
    let mut pause = PAUSES.0;
    loop {
        nodes.write(|nodes| nodes.insert(node.clone(), Relay::Starts));
        match open(&pods, &name, &node, &tunnels).await {
            Ok(works) => {
                pause = PAUSES.0;
                nodes.write(|nodes| nodes.insert(node.clone(), Relay::Works));
                works.await;
                tracing::warn!(node, "the tunnel to a node was lost");
            }
            Err(why) => tracing::warn!(node, why, "a tunnel to a node can't be opened"),
        }
        tokio::time::sleep(pause).await;
        pause = PAUSES.1.min(pause * 2);
    }
}

async fn open(
    pods: &Api<Pod>,
    name: &str,
    node: &str,
    tunnels: &Tunnels,
) -> Result<impl Future<Output = ()> + use<>, String> {
    let forwarded = pods.portforward(name, &[CONTROL_PORT]).await;
    let mut forwarded = forwarded.map_err(|error| error.to_string())?;
    let stream = forwarded
        .take_stream(CONTROL_PORT)
        .ok_or("the port is not forwarded")?;
    let works = tunnels
        .open(stream, node)
        .await
        .map_err(|error| error.to_string())?;
    Ok(async move {
        works.await;
        forwarded.abort();
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(status: Value) -> Relay {
        let pod =
            json!({ "metadata": { "name": "p" }, "status": { "containerStatuses": [status] } });
        state(&serde_json::from_value(pod).expect("a pod"))
    }

    fn status(state: Value, last: Value) -> Value {
        json!({
            "name": "relay", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
            "state": state, "lastState": last,
        })
    }

    #[test]
    fn a_pod_tells_why_its_relay_does_not_work() {
        let none = json!({});
        assert_eq!(state(&Pod::default()), Relay::Starts);
        let creating = json!({ "waiting": { "reason": "ContainerCreating" } });
        assert_eq!(of(status(creating, none.clone())), Relay::Starts);
        let running = json!({ "running": {} });
        assert_eq!(of(status(running, none.clone())), Relay::Works);
        let image =
            json!({ "waiting": { "reason": "ImagePullBackOff", "message": "no such host" } });
        assert_eq!(
            of(status(image, none.clone())),
            Relay::NoImage("no such host".to_owned())
        );
        let ended = json!({ "terminated": { "exitCode": 1, "message": "port 80 is in use\n" } });
        let said = Relay::Ended("port 80 is in use".to_owned());
        assert_eq!(of(status(ended.clone(), none.clone())), said);
        let again = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
        assert_eq!(of(status(again, ended)), said);
    }
}
