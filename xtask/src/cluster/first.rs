//! Process 1 of a cluster's process namespace. When it ends, the kernel ends all others.

use std::process::{Command, ExitCode};
use std::{env, fs};

use rustix::io::Errno;
use rustix::process::{WaitOptions, wait};

use super::cluster_folder::ClusterFolder;
use super::{API_ONLY, Extent};
use crate::Result;

/// Starts the node, and collects every ended process of the namespace until the node has ended.
/// Orphans, such as containerd's shims, become children of process 1.
pub(super) fn run(place: &ClusterFolder, extent: Extent) -> Result<ExitCode> {
    // `/proc` is still the one outside, where this process has another number.
    let own =
        fs::read_link("/proc/self").map_err(|error| format!("cannot read /proc/self: {error}"))?;
    ClusterFolder::write(&place.first_file(), &own.display().to_string())?;
    let program =
        env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let node = Command::new(program)
        .args(["cluster", "node", "--state"])
        .arg(place.folder())
        .args((extent == Extent::Api).then_some(API_ONLY))
        .spawn()
        .map_err(|error| format!("cannot start the node: {error}"))?;
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, _))) if pid.as_raw_nonzero().get().unsigned_abs() == node.id() => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(format!("cannot wait for the node: {error}")),
        }
    }
    Ok(ExitCode::FAILURE)
}
