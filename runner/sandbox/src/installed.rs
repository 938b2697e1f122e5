//! The record of what a sandbox has installed in the user's cluster, and its removal.
//!
//! The record is written before the first object is created, and deleted after a removal without an
//! error. In between, whatever happens to the process, the objects are found by it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sidestep_sandbox_admission::{Installation, remove};
use sidestep_sandbox_base::disk;
use sidestep_sandbox_cluster::{Server, client};

use crate::SandboxError;
use crate::live::{Held, Places, read};
use crate::name::Name;
use crate::users::UserCluster;

/// The timeout of a removal.
const PATIENCE: Duration = Duration::from_mins(1);

/// The objects that a sandbox has installed, or is about to install, in the user's cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Installed {
    /// The id that the objects carry.
    pub installation: Installation,
    /// The cluster, as the user named it.
    pub cluster: UserCluster,
    /// The cluster that the context meant.
    pub server: Server,
    /// Whether relays belong to it.
    pub relays: bool,
}

/// The reason why a sandbox's objects stay in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRemoved {
    /// The context means another cluster by now, which was not changed. The text is the difference.
    Another(String),
    /// The client or the API server failed.
    Failed(String),
}

impl fmt::Display for NotRemoved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Another(difference) => {
                write!(f, "its context means another cluster now: {difference}")
            }
            Self::Failed(why) => f.write_str(why),
        }
    }
}

/// A sandbox without anything in a cluster: it has no record, and no other process can write one.
pub(crate) struct Nothing<'h> {
    places: &'h Places,
    _held: &'h Held,
}

/// A record on the disk, without which nothing is installed.
pub(crate) struct Recorded(Installed);

impl Recorded {
    pub(crate) fn installation(&self) -> &Installation {
        &self.0.installation
    }
}

impl Nothing<'_> {
    /// Records an installation with a new id.
    pub(crate) fn record(
        self,
        cluster: &UserCluster,
        server: Server,
        relays: bool,
    ) -> Result<Recorded, SandboxError> {
        let name = Name::of_folder(&self.places.dir);
        let path = self.places.installed();
        let installed = Installed {
            installation: Installation::new(format!("sandbox `{name}`{}", on_host())),
            cluster: cluster.clone(),
            server,
            relays,
        };
        disk::write_json_durably(&path, &installed).map_err(SandboxError::state(&path))?;
        Ok(Recorded(installed))
    }
}

/// Returns the words that name this machine, if its name is known.
fn on_host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => String::new(),
        name => format!(" on {name}"),
    }
}

/// Returns what a sandbox has left in the user's cluster, if anything is recorded.
///
/// # Errors
/// If the record cannot be read.
pub fn installed(places: &Places) -> Result<Option<Installed>, SandboxError> {
    read(&places.installed())
}

/// The result of [`take_back`].
pub(crate) struct TakenBack<'h> {
    /// The number of objects that were removed.
    pub(crate) removed: usize,
    pub(crate) nothing: Nothing<'h>,
}

/// Removes what the sandbox has installed in the user's cluster. Without a record it asks no
/// cluster.
///
/// # Errors
/// If something cannot be removed. The record then stays.
pub(crate) async fn take_back<'h>(
    places: &'h Places,
    held: &'h Held,
) -> Result<TakenBack<'h>, SandboxError> {
    let nothing = Nothing {
        places,
        _held: held,
    };
    let Some(installed) = installed(places)? else {
        return Ok(TakenBack {
            removed: 0,
            nothing,
        });
    };
    let removed = match remove_all(&installed).await {
        Ok(removed) => removed,
        Err(why) => {
            return Err(SandboxError::LeftBehind {
                name: Name::of_folder(&places.dir).to_string(),
                installed: Box::new(installed),
                why,
            });
        }
    };
    let path = places.installed();
    std::fs::remove_file(&path).map_err(SandboxError::state(&path))?;
    Ok(TakenBack { removed, nothing })
}

/// Removes the objects by the kubeconfig with which they were created.
async fn remove_all(installed: &Installed) -> Result<usize, NotRemoved> {
    let UserCluster {
        context,
        kubeconfig,
        ..
    } = &installed.cluster;
    let removal = async {
        let connected = client(kubeconfig, context).await;
        let (client, server) = connected.map_err(failed)?;
        if let Some(difference) = server.difference(&installed.server) {
            return Err(NotRemoved::Another(difference));
        }
        let installation = &installed.installation;
        let names = remove(&client, installation).await;
        let relays = if installed.relays {
            sidestep_sandbox_relay::remove(&client, &installation.selector()).await
        } else {
            Ok(0)
        };
        match (names, relays) {
            (Ok(names), Ok(relays)) => Ok(names + relays),
            (Err(error), _) => Err(failed(error)),
            (_, Err(error)) => Err(failed(error)),
        }
    };
    match tokio::time::timeout(PATIENCE, removal).await {
        Ok(removed) => removed,
        Err(_) => Err(NotRemoved::Failed(format!(
            "the API server did not answer within {} s",
            PATIENCE.as_secs()
        ))),
    }
}

fn failed(error: impl fmt::Display) -> NotRemoved {
    NotRemoved::Failed(error.to_string())
}

#[cfg(test)]
mod tests;
