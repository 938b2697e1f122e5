//! The process outside a cluster's namespaces. It starts the first process, and removes what is
//! left when that has ended, however it ended.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{env, io, thread};

use rustix::process::{Pid, Signal, kill_process, setsid};

use super::claim::Claim;
use super::cluster_folder::ClusterFolder;
use super::{API_ONLY, Extent, cgroups, forward};
use crate::{Result, say};

/// The line that tells the keeper to outlive its starter.
const STAY: &str = "stay";

/// The line of a keeper whose folder has a keeper already.
const HELD: &str = "held";

/// Starts a keeper that outlives this process once the cluster is ready. Until then, the cluster
/// ends with this process. Returns how long it took, or `None` if the cluster was up already.
pub(super) fn start_detached(place: &ClusterFolder, extent: Extent) -> Result<Option<Duration>> {
    let started = Instant::now();
    let program =
        env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let mut keeper = Command::new(&program)
        .args(["cluster", "keep", "--state"])
        .arg(place.folder())
        .args((extent == Extent::Api).then_some(API_ONLY))
        // Ctrl-C in a terminal goes to the process group. This process passes it on by its end.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    let mut stdin = keeper.stdin.take();
    let lines = keeper.stdout.take().map(BufReader::new);
    let mut failed: Vec<String> = Vec::new();
    for line in lines
        .into_iter()
        .flat_map(BufReader::lines)
        .map_while(io::Result::ok)
    {
        if line == "ready" {
            let told = stdin.as_mut().map(|stdin| writeln!(stdin, "{STAY}"));
            return match told {
                Some(Ok(())) => Ok(Some(started.elapsed())),
                _ => Err("the cluster ended as soon as it was ready".to_owned()),
            };
        }
        if line == HELD {
            return Ok(None);
        }
        match line.strip_prefix("error: ") {
            Some(why) => failed.push(why.to_owned()),
            None if failed.is_empty() => say::beside(&line),
            None => failed.push(line),
        }
    }
    if failed.is_empty() {
        return Err("the cluster was killed while it started".to_owned());
    }
    Err(failed.join("\n"))
}

/// Becomes the keeper of a cluster, until it ends.
pub(super) fn run(place: &ClusterFolder, extent: Extent) -> Result<ExitCode> {
    let outcome = keep(place, extent);
    if let Err(why) = &outcome {
        // Its reader may have gone.
        let _ = writeln!(io::stdout(), "error: {why}");
    }
    outcome
}

fn keep(place: &ClusterFolder, extent: Extent) -> Result<ExitCode> {
    // Not the terminal's: a closed terminal ends its session's processes. It fails where this
    // process is the leader of a session already.
    let _ = setsid();
    cgroups::sweep();
    let Some(claim) = Claim::take(place)? else {
        let _ = writeln!(io::stdout(), "{HELD}");
        return Err(format!("{} has a live cluster", place.folder().display()));
    };
    claim.pass_on()?;
    let kept = in_folder(place, extent);
    // The logs of a cluster that ended by itself are what its user needs next.
    if place.ended().is_none() {
        place.remove()?;
    }
    claim.release();
    kept.map(|()| ExitCode::FAILURE)
}

/// Creates the folder and the cgroup, and removes the cgroup again.
fn in_folder(place: &ClusterFolder, extent: Extent) -> Result<()> {
    place.create()?;
    let _lock = place.lock()?;
    let cgroup = match extent {
        Extent::Api => None,
        Extent::Node => Some(cgroups::create()?),
    };
    let ran = run_first(place, extent, cgroup.as_deref());
    if let Some(name) = cgroup {
        remove_cgroup(&name);
    }
    ran
}

/// Runs the first process, and with it the cluster, to its end.
fn run_first(place: &ClusterFolder, extent: Extent, cgroup: Option<&str>) -> Result<()> {
    let port = forward::from_machine(&place.socket())?;
    ClusterFolder::write(&place.port_file(), &port.to_string())?;
    ClusterFolder::write(&place.cgroup_file(), cgroup.unwrap_or_default())?;
    let program =
        env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let mut first = Command::new("unshare")
        .args(["--net", "--mount", "--pid", "--fork", "--kill-child"])
        .arg(program)
        .args(["cluster", "first", "--state"])
        .arg(place.folder())
        .args((extent == Extent::Api).then_some(API_ONLY))
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start unshare: {error}"))?;
    let lifeline = Arc::new(Mutex::new(first.stdin.take()));
    let watched = Arc::clone(&lifeline);
    thread::spawn(move || end_with_starter(&watched));
    let status = first.wait();
    status
        .map(drop)
        .map_err(|error| format!("cannot wait for unshare: {error}"))
}

/// Ends the cluster when standard input ends, unless it was told to stay.
fn end_with_starter(lifeline: &Mutex<Option<ChildStdin>>) {
    let told = io::stdin()
        .lines()
        .map_while(io::Result::ok)
        .any(|line| line == STAY);
    if !told && let Ok(mut lifeline) = lifeline.lock() {
        *lifeline = None; // the node ends when its standard input does
    }
}

/// Removes the cgroup once the kernel has ended the last process in it: a namespace's processes end
/// shortly after its first one.
fn remove_cgroup(name: &str) {
    let started = Instant::now();
    while cgroups::exists(name) && started.elapsed() < Duration::from_secs(10) {
        cgroups::remove(name);
        thread::sleep(Duration::from_millis(10));
    }
}

/// Kills the first process of a live cluster, and waits until its keeper has removed the rest.
pub(super) fn end(place: &ClusterFolder) -> Result<()> {
    let first = place.first()?;
    let pid = i32::try_from(first).ok().and_then(Pid::from_raw);
    let Some(pid) = pid else {
        return Err(format!("{} names no process", place.first_file().display()));
    };
    kill_process(pid, Signal::KILL)
        .map_err(|error| format!("cannot kill process {first}: {error}"))?;
    let started = Instant::now();
    while place.is_live() {
        if started.elapsed() > Duration::from_secs(30) {
            return Err(format!(
                "the cluster in {} does not end",
                place.folder().display()
            ));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
