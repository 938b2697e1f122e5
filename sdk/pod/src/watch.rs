//! Decides from a running pod's state whether to continue, or to stop because it can't succeed.

mod room;
mod trouble;

use std::collections::VecDeque;
use std::time::Duration;

use sidestep::Error;
use sidestep::serde_json::Value;

use self::trouble::trouble;
use crate::placement::held;
use crate::work::Work;

/// The kubelet's event while it can't give a pod a Secret: the pod's state says nothing of it.
const NO_MOUNT: &str = "FailedMount";
/// Its events once all volumes are there.
const MOUNTED: &[&str] = &["Pulling", "Pulled", "Created", "Started"];

/// The most lines that are remembered.
const REMEMBERED: usize = 8;

/// Watches over a pod that has not ended. Times are milliseconds since 1970.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    trouble: Option<Trouble>,
    /// Said by an event, and over with a later one.
    mount: Option<Trouble>,
    /// The lines of the current trouble, or the line of the current state.
    said: VecDeque<String>,
}

/// A problem that may resolve by itself.
#[derive(Debug)]
struct Trouble {
    reason: String,
    since: u64,
    ends: u64,
    error: Error,
}

impl Watch {
    /// Takes the pod's newest state. Returns the line that describes it, if it says something new: a
    /// trouble whose descriptions take turns gets each of them once.
    pub(crate) fn state(&mut self, pod: &Value, now: u64, work: &Work<'_>) -> Option<String> {
        let before = self.current().map(|trouble| trouble.since);
        self.trouble = trouble(pod, work).map(|(reason, grace, error)| {
            // The same trouble goes on; the pull's two reasons take turns.
            let since = match &self.trouble {
                Some(known) if kind(&known.reason) == kind(&reason) => known.since,
                _ => now,
            };
            Trouble {
                reason,
                since,
                ends: since + milliseconds(grace),
                error,
            }
        });
        let line = describe(pod, self.current());
        if self.said.contains(&line) {
            return None;
        }
        let after = self.current().map(|trouble| trouble.since);
        if after.is_none() || after != before {
            self.said.clear();
        }
        self.said.truncate(REMEMBERED - 1);
        self.said.push_front(line.clone());
        Some(line)
    }

    /// Takes an event of the pod.
    pub(crate) fn event(&mut self, event: &Value, now: u64, work: &Work<'_>) {
        let text = |key: &str| event[key].as_str().unwrap_or_default();
        let (reason, message) = (text("reason"), text("message"));
        let mut secrets = work.secrets.iter();
        if reason == NO_MOUNT
            && let Some(secret) = secrets.find(|secret| message.contains(secret.volume))
        {
            self.mount.get_or_insert_with(|| Trouble {
                reason: NO_MOUNT.to_owned(),
                since: now,
                ends: now + milliseconds(work.pull_grace),
                error: (secret.not_mounted)(message),
            });
        } else if MOUNTED.contains(&reason) {
            self.mount = None;
        }
    }

    /// Returns the trouble that ends first.
    fn current(&self) -> Option<&Trouble> {
        let both = self.trouble.iter().chain(&self.mount);
        both.min_by_key(|trouble| trouble.ends)
    }

    /// Returns the error that the work ends with, once its trouble has lasted too long.
    pub(crate) fn verdict(&mut self, now: u64) -> Option<Error> {
        let up = |trouble: &mut Trouble| now >= trouble.ends;
        let ended = self.trouble.take_if(up).or_else(|| self.mount.take_if(up));
        ended.map(|trouble| trouble.error)
    }

    /// Returns the longest time to wait for the next update.
    pub(crate) fn patience(&self, now: u64) -> Duration {
        const LONG: u64 = 30_000;
        let left = self
            .current()
            .map_or(LONG, |trouble| trouble.ends.saturating_sub(now));
        Duration::from_millis(left.clamp(1, LONG))
    }
}

fn kind(reason: &str) -> &str {
    if reason == "ImagePullBackOff" {
        "ErrImagePull"
    } else {
        reason
    }
}

