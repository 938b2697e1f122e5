//! The requests of a creation that Google's client of Cloud Storage sends.

use std::sync::Arc;
use std::time::Duration;

use google_cloud_gax::error::Error;
use google_cloud_gax::retry_policy::RetryPolicy;
use google_cloud_gax::retry_result::RetryResult;
use google_cloud_gax::retry_state::RetryState;
use google_cloud_gax::throttle_result::ThrottleResult;
use sidestep_handles::Sends;

/// A retry policy that also records whether one of the requests may have been carried out: the
/// client shows only the last answer.
#[derive(Debug)]
pub struct Noting {
    sends: Sends,
    policy: Arc<dyn RetryPolicy>,
}

impl Noting {
    /// Creates a policy that decides as `policy` does.
    pub fn new(sends: &Sends, policy: impl RetryPolicy + 'static) -> Self {
        Self {
            sends: sends.clone(),
            policy: Arc::new(policy),
        }
    }
}

impl RetryPolicy for Noting {
    fn on_error(&self, state: &RetryState, error: Error) -> RetryResult {
        if !is_refused(&error) {
            self.sends.lost();
        }
        self.policy.on_error(state, error)
    }

    fn on_throttle(&self, state: &RetryState, error: Error) -> ThrottleResult {
        self.policy.on_throttle(state, error)
    }

    fn remaining_time(&self, state: &RetryState) -> Option<Duration> {
        self.policy.remaining_time(state)
    }
}

/// Returns whether the server refused the request, or it was never sent: nothing was carried out.
fn is_refused(error: &Error) -> bool {
    let status = error.http_status_code();
    error.is_transient_and_before_rpc()
        || error.is_authentication()
        || status.is_some_and(|status| (400..500).contains(&status) && status != 408)
}
