//! The facts about a pod, collected from its states in their order.

use sidestep::serde_json::Value;

use super::clock::seconds;

/// The facts about a pod that decide its ending. A fact stays once it was seen: the object may
/// vanish between two events, and its last state may know less than the one before.
#[derive(Debug, Default)]
pub struct Seen {
    /// The name of the container that does the work.
    name: String,
    /// The newest state.
    pod: Value,
    uid: Option<String>,
    phase: String,
    /// The state of that container.
    container: Value,
    /// The condition `DisruptionTarget`, once it was true.
    disruption: Option<Value>,
    /// `deletionTimestamp` less the grace: when the deletion was requested.
    deletion: Option<Option<i64>>,
    reason: String,
    message: String,
    /// The statuses of the other containers: init containers, sidecars.
    others: Vec<Value>,
    /// Another container that was not ready while the work ran.
    unready: Option<String>,
    /// The object is gone, or another pod has its name.
    gone: bool,
}

impl Seen {
    /// Returns that nothing was seen yet of a pod whose work is done in that container.
    pub fn new(container: &str) -> Self {
        Self {
            name: container.to_owned(),
            ..Self::default()
        }
    }

    /// Returns the pod's newest state.
    pub fn pod(&self) -> &Value {
        &self.pod
    }

    /// Takes the pod's newest state; a pod with another uid only shows that the first one is gone.
    pub fn state(&mut self, pod: &Value) {
        let metadata = &pod["metadata"];
        if let Some(uid) = metadata["uid"].as_str() {
            if self.uid.as_deref().is_some_and(|known| known != uid) {
                self.gone = true;
                return;
            }
            self.uid = Some(uid.to_owned());
        }
        self.pod = pod.clone();
        let status = &pod["status"];
        let all = ["initContainerStatuses", "containerStatuses"];
        let all = all
            .iter()
            .filter_map(|list| status[list].as_array())
            .flatten();
        let (own, others): (Vec<&Value>, _) =
            all.partition(|one| one["name"] == self.name.as_str());
        if let Some(own) = own.first()
            && self.ended().is_none()
        {
            self.container = own["state"].clone();
        }
        if !others.is_empty() {
            self.others = others.into_iter().cloned().collect();
        }
        if self.unready.is_none() && !self.container["waiting"].is_object() {
            let unready = self.others.iter().find(|other| other["ready"] == false);
            self.unready = unready.and_then(|other| Some(other["name"].as_str()?.to_owned()));
        }
        let mut conditions = status["conditions"].as_array().into_iter().flatten();
        let disruption =
            conditions.find(|one| one["type"] == "DisruptionTarget" && one["status"] == "True");
        self.disruption = disruption.cloned().or(self.disruption.take());
        if let Some(end) = metadata["deletionTimestamp"].as_str() {
            let grace = metadata["deletionGracePeriodSeconds"].as_i64().unwrap_or(0);
            // A later request may shorten the grace; the first one is the disruption.
            self.deletion
                .get_or_insert_with(|| seconds(end).map(|end| end - grace));
        }
        for (text, known) in [
            (&status["phase"], &mut self.phase),
            (&status["reason"], &mut self.reason),
            (&status["message"], &mut self.message),
        ] {
            if let Some(text) = text.as_str().filter(|text| !text.is_empty()) {
                text.clone_into(known);
            }
        }
    }

    /// Notes that nothing more will be seen: a pod that was neither over nor shows its container's
    /// end is gone.
    pub fn end(&mut self) {
        let is_over = matches!(self.phase.as_str(), "Succeeded" | "Failed");
        self.gone = self.gone || (!is_over && self.ended().is_none());
    }

    /// Returns the `terminated` state of the work's container.
    pub(super) fn ended(&self) -> Option<&Value> {
        Some(&self.container["terminated"]).filter(|ended| ended.is_object())
    }

    /// Returns for how many seconds the work's container ran; `None` if it has not ended by itself.
    pub fn ran(&self) -> Option<i64> {
        let ended = self.ended()?;
        let time = |key: &str| seconds(ended[key].as_str().unwrap_or_default());
        Some(time("finishedAt")? - time("startedAt")?)
    }

    /// Returns whether the work's container runs by the last state that was seen.
    pub(super) fn is_running(&self) -> bool {
        self.container["running"].is_object()
    }

    /// Returns whether the program ended before the cluster or another client began to end its
    /// pod. Within the same second the disruption counts: SIGTERM may end the program at once.
    pub(super) fn ended_before_any_disruption(&self) -> bool {
        let Some(ended) = self.ended() else {
            return false;
        };
        let time = |value: &Value| seconds(value.as_str().unwrap_or_default());
        let condition = self
            .disruption
            .as_ref()
            .map(|it| time(&it["lastTransitionTime"]));
        let mut disruptions = condition.into_iter().chain(self.deletion).peekable();
        if disruptions.peek().is_none() {
            // What the kubelet ends by itself has a reason, and on older clusters no condition.
            return self.reason.is_empty();
        }
        let finished = time(&ended["finishedAt"]);
        disruptions.all(|at| matches!((finished, at), (Some(finished), Some(at)) if finished < at))
    }

    /// Reason and message of the disruption that the pod's conditions show.
    pub(super) fn disruption(&self) -> Option<(&str, &str)> {
        let condition = self.disruption.as_ref()?;
        let reason = condition["reason"].as_str().unwrap_or_default();
        Some((reason, condition["message"].as_str().unwrap_or_default()))
    }

    /// `status.reason`.
    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    /// `status.message`.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Returns whether the pod was deleted, or is gone.
    pub(crate) fn is_deleted(&self) -> bool {
        self.deletion.is_some() || self.gone
    }

    /// Another container that failed.
    pub(super) fn failed_other(&self) -> Option<&Value> {
        self.others.iter().find(|other| {
            let code = other["state"]["terminated"]["exitCode"].as_i64();
            code.is_some_and(|code| code != 0)
        })
    }

    /// Returns the name of another container that was not ready while the work ran.
    pub fn unready(&self) -> Option<&str> {
        self.unready.as_deref()
    }
}
