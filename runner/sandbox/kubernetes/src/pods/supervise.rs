//! The supervision of a pod: its deletion, its deadline, and the faults of its node.

use std::sync::PoisonError;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Pod;
use super::faults::By;
use crate::key::Key;

/// The time that a runtime has, after a kill, to report the end.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// An event that ends a pod before its containers end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Deadline,
    Disrupted(By),
    Kill,
}

impl Pod {
    /// Supervises the pod until it is deleted.
    pub(super) async fn supervise(self) {
        let shutdown = self.shared().shutdown.clone();
        tokio::select! {
            biased;
            // Running containers are left to the runtime, and resumed by the next process.
            () = shutdown.cancelled() => return,
            () = self.follow() => {}
        }
        self.kubelet.forget(&self.uid);
        self.kubelet
            .active
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.uid);
    }

    async fn follow(&self) {
        let mut ticks = self.shared().store.ticks();
        let live = self.live();
        tokio::pin!(live);
        let mut over = false;
        let mut met: Vec<Fate> = Vec::new();
        loop {
            ticks.borrow_and_update();
            let Some(object) = self.current() else {
                self.stop.kill();
                break;
            };
            let deleted = object["metadata"]["deletionTimestamp"].is_string();
            if deleted && over {
                self.remove();
                // A finalizer may still keep it.
                if self.current().is_none() {
                    return;
                }
            }
            if deleted && !self.stop.is_terminated() {
                self.announce_stop(&object);
                self.stop.terminate();
            }
            let next = self.next(&object, &met);
            let wait = async {
                match next {
                    Some((_, after)) => tokio::time::sleep(after).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = &mut live, if !over => over = true,
                _ = ticks.changed() => {}
                () = wait => {
                    if let Some((fate, _)) = next {
                        met.push(fate);
                        self.meet(fate, &object);
                    }
                }
            }
        }
        if !over {
            // A runtime that takes too long is abandoned: its pod is already deleted.
            let _ = tokio::time::timeout(LAST_WAIT, live).await;
        }
    }

    /// Returns the next event and the time until it.
    fn next(&self, pod: &Value, met: &[Fate]) -> Option<(Fate, Duration)> {
        let now = Timestamp::now();
        let until =
            |end: Timestamp| Duration::try_from(end.duration_since(now)).unwrap_or(Duration::ZERO);
        let over = matches!(
            pod["status"]["phase"].as_str(),
            Some("Succeeded" | "Failed")
        );
        let mut all = Vec::new();
        if let Some(end) = time(&pod["metadata"]["deletionTimestamp"]) {
            // The time was truncated to whole seconds; no container is killed before its grace
            // period ends.
            all.push((Fate::Kill, until(end) + Duration::from_secs(1)));
        }
        if !over {
            if let (Some(start), Some(limit)) = (
                time(&pod["status"]["startTime"]),
                pod["spec"]["activeDeadlineSeconds"].as_i64(),
            ) && let Ok(end) = start.checked_add(jiff::SignedDuration::from_secs(limit))
            {
                all.push((Fate::Deadline, until(end)));
            }
            if let (Some(started), Some(fault)) =
                (self.started.get(), self.kubelet.faults().disruption)
            {
                let wait = Duration::from_millis(fault.after_millis);
                all.push((
                    Fate::Disrupted(fault.by),
                    wait.saturating_sub(started.elapsed()),
                ));
            }
        }
        all.retain(|(fate, _)| !met.contains(fate));
        all.into_iter().min_by_key(|(_, after)| *after)
    }

    fn meet(&self, fate: Fate, pod: &Value) {
        let result = match fate {
            Fate::Kill => {
                self.stop.kill();
                Ok(())
            }
            Fate::Deadline => {
                let message = "Pod was active on the node longer than the specified deadline";
                self.report(false, "DeadlineExceeded", message, None);
                self.announce_stop(pod);
                let result = self.fail("DeadlineExceeded", message, |_| {});
                self.stop.terminate();
                self.kill_after_grace(pod);
                result
            }
            Fate::Disrupted(by) => self.disrupt(by, pod),
        };
        if let Err(error) = result {
            tracing::warn!(%error, pod = self.key.name, "a pod's status could not be written");
        }
    }

    pub(super) fn fail(
        &self,
        reason: &str,
        message: &str,
        also: impl FnOnce(&mut Value),
    ) -> Result<(), crate::status::ApiError> {
        self.edit(|pod| {
            pod["status"]["phase"] = "Failed".into();
            pod["status"]["reason"] = reason.into();
            pod["status"]["message"] = message.into();
            also(pod);
        })
    }

    pub(super) fn kill_after_grace(&self, pod: &Value) {
        let grace = pod["spec"]["terminationGracePeriodSeconds"]
            .as_u64()
            .unwrap_or(30);
        let stop = self.stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(grace)).await;
            stop.kill();
        });
    }

    pub(super) fn announce_stop(&self, pod: &Value) {
        for list in [super::status::List::Init, super::status::List::Main] {
            for status in pod["status"][list.status()]
                .as_array()
                .into_iter()
                .flatten()
            {
                if status["state"]["running"].is_object()
                    && let Some(name) = status["name"].as_str()
                {
                    self.report(
                        false,
                        "Killing",
                        &format!("Stopping container {name}"),
                        Some((list.spec(), name)),
                    );
                }
            }
        }
    }

    /// Deletes the object as the kubelet does, unless a finalizer keeps it.
    fn remove(&self) {
        let key: &Key = &self.key;
        let result = self.shared().store.write(|tx| {
            let Some(old) = tx
                .get(key)
                .filter(|p| p["metadata"]["uid"] == self.uid.as_str())
            else {
                return Ok(());
            };
            if old["metadata"]["finalizers"]
                .as_array()
                .is_some_and(|f| !f.is_empty())
            {
                let mut held = (*old).clone();
                held["metadata"]["deletionGracePeriodSeconds"] = json!(0);
                tx.put(key, held)?;
            } else {
                tx.remove(key)?;
            }
            Ok(())
        });
        if let Err(error) = result {
            tracing::warn!(%error, pod = key.name, "a pod could not be removed");
        }
    }
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}
