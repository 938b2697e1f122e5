//! Where a sandbox keeps things, and what a live one says of itself.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::SandboxError;

/// The folders and files of one scenario's sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The folder that holds all of them.
    pub dir: PathBuf,
}

impl Places {
    /// Those of a scenario, below the folder of all sandboxes
    /// (`$XDG_STATE_HOME/sidestep/sandbox`).
    pub fn new(sandboxes: &Path, scenario: &str) -> Self {
        Self {
            dir: sandboxes.join(scenario),
        }
    }

    /// The certificate (PEM) of the authority that proves Google's names.
    pub fn authority(&self) -> PathBuf {
        self.dir.join("tls").join("ca.crt")
    }

    /// What a detached process prints.
    pub fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    pub(crate) fn live(&self) -> PathBuf {
        self.dir.join("live.json")
    }

    pub(crate) fn callers(&self) -> PathBuf {
        self.dir.join("callers.json")
    }

    pub(crate) fn ports(&self) -> PathBuf {
        self.dir.join("ports.json")
    }
}

/// What a live sandbox says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// Its scenario.
    pub scenario: String,
    /// Its process.
    pub pid: u32,
    /// Base addresses by endpoint name: `STORAGE`, `REGISTRY`, ….
    pub endpoints: BTreeMap<String, String>,
    /// The Kubernetes API server's address.
    pub kubernetes: String,
    /// Where Google's own names are served over TLS, and the proxy to them: host and port.
    pub google: String,
    /// Those whose port of the last time was taken, so that who knew it must be told the new one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<String>,
}

/// The lock that a live sandbox holds; its end frees it, however it ends.
pub(crate) struct Held(#[allow(dead_code, reason = "held, not read")] File);

/// Takes the lock of a sandbox; none while another process holds it.
pub(crate) fn hold(places: &Places) -> Result<Option<Held>, SandboxError> {
    make_private(&places.dir)?;
    let path = places.lock();
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(SandboxError::state(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Held(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(SandboxError::state(&path)(error)),
    }
}

/// Makes a folder that only its owner may read: it holds tokens.
pub(crate) fn make_private(dir: &Path) -> Result<(), SandboxError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(SandboxError::state(dir))
}

/// Writes a file whole or not at all, readable by its owner only.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), SandboxError> {
    let write = || {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(SandboxError::state(path))
}

/// Reads a JSON file that [`write`] wrote; none if it is not there.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, SandboxError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SandboxError::state(path)(error)),
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| SandboxError::Corrupt {
            path: path.to_owned(),
            why: error.to_string(),
        })
}
