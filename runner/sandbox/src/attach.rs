//! Finding or starting a sandbox's process from another process.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use crate::SandboxError;
use crate::installed::take_back;
use crate::live::{Held, Live, Places, hold, make_private, read};
use crate::name::Name;
use crate::users::last_cluster;

/// The timeout for the start of a new process, and for the end of one.
const PATIENCE: Duration = Duration::from_secs(20);
/// The timeout for the start of a process that connects to a cluster of the user's: its kubeconfig
/// may run a program, and its API server takes some seconds to follow an installation.
const PATIENCE_WITH_A_CLUSTER: Duration = Duration::from_mins(2);
/// The polling interval during the start.
const LOOK: Duration = Duration::from_millis(20);

/// The options for starting a sandbox.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// The program, which serves the sandbox with `sandbox serve`.
    pub program: &'a Path,
    /// The sandbox's name.
    pub name: &'a Name,
}

/// A live sandbox.
#[derive(Debug, Clone)]
pub struct Attached {
    /// The sandbox's description of itself.
    pub live: Live,
    /// Whether it was started by this call.
    pub started: bool,
}

/// Returns the live sandbox of these places, if there is one.
pub fn live(places: &Places) -> Result<Option<Live>, SandboxError> {
    if !places.dir.is_dir() || hold(places)?.is_some() {
        return Ok(None);
    }
    let live: Option<Live> = read(&places.live())?;
    // A killed sandbox leaves its file until the next one has started.
    Ok(live.filter(|live| live.process().is_some()))
}

/// Returns the live sandbox of these places, or starts a detached one.
///
/// # Errors
/// If it cannot be started or does not respond in time.
pub async fn attach(places: &Places, start: Start<'_>) -> Result<Attached, SandboxError> {
    if let Some(live) = live(places)? {
        return Ok(Attached {
            live,
            started: false,
        });
    }
    make_private(&places.dir)?;
    let cluster = of_cluster(places, start.name)?;
    let log = places.log();
    let output = File::options()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&log)
        .map_err(SandboxError::state(&log))?;
    let errors = output.try_clone().map_err(SandboxError::state(&log))?;
    let not_up = |why: String| SandboxError::NotUp {
        why,
        log: log.clone(),
    };
    let mut child = {
        use std::os::unix::process::CommandExt as _;
        Command::new(start.program)
            .args(["sandbox", "--detached", "--scenario", &start.name.scenario])
            .args(cluster)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            // A Ctrl-C at the terminal is for the run, not for the sandbox.
            .process_group(0)
            .spawn()
            .map_err(|error| not_up(error.to_string()))?
    };
    let patience = match start.name.context {
        Some(_) => PATIENCE_WITH_A_CLUSTER,
        None => PATIENCE,
    };
    let began = std::time::Instant::now();
    while began.elapsed() < patience {
        if let Some(live) = live(places)? {
            return Ok(Attached {
                started: live.pid == child.id(),
                live,
            });
        }
        if let Ok(Some(status)) = child.try_wait() {
            if status.success() {
                return Err(not_up("it exited immediately".to_owned()));
            }
            // Another process may have been faster; then its sandbox is live, or starting.
            if hold(places)?.is_none() {
                tokio::time::sleep(LOOK).await;
                continue;
            }
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            return Err(not_up(
                said.lines()
                    .last()
                    .unwrap_or("it printed no error")
                    .to_owned(),
            ));
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(not_up(format!(
        "it did not answer within {} s",
        patience.as_secs()
    )))
}

/// Returns the arguments that name the user's cluster, with the namespaces that it was last served
/// with.
fn of_cluster(places: &Places, name: &Name) -> Result<Vec<String>, SandboxError> {
    let Some(context) = &name.context else {
        return Ok(Vec::new());
    };
    let mut arguments = vec![format!("--cluster={context}")];
    let last = last_cluster(places)?.filter(|last| last.context == *context);
    if let Some(last) = last.filter(|last| !last.namespaces.is_empty()) {
        arguments.push(format!("--namespaces={}", last.namespaces.join(",")));
    }
    Ok(arguments)
}

/// The result of [`stop`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Whether a sandbox was live.
    pub was_live: bool,
    /// The number of objects in the user's cluster that the sandbox had left, and that were removed
    /// now.
    pub removed: usize,
}

/// Stops the live sandbox, waits for its end, and removes what it or an earlier one of these places
/// has left in the user's cluster.
///
/// # Errors
/// If the sandbox does not end, or something in the cluster cannot be removed. A later call tries
/// that again.
pub async fn stop(places: &Places) -> Result<Stopped, SandboxError> {
    let Some(ended) = end(places).await? else {
        return Ok(Stopped {
            was_live: false,
            removed: 0,
        });
    };
    let taken_back = take_back(places, &ended.held).await?;
    Ok(Stopped {
        was_live: ended.was_live,
        removed: taken_back.removed,
    })
}

/// The result of [`reset`].
#[derive(Debug)]
pub struct Reset {
    /// Whether there was anything to delete.
    pub existed: bool,
    /// The failure to remove everything from the user's cluster. No record of the rest is kept.
    pub left: Option<SandboxError>,
}

/// Stops the live sandbox and deletes its state. It also deletes the record of what is still in the
/// user's cluster: a cluster that no longer exists must not keep the state for ever.
///
/// # Errors
/// If the sandbox does not end, or its state cannot be deleted.
pub async fn reset(places: &Places) -> Result<Reset, SandboxError> {
    let Some(ended) = end(places).await? else {
        return Ok(Reset {
            existed: false,
            left: None,
        });
    };
    let left = take_back(places, &ended.held).await.err();
    std::fs::remove_dir_all(&places.dir).map_err(SandboxError::state(&places.dir))?;
    Ok(Reset {
        existed: true,
        left,
    })
}

/// A sandbox without a live process.
struct Ended {
    was_live: bool,
    /// No other process can start it.
    held: Held,
}

/// Ends the live sandbox, if there is one. Returns `None` if there is no state either.
async fn end(places: &Places) -> Result<Option<Ended>, SandboxError> {
    if !places.dir.is_dir() {
        return Ok(None);
    }
    let name = Name::of_folder(&places.dir);
    let patience = match name.context {
        // It removes what it installed.
        Some(_) => PATIENCE_WITH_A_CLUSTER,
        None => PATIENCE,
    };
    let mut asked: Option<u32> = None;
    let began = std::time::Instant::now();
    while began.elapsed() < patience {
        if let Some(held) = hold(places)? {
            return Ok(Some(Ended {
                was_live: asked.is_some(),
                held,
            }));
        }
        // A process that is starting has no description yet.
        let live: Option<Live> = read(&places.live())?;
        if let Some(live) = live.filter(|live| asked != Some(live.pid))
            && let Some(process) = live.process()
        {
            // It may have ended by itself in the meantime.
            let _ = kill_process(process, Signal::TERM);
            asked = Some(live.pid);
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(SandboxError::Busy {
        scenario: name.to_string(),
        pid: asked.unwrap_or_default(),
    })
}
