//! Stops one part of a live cluster, and starts it again.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::cluster_folder::ClusterFolder;
use crate::{Result, cargo};

/// How long a part may take to end or to start.
const PATIENCE: Duration = Duration::from_mins(1);

/// Kills a part. The node starts it again only after [`start`].
pub(super) fn stop(place: &ClusterFolder, part: &str) -> Result<()> {
    let running = place.running(part);
    let pid = fs::read_to_string(&running)
        .map_err(|_| format!("the cluster has no running part `{part}`"))?;
    ClusterFolder::write(&place.stopped(part), "")?;
    // The number is that of the cluster's own process namespace.
    let mut kill = Command::new("nsenter");
    kill.args(["--mount", "--pid", "--target"])
        .arg(place.first()?.to_string())
        .args(["kill", "-KILL", pid.trim()]);
    cargo::output(&mut kill)?;
    until(&format!("{part} does not end"), || !running.exists())
}

/// Starts a stopped part, and waits until its process exists.
pub(super) fn start(place: &ClusterFolder, part: &str) -> Result<()> {
    fs::remove_file(place.stopped(part)).map_err(|_| format!("part `{part}` is not stopped"))?;
    let running = place.running(part);
    until(&format!("{part} does not start"), || running.exists())
}

fn until(failure: &str, done: impl Fn() -> bool) -> Result<()> {
    let started = Instant::now();
    while !done() {
        if started.elapsed() > PATIENCE {
            return Err(failure.to_owned());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
