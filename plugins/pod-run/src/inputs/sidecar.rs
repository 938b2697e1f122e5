//! Containers beside the command.

use std::collections::BTreeMap;

use sidestep::{ByteSize, ImageRef};
use sidestep_pod::{Amount, Cpu, Resources};

/// A container that runs beside the command.
#[sidestep::data]
#[derive(Debug, Clone)]
pub(crate) struct Sidecar {
    /// Its name in the pod.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// Its image.
    pub image: ImageRef,
    /// Its program and arguments; the image's own if absent.
    #[serde(default)]
    pub command: Vec<String>,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// Its environment variables.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Its CPU time.
    #[serde(default)]
    pub cpu: Option<Amount<Cpu>>,
    /// Its memory.
    #[serde(default)]
    pub memory: Option<Amount<ByteSize>>,
    /// Its disk space.
    #[serde(default)]
    pub ephemeral_storage: Option<Amount<ByteSize>>,
}

impl Sidecar {
    /// Returns its amounts.
    pub(crate) fn resources(&self) -> Resources {
        Resources {
            cpu: self.cpu,
            memory: self.memory,
            ephemeral_storage: self.ephemeral_storage,
        }
    }
}
