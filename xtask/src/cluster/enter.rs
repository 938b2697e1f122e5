//! Runs a command in a cluster's namespaces.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use super::cluster_folder::ClusterFolder;
use super::command;
use super::programs::Programs;
use crate::Result;

/// Becomes the command, in the cluster's namespaces and in this process's folder, with the
/// cluster's kubectl and its `KUBECONFIG`.
pub(super) fn exec(place: &ClusterFolder, name: &str, words: &[String]) -> Result<ExitCode> {
    if !place.is_live() {
        return Err(match place.ended() {
            Some(why) => format!("cluster `{name}` has ended: {why}"),
            None => format!(
                "cluster `{name}` is not up; start it with\n{}",
                command::line("up", name)
            ),
        });
    }
    let folder = env::current_dir().map_err(|error| format!("no current folder: {error}"))?;
    // Entering a mount namespace moves a process to its root folder.
    let error = Command::new("nsenter")
        .args(["--net", "--mount", "--pid", "--target"])
        .arg(place.first()?.to_string())
        .args(["sh", "-c", r#"cd "$0" && exec "$@""#])
        .arg(folder)
        .args(words)
        .env("KUBECONFIG", place.kubeconfig_inside())
        .env("PATH", Programs::of_sources()?.path())
        .exec();
    Err(format!("cannot start nsenter: {error}"))
}
