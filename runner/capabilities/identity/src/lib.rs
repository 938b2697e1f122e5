//! `identity`: the runner's identity, and the permissions of a workload's identity.
//!
//! A proof follows the path of a pod's token, without a pod: the cluster issues a token of the
//! service account, Google exchanges it, the Google account is impersonated, and the targets are
//! queried with the resulting token. The tokens exist only during the proof: they are masked in its
//! failures and are not part of any answer, event, log or `Debug` output.

mod caller;
mod conditions;
mod failure;
mod federation;
mod link;
mod metadata;
mod proof;
mod target;
mod workload;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use sidestep_control_plane::ControlPlane;
pub use sidestep_google::Variables;
use sidestep_google::{Credentials, ReachesClusters};

pub use federation::Evaluates;
pub use link::CAPABILITY;

sidestep_gate::calls!();

/// The timeout of one answer in a proof.
const PATIENCE: Duration = Duration::from_secs(20);

/// Proves identities with the run's clients.
#[derive(Debug)]
pub struct Identity {
    google: ControlPlane,
    clusters: Arc<dyn ReachesClusters>,
    credentials: Arc<Credentials>,
    variables: Variables,
    patience: Duration,
}

impl Identity {
    /// Creates the service with these clients. `credentials` are the runner's own, which `google`
    /// and `clusters` use as well; `variables` are those of its environment.
    pub fn new(
        google: ControlPlane,
        clusters: Arc<dyn ReachesClusters>,
        credentials: Arc<Credentials>,
        variables: Variables,
    ) -> Self {
        Self {
            google,
            clusters,
            credentials,
            variables,
            patience: PATIENCE,
        }
    }

    /// Returns Google's APIs for another caller.
    fn google_as(&self, credentials: Credentials) -> ControlPlane {
        self.google.as_caller(credentials, self.patience)
    }
}
