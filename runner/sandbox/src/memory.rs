//! The persistent state of Google's side, in files: read at the start, written on each change.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sidestep_sandbox_google::{Cloud, Seed, State};
use sidestep_sandbox_identity::{Identity, State as IdentityState};

use crate::SandboxError;
use crate::live::{Places, read, write};

/// The files of the two states.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    identity: PathBuf,
    google: PathBuf,
}

impl Memory {
    pub(crate) fn new(places: &Places) -> Self {
        Self {
            identity: places.dir.join("identity.json"),
            google: places.dir.join("google.json"),
        }
    }

    /// Returns the stored states, or those of the seed.
    pub(crate) fn recall(&self, seed: &Seed) -> Result<(IdentityState, State), SandboxError> {
        let identity = read(&self.identity)?.unwrap_or_else(|| seed.identity());
        let google =
            read(&self.google)?.unwrap_or_else(|| seed.state(&Timestamp::now().to_string()));
        Ok((identity, google))
    }

    /// Writes both current states.
    pub(crate) fn keep(&self, identity: &Identity, cloud: &Cloud) -> Result<(), SandboxError> {
        keep(&self.identity, &identity.snapshot())?;
        keep(&self.google, &cloud.snapshot())
    }

    /// Writes the states after each change, until they are dropped.
    pub(crate) async fn follow(self, identity: Identity, cloud: Cloud) {
        let (mut of_identity, mut of_cloud) = (identity.changes(), cloud.changes());
        loop {
            tokio::select! {
                changed = of_identity.changed() => if changed.is_err() { return },
                changed = of_cloud.changed() => if changed.is_err() { return },
            }
            if let Err(error) = self.keep(&identity, &cloud) {
                tracing::error!(%error, "the sandbox's state could not be kept");
            }
        }
    }
}

fn keep(path: &Path, state: &impl serde::Serialize) -> Result<(), SandboxError> {
    let text = serde_json::to_vec(state).map_err(|error| SandboxError::Corrupt {
        path: path.to_owned(),
        why: error.to_string(),
    })?;
    write(path, &text)
}
