//! `identity`: who the runner is, and what a workload's identity could do.
//!
//! A proof goes the way that a pod's token goes, without a pod: the cluster issues a token of the
//! service account, Google exchanges it, the Google account is impersonated, and the targets are
//! asked with what comes out. The tokens live here for as long as that takes: they are made known
//! to the run's masks and are part of no answer, event, log or `Debug` output.

mod caller;
mod claims;
mod failure;
mod link;
mod metadata;
mod proof;
mod target;
mod variables;
mod workload;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use sidestep_control_plane::ControlPlane;
use sidestep_google::{Credentials, ReachesClusters};

pub use link::CAPABILITY;
pub use variables::Variables;

sidestep_gate::calls!();

/// How long one answer of a proof may take.
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
    /// Works with these clients. `credentials` are the runner's own, which `google` and `clusters`
    /// use as well; `variables` are those of its environment.
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

    /// Google's APIs as somebody else.
    fn google_as(&self, credentials: Credentials) -> ControlPlane {
        self.google.as_caller(credentials, self.patience)
    }
}
