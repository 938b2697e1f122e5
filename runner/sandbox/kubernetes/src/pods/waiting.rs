//! A container's waits before its start: for its image, and for the end of a back-off.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Pod;
use super::resolve::ResolvedContainer;
use super::status::{self, List};
use crate::status::ApiError;

impl Pod {
    pub(super) async fn pull(
        &self,
        pod: &Value,
        list: List,
        container: &ResolvedContainer,
    ) -> Result<bool, ApiError> {
        let at = Some((list.spec(), container.name.as_str()));
        let image = &container.image;
        let spec = pod["spec"][list.spec()]
            .as_array()
            .and_then(|l| l.iter().find(|c| c["name"] == container.name.as_str()));
        let always = spec.is_none_or(|c| c["imagePullPolicy"] == "Always");
        let there = self
            .kubelet
            .images
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(image);
        let fault = self.kubelet.faults().image_pull;
        if there && !always && fault.is_none() {
            let message = format!("Container image \"{image}\" already present on machine");
            self.report(false, "Pulled", &message, at);
            return Ok(true);
        }
        let mut tries = 0;
        loop {
            self.report(false, "Pulling", &format!("Pulling image \"{image}\""), at);
            let began = Instant::now();
            let result = match &fault {
                Some(fault) if fault.fail_times.is_none_or(|n| tries < n) => {
                    Err(fault.message.clone().unwrap_or_else(|| {
                        format!(
                            "rpc error: code = NotFound desc = failed to pull and unpack image \
                             \"{image}\": failed to resolve reference \"{image}\": {image}: not \
                             found"
                        )
                    }))
                }
                _ => tokio::select! {
                    result = self.kubelet.runtime.check_image(image) => {
                        result.map_err(|error| error.message)
                    }
                    () = self.stop.terminated() => return Ok(false),
                },
            };
            let Err(why) = result else {
                let time = began.elapsed().as_millis();
                let message = format!(
                    "Successfully pulled image \"{image}\" in {time}ms ({time}ms including \
                     waiting)."
                );
                self.report(false, "Pulled", &message, at);
                self.kubelet
                    .images
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(image.clone());
                return Ok(true);
            };
            let failed = format!("Failed to pull image \"{image}\": {why}");
            self.report(true, "Failed", &failed, at);
            self.report(true, "Failed", "Error: ErrImagePull", at);
            self.waiting(list, &container.name, "ErrImagePull", &why)?;
            let message = format!("Back-off pulling image \"{image}\"");
            self.report(false, "BackOff", &message, at);
            self.report(true, "Failed", "Error: ImagePullBackOff", at);
            let message = format!("{message}: ErrImagePull: {why}");
            self.waiting(list, &container.name, "ImagePullBackOff", &message)?;
            if !self.wait(self.delay(tries)).await {
                return Ok(false);
            }
            tries += 1;
        }
    }

    /// Returns the back-off before attempt `n` + 1.
    fn delay(&self, n: u32) -> Duration {
        let timing = &self.shared().config.timing;
        timing
            .back_off
            .saturating_mul(1 << n.min(16))
            .min(timing.most_back_off)
    }

    fn waiting(&self, list: List, name: &str, reason: &str, message: &str) -> Result<(), ApiError> {
        self.edit(|pod| {
            if let Some(status) = status::container_mut(pod, list, name) {
                status["state"] = json!({ "waiting": { "reason": reason, "message": message } });
            }
        })
    }

    pub(super) async fn back_off(
        &self,
        list: List,
        name: &str,
        ended: &Value,
    ) -> Result<bool, ApiError> {
        let restarts = ended["restartCount"].as_u64().unwrap_or(0);
        let delay = self.delay(u32::try_from(restarts).unwrap_or(u32::MAX));
        let place = format!("{}_{}({})", self.key.name, self.key.namespace, self.uid);
        let message = format!(
            "back-off {}s restarting failed container={name} pod={place}",
            delay.as_secs()
        );
        self.edit(|pod| {
            if let Some(status) = status::container_mut(pod, list, name) {
                status["lastState"] = ended["state"].clone();
                status["ready"] = false.into();
                status["state"] = json!({ "waiting": {
                    "reason": "CrashLoopBackOff", "message": message } });
            }
        })?;
        let message = format!("Back-off restarting failed container {name} in pod {place}");
        self.report(true, "BackOff", &message, Some((list.spec(), name)));
        Ok(self.wait(delay).await)
    }
}
