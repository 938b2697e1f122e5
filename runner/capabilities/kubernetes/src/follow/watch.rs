//! Watches the pod's states and events, and starts a log reader for each container that has
//! started.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod, PodStatus};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client, ResourceExt as _};
use serde::Serialize;
use serde_json::Value;
use sidestep_events::{Class, Evidence, Failure, Owner, codes};
use sidestep_gate::Update;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::logs::{LogEnd, LogReader};
use super::reading::Taken;
use super::{Shared, Target, evidence};
use crate::failure;

/// Follows the pod until it has ended and its logs are read; reports to `shared`.
pub(super) async fn follow(client: Client, target: Target, shared: Arc<Shared>) {
    let end = Following::new(client, target, Arc::clone(&shared))
        .run()
        .await;
    shared.report(end).await;
}

struct Following {
    pods: Api<Pod>,
    events: Api<Event>,
    target: Target,
    shared: Arc<Shared>,
    /// Notifies the reader of each container's log that the container has ended.
    over: HashMap<String, watch::Sender<bool>>,
    readers: JoinSet<()>,
    /// The reported events, by uid and count: a restarted watch repeats them.
    reported: HashSet<(String, i32)>,
    /// Whether it was reported that the events can't be watched.
    blind: bool,
    last: Option<Pod>,
}

impl Following {
    fn new(client: Client, target: Target, shared: Arc<Shared>) -> Self {
        Self {
            pods: Api::namespaced(client.clone(), &target.namespace),
            events: Api::namespaced(client, &target.namespace),
            target,
            shared,
            over: HashMap::new(),
            readers: JoinSet::new(),
            reported: HashSet::new(),
            blind: false,
            last: None,
        }
    }

    async fn run(&mut self) -> Result<Update, Failure> {
        let name = self.target.name.clone();
        let by_name = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let mut states = watcher(self.pods.clone(), by_name)
            .default_backoff()
            .boxed();
        let of_pod = format!("involvedObject.kind=Pod,involvedObject.name={name}");
        let of_pod = watcher::Config::default().fields(&of_pod);
        let mut events = if self.target.events {
            watcher(self.events.clone(), of_pod)
                .default_backoff()
                .boxed()
        } else {
            futures::stream::pending().boxed()
        };
        let mut found = false;
        let mut listed = Vec::new();
        loop {
            tokio::select! {
                state = states.try_next() => match state {
                    Ok(Some(watcher::Event::Init)) => found = false,
                    Ok(Some(watcher::Event::InitApply(pod))) => {
                        found = true;
                        if self.state(pod).await? { break }
                    }
                    Ok(Some(watcher::Event::Apply(pod))) => if self.state(pod).await? { break },
                    Ok(Some(watcher::Event::InitDone)) => if !found { break },
                    Ok(Some(watcher::Event::Delete(pod))) => {
                        if self.is_target(&pod) {
                            self.last = Some(pod);
                            break;
                        }
                    }
                    Ok(None) => return Err(Failure::bug("the watch of a pod ended")),
                    Err(error) => refusal(&error, &self.target)?,
                },
                event = events.try_next() => match event {
                    Ok(Some(watcher::Event::Init)) => listed.clear(),
                    Ok(Some(watcher::Event::InitApply(event))) => listed.push(event),
                    Ok(Some(watcher::Event::InitDone)) => {
                        // A list is sorted by name, not by time.
                        listed.sort_by_key(version);
                        for event in std::mem::take(&mut listed) {
                            self.event(&event).await;
                        }
                    }
                    Ok(Some(watcher::Event::Apply(event))) => self.event(&event).await,
                    Ok(Some(watcher::Event::Delete(_))) => {}
                    Ok(None) => return Err(Failure::bug("the watch of a pod's events ended")),
                    // Events help to explain; without permission to watch them, the pod still runs.
                    Err(error) => self.without_events(&error),
                },
            }
        }
        self.drain().await
    }

    /// Processes a state, and returns whether the pod has ended.
    async fn state(&mut self, pod: Pod) -> Result<bool, Failure> {
        if !self.is_target(&pod) {
            // Another pod has the name: ours is gone.
            return Ok(true);
        }
        let status = pod.status.clone().unwrap_or_default();
        let phase = status.phase.as_deref().unwrap_or("Pending");
        let restarts = pod
            .spec
            .as_ref()
            .and_then(|spec| spec.restart_policy.as_deref());
        // A container that was injected beside the followed ones may run forever.
        let is_over = matches!(phase, "Succeeded" | "Failed")
            || (restarts == Some("Never") && self.all_ended(&status));
        for container in evidence::containers(&status) {
            self.container(container, is_over || restarts == Some("Never"));
        }
        let state = json(&pod)?;
        self.note(&pod);
        self.last = Some(pod);
        self.shared.report(Ok(Update::Status(state))).await;
        Ok(is_over)
    }

    /// Returns whether every container that the target names has ended.
    fn all_ended(&self, status: &PodStatus) -> bool {
        let wanted = &self.target.containers;
        let has_ended = |name: &String| {
            evidence::containers(status)
                .find(|container| container.name == *name)
                .and_then(|container| container.state.as_ref())
                .is_some_and(|state| state.terminated.is_some())
        };
        !wanted.is_empty() && wanted.iter().all(has_ended)
    }

