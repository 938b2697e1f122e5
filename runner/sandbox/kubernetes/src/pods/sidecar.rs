//! Sidecars: init containers that run until the containers after them have ended (Kubernetes,
//! "Sidecar Containers").

use std::time::Duration;

use super::Pod;
use super::status::{self, List};
use crate::status::ApiError;

/// The grace period of a pod that sets none, in seconds (Kubernetes, `terminationGracePeriodSeconds`).
const GRACE: u64 = 30;
/// The time that a runtime has, after a kill, to report the end.
const LAST_WAIT: Duration = Duration::from_secs(5);

impl Pod {
    /// Runs a sidecar beside `rest`, and ends it after that.
    pub(super) async fn beside(
        &self,
        name: &str,
        rest: impl Future<Output = Result<(), ApiError>>,
    ) -> Result<(), ApiError> {
        let sidecar = self.run_container(List::Init, name);
        tokio::pin!(sidecar, rest);
        let mut over = false;
        let result = loop {
            tokio::select! {
                result = &mut rest => break result,
                result = &mut sidecar, if !over => {
                    result?;
                    over = true;
                }
            }
        };
        self.sidecars.terminate();
        let runs = self.current().is_some_and(|pod| {
            let status = status::container(&pod, List::Init, name);
            status.is_some_and(|status| status["state"]["running"].is_object())
        });
        // One that waits for its next start is left where it is.
        if !over && runs {
            let grace = self
                .current()
                .and_then(|pod| pod["spec"]["terminationGracePeriodSeconds"].as_u64());
            let grace = Duration::from_secs(grace.unwrap_or(GRACE));
            if tokio::time::timeout(grace, &mut sidecar).await.is_err() {
                self.sidecars.kill();
                let _ = tokio::time::timeout(LAST_WAIT, &mut sidecar).await;
            }
        }
        result
    }
}