/// Describes the pod's state for the progress line.
fn describe(pod: &Value, trouble: Option<&Trouble>) -> String {
    let phase = pod["status"]["phase"].as_str().unwrap_or("Pending");
    match trouble {
        Some(trouble) => format!("pod {phase}: {}", trouble.error.message),
        None => match held(pod) {
            Some(held) => format!("pod {phase}: {held}"),
            None => format!("pod {phase}"),
        },
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use sidestep::{Class, Owner};

    use super::*;
    use crate::work::MountedSecret;
    use crate::work::example::build;

    fn waiting(reason: &str) -> Value {
        json!({"status": {"phase": "Pending", "containerStatuses": [
            {"name": "kaniko", "state": {"waiting": {"reason": reason, "message": "no such host"}}}]}})
    }

    #[test]
    fn a_pod_that_a_queue_holds_waits_without_an_end() {
        let work = build();
        let mut pod = json!({
            "metadata": { "labels": { "kueue.x-k8s.io/queue-name": "builds" } },
            "spec": { "schedulingGates": [{ "name": "kueue.x-k8s.io/admission" }] },
            "status": { "phase": "Pending", "conditions": [{
                "type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
                "message": "Scheduling is blocked due to non-empty scheduling gates" }] },
        });
        let mut watch = Watch::default();
        let line = watch.state(&pod, 1_000, &work);
        assert_eq!(
            line.as_deref(),
            Some("pod Pending: waiting in the queue builds")
        );
        assert!(watch.verdict(u64::MAX).is_none());
        // Once it is admitted, the time in which a node must be found begins.
        pod["spec"] = json!({});
        pod["status"]["conditions"][0]["message"] = "0/3 nodes are available".into();
        watch.state(&pod, 2_000, &work);
        assert!(watch.verdict(2_000 + 14 * 60_000).is_none());
        assert!(watch.verdict(2_000 + 15 * 60_000).is_some());
    }

    #[test]
    fn a_pull_that_heals_within_its_grace_is_forgotten() {
        let work = build();
        let mut watch = Watch::default();
        watch.state(&waiting("ErrImagePull"), 1_000, &work);
        watch.state(&waiting("ImagePullBackOff"), 20_000, &work);
        assert!(watch.verdict(30_999).is_none());
        watch.state(&json!({"status": {"phase": "Running"}}), 30_999, &work);
        assert!(watch.verdict(1_000_000).is_none());
    }

    #[test]
    fn descriptions_that_take_turns_are_said_once() {
        let work = build();
        let mut watch = Watch::default();
        let said = |reason: &str, message: &str| {
            json!({"status": {"phase": "Pending", "containerStatuses": [{"name": "kaniko",
                "state": {"waiting": {"reason": reason, "message": message}}}]}})
        };
        let failed = said("ErrImagePull", "no such host");
        let waits = said("ImagePullBackOff", "Back-off: no such host");
        assert!(watch.state(&failed, 1_000, &work).is_some());
        assert!(watch.state(&waits, 2_000, &work).is_some());
        for second in 3..10 {
            assert_eq!(watch.state(&failed, second * 1_000, &work), None);
            assert_eq!(watch.state(&waits, second * 1_000 + 500, &work), None);
        }
        let other = said("ErrImagePull", "denied");
        assert!(watch.state(&other, 11_000, &work).is_some());
        // After it, the same trouble is news again.
        let runs = json!({"status": {"phase": "Running"}});
        assert!(watch.state(&runs, 12_000, &work).is_some());
        assert!(watch.state(&failed, 13_000, &work).is_some());
    }

    #[test]
    fn a_pull_that_does_not_heal_ends_the_build_at_its_grace() {
        let work = build();
        let mut watch = Watch::default();
        watch.state(&waiting("ErrImagePull"), 1_000, &work);
        watch.state(&waiting("ImagePullBackOff"), 20_000, &work);
        assert_eq!(watch.patience(21_000), Duration::from_secs(10));
        let error = watch.verdict(31_000).expect("its time is up");
        assert_eq!(error.code, "pod.image-pull");
        assert!(error.message.contains("no such host"), "{error}");
    }

    #[test]
    fn a_name_that_is_no_image_ends_it_at_once() {
        let mut watch = Watch::default();
        watch.state(&waiting("InvalidImageName"), 5, &build());
        assert!(watch.verdict(5).is_some());
    }

    #[test]
    fn a_secret_that_is_not_there_ends_the_build_at_its_grace() {
        let mut work = build();
        work.secrets.push(MountedSecret {
            volume: "google-key",
            not_mounted: Box::new(|message| {
                Error::new(
                    Class::NotFound,
                    "identity.key-missing",
                    Owner::Author,
                    message,
                )
            }),
        });
        let event = json!({"type": "Warning", "reason": "FailedMount",
            "message": "MountVolume.SetUp failed for volume \"google-key\" : secret \"builder-key\" not found"});
        let mut watch = Watch::default();
        watch.event(&event, 1_000, &work);
        watch.state(&json!({"status": {"phase": "Pending"}}), 2_000, &work);
        watch.event(&event, 20_000, &work);
        assert!(watch.verdict(30_999).is_none());
        let error = watch.verdict(31_000).expect("its time is up");
        assert_eq!(error.code, "identity.key-missing");
        assert!(error.message.contains("not found"), "{error}");

        watch.event(&event, 40_000, &work);
        watch.event(&json!({"reason": "Pulling"}), 41_000, &work);
        assert!(watch.verdict(1_000_000).is_none(), "it came after all");
    }

    #[test]
    fn a_sidecar_s_trouble_is_its_own_and_only_counts_before_kaniko_starts() {
        let work = build();
        let with = |kaniko: Value| {
            json!({"status": {"phase": "Pending", "containerStatuses": [
                {"name": "istio-proxy", "state": {"waiting": {"reason": "ErrImagePull", "message": "denied"}}},
                {"name": "kaniko", "state": kaniko}]}})
        };
        let mut watch = Watch::default();
        let waits = json!({"waiting": {"reason": "PodInitializing"}});
        watch.state(&with(waits), 0, &work);
        let error = watch.verdict(30_000).expect("its time is up");
        assert_eq!(error.code, "pod.sidecar-failed");
        assert!(error.message.contains("`istio-proxy`"), "{error}");
        watch.state(&with(json!({"running": {}})), 40_000, &work);
        assert!(watch.verdict(1_000_000).is_none());
    }

    #[test]
    fn lack_of_room_is_said_and_waited_for() {
        let work = Work {
            pending_grace: Duration::from_mins(2),
            ..build()
        };
        let pod = json!({"status": {"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]}});
        let mut watch = Watch::default();
        let line = watch.state(&pod, 0, &work).expect("something new");
        assert!(line.contains("0/3 nodes are available"), "{line}");
        assert_eq!(watch.state(&pod, 10, &work), None, "said once");
        assert!(watch.verdict(119_999).is_none());
        assert_eq!(
            watch.verdict(120_000).expect("up").code,
            "pod.unschedulable"
        );
    }
}