    /// Starts to read a container's log once it has started, and notifies its reader when it has
    /// ended.
    fn container(&mut self, status: &ContainerStatus, ends_for_good: bool) {
        let name = &status.name;
        let wanted = &self.target.containers;
        if !wanted.is_empty() && !wanted.contains(name) {
            return;
        }
        let state = status.state.clone().unwrap_or_default();
        let started = state.running.is_some()
            || state
                .terminated
                .as_ref()
                .is_some_and(|end| end.container_id.is_some());
        if started && !self.over.contains_key(name) {
            self.read(name.clone());
        }
        if state.terminated.is_some()
            && ends_for_good
            && let Some(over) = self.over.get(name)
        {
            over.send_replace(true);
        }
    }

    fn read(&mut self, container: String) {
        let (over, is_over) = watch::channel(false);
        self.over.insert(container.clone(), over);
        let position = self
            .target
            .positions
            .get(&container)
            .copied()
            .unwrap_or_default();
        let reader = LogReader::new(
            self.pods.clone(),
            self.target.name.clone(),
            container.clone(),
            position,
        );
        let shared = Arc::clone(&self.shared);
        self.readers.spawn(async move {
            let mut line = Vec::new();
            let (matches, mut matched) = tokio::sync::mpsc::unbounded_channel();
            let read = reader.read(is_over, |taken| match taken {
                Taken::Gap(gap) => shared.outlet.gap(&container, gap),
                Taken::Piece(piece, position) => {
                    for update in shared.piece(&container, &mut line, &piece, position) {
                        // The receiver lives as long as this task.
                        let _ = matches.send(update);
                    }
                }
            });
            tokio::pin!(read);
            let end = loop {
                tokio::select! {
                    biased;
                    Some(update) = matched.recv() => shared.report(Ok(update)).await,
                    end = &mut read => break end,
                }
            };
            while let Ok(update) = matched.try_recv() {
                shared.report(Ok(update)).await;
            }
            if let LogEnd::CutOff(why) = end {
                shared.outlet.cut_off(&container, &why);
            }
        });
    }

    /// Reports once that the caller may not watch the events. The watch goes on: the permission may
    /// be granted in the meantime.
    fn without_events(&mut self, error: &watcher::Error) {
        tracing::debug!(%error, "events of a pod can't be watched");
        if let Some(refused) = failure::refused(error)
            && !std::mem::replace(&mut self.blind, true)
        {
            self.shared.outlet.without_events(refused.reason());
        }
    }

    async fn event(&mut self, event: &Event) {
        let about = event.involved_object.uid.as_deref();
        let seen = self.last.as_ref();
        let ours = self
            .target
            .uid
            .as_deref()
            .or_else(|| seen.and_then(|pod| pod.metadata.uid.as_deref()));
        if about.is_some() && ours.is_some() && about != ours {
            return;
        }
        if self
            .reported
            .insert((event.uid().unwrap_or_default(), event.count.unwrap_or(1)))
            && let Ok(update) = json(event)
        {
            if evidence::is_failed_start(event) {
                self.shared.shown.note(Evidence::PodFailed);
            }
            self.shared.report(Ok(Update::Event(update))).await;
        }
    }

    /// Reads the rest of the logs, and returns the last update.
    async fn drain(&mut self) -> Result<Update, Failure> {
        for over in self.over.values() {
            over.send_replace(true);
        }
        while let Some(reader) = self.readers.join_next().await {
            if let Err(error) = reader {
                return Err(Failure::bug(format!(
                    "the task that reads a log failed: {error}"
                )));
            }
        }
        match &self.last {
            Some(pod) => {
                self.note(pod);
                Ok(Update::Ended(json(pod)?))
            }
            None => Err(Failure::new(
                Class::NotFound,
                codes::pod::NOT_FOUND,
                Owner::Cluster,
                format!(
                    "there is no pod {}/{}",
                    self.target.namespace, self.target.name
                ),
            )),
        }
    }

    /// Records the evidence in the pod's state, together with that of its log so far.
    fn note(&self, pod: &Pod) {
        let Shared {
            shown, transient, ..
        } = &*self.shared;
        for evidence in evidence::of_pod(pod) {
            shown.note(evidence);
            if evidence == Evidence::PodFailed && transient.load(Ordering::Relaxed) {
                shown.note(Evidence::TransientFault);
            }
        }
    }

    fn is_target(&self, pod: &Pod) -> bool {
        self.target.uid.is_none() || self.target.uid == pod.metadata.uid
    }
}

/// Returns an event's version, which gives the order of a list: the events' times have whole
/// seconds only.
fn version(event: &Event) -> Option<u64> {
    event.resource_version()?.parse().ok()
}

/// Fails with a watch's error, if a retry cannot help.
fn refusal(error: &watcher::Error, target: &Target) -> Result<(), Failure> {
    let Some(refused) = failure::refused(error) else {
        return Ok(());
    };
    let what = format!("watch pod {}/{}", target.namespace, target.name);
    Err(refused.failure(&what))
}

fn json<T: Serialize>(object: &T) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(object)
        .map_err(|error| Failure::bug(format!("an object is not JSON: {error}")))?;
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    Ok(value)
}
