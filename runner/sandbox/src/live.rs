//! A sandbox's paths, and the description of a live sandbox.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sidestep_sandbox_base::disk::{self, ReadError};

use crate::SandboxError;
use crate::name::Name;
use crate::users::LiveCluster;

/// The folders and files of one sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The folder that contains all of them.
    pub dir: PathBuf,
}

impl Places {
    /// Returns the places of a sandbox by its [`Name`], below the folder of all sandboxes
    /// (`$XDG_STATE_HOME/sidestep/sandbox`).
    pub fn new(sandboxes: &Path, name: &str) -> Self {
        Self {
            dir: sandboxes.join(Name::read(name).component()),
        }
    }

    /// Returns the path of the certificate (PEM) of the authority for Google's names.
    pub fn authority(&self) -> PathBuf {
        self.dir.join("tls").join("ca.crt")
    }

    /// Returns the folder of the authority for the webhook of a cluster without admission policies.
    pub(crate) fn webhook(&self) -> PathBuf {
        self.dir.join("webhook")
    }

    /// Returns the path of a detached process's output.
    pub fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    pub(crate) fn live(&self) -> PathBuf {
        self.dir.join("live.json")
    }

    /// Returns the path of the record of what is installed in the user's cluster.
    pub(crate) fn installed(&self) -> PathBuf {
        self.dir.join("installed.json")
    }

    /// Returns the path of the token with which CI jobs request their id tokens.
    pub(crate) fn job_token(&self) -> PathBuf {
        self.dir.join("job-token")
    }

    pub(crate) fn callers(&self) -> PathBuf {
        self.dir.join("callers.json")
    }

    pub(crate) fn cluster(&self) -> PathBuf {
        self.dir.join("cluster.json")
    }

    pub(crate) fn ports(&self) -> PathBuf {
        self.dir.join("ports.json")
    }
}

/// The description of a live sandbox, as written by its process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// The sandbox's [`Name`], which is its scenario if it has its own cluster.
    pub scenario: String,
    /// The id of the sandbox's process.
    pub pid: u32,
    /// The time at which that process started, as the operating system counts it: another process
    /// may get the same id later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_start: Option<u64>,
    /// Base addresses by endpoint name: `STORAGE`, `REGISTRY`, ….
    pub endpoints: BTreeMap<String, String>,
    /// The Kubernetes API server's address.
    pub kubernetes: String,
    /// The host and port at which Google's own names are served over TLS, and of the proxy to them.
    pub google: String,
    /// The address of the CI systems.
    #[serde(default)]
    pub ci: String,
    /// The user's cluster, if the sandbox does not use its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<LiveCluster>,
    /// The repositories of the images whose commands it runs, besides kaniko's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// The servers whose previous port was in use, so that their clients need the new one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<String>,
}

impl Live {
    /// Writes the description for other processes.
    pub(crate) fn describe(&self, places: &Places) -> Result<(), SandboxError> {
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        write(&places.live(), &text)
    }

    /// Returns the id of the sandbox's process; `None` if that process has ended.
    pub(crate) fn process(&self) -> Option<Pid> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw)?;
        let is_same = self.process_start.is_none() || self.process_start == process_start(self.pid);
        (is_same && test_kill_process(pid).is_ok()).then_some(pid)
    }
}

/// Returns the start time of a process, in clock ticks since the start of the machine; `None` where
/// the operating system does not report it (proc_pid_stat(5), field 22).
pub(crate) fn process_start(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in brackets, which may contain anything.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

/// The lock of a sandbox. It is released when the process ends, however it ends.
pub(crate) struct Held(#[allow(dead_code, reason = "held, not read")] File);

/// Acquires the lock of a sandbox; `None` if another process holds it.
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

/// Creates a folder that only its owner may read, since it contains tokens.
pub(crate) fn make_private(dir: &Path) -> Result<(), SandboxError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(SandboxError::state(dir))
}

/// Writes a file atomically; only its owner may read it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), SandboxError> {
    disk::write(path, bytes).map_err(SandboxError::state(path))
}

/// Reads a JSON file that [`write()`] wrote; `None` if it does not exist.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, SandboxError> {
    disk::read_json(path).map_err(|error| match error {
        ReadError::Io { path, source } => SandboxError::State { path, source },
        ReadError::Corrupt { path, source } => SandboxError::Corrupt {
            path,
            why: source.to_string(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(pid: u32, process_start: Option<u64>) -> Live {
        Live {
            scenario: "healthy".to_owned(),
            pid,
            process_start,
            endpoints: BTreeMap::new(),
            kubernetes: String::new(),
            google: String::new(),
            ci: String::new(),
            cluster: None,
            images: Vec::new(),
            moved: Vec::new(),
        }
    }

    #[test]
    fn a_process_that_has_the_id_of_an_ended_one_is_not_it() {
        let own = std::process::id();
        let start = process_start(own);
        assert!(start.is_some());
        assert!(live(own, start).process().is_some());
        assert!(live(own, None).process().is_some());
        assert_eq!(live(own, start.map(|start| start + 1)).process(), None);
        assert_eq!(live(0, start).process(), None);
        assert_eq!(process_start(0), None);
    }
}
