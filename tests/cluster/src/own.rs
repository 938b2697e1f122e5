//! A cluster of this process.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::{fs, thread};

use crate::{Images, xtask};

/// A cluster that ends when the keeper's standard input does: with this process, however it ends.
#[derive(Debug)]
pub(crate) struct Own {
    folder: PathBuf,
    program: PathBuf,
    images: OnceLock<Images>,
    _lifeline: Option<ChildStdin>,
}

impl Own {
    /// Starts a cluster. Returns the reason if this machine cannot run one. The clusters of this
    /// process have different names.
    pub(crate) fn start(name: &str, extent: &[&str]) -> Result<Self, String> {
        let name = format!("sidestep-cluster-{}-{name}", std::process::id());
        Self::start_in(std::env::temp_dir().join(name), extent)
    }

    fn start_in(folder: PathBuf, extent: &[&str]) -> Result<Self, String> {
        let program = xtask().ok_or("run `cargo xtask cluster build` first")?;
        let check = cluster(&program, "check").args(extent).output();
        let check =
            check.map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        if !check.status.success() {
            return Err(String::from_utf8_lossy(&check.stderr).trim().to_owned());
        }
        let mut keeper = cluster(&program, "keep")
            .arg("--state")
            .arg(&folder)
            .args(extent)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let lifeline = keeper.stdin.take();
        let started = ready(keeper.stdout.take());
        if started.is_err() {
            ended(keeper, &folder);
        } else {
            let folder = folder.clone();
            thread::spawn(move || {
                if let Some(why) = ended(keeper, &folder) {
                    warn(&why);
                }
            });
        }
        started.map(|()| Self {
            folder,
            program,
            images: OnceLock::new(),
            _lifeline: lifeline,
        })
    }

    /// Returns the cluster's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the images that were imported.
    pub(crate) fn images(&self) -> &OnceLock<Images> {
        &self.images
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// Runs a command of `cargo xtask cluster` for this cluster: `stop` or `start`.
    pub(crate) fn part(&self, command: &str, part: &str) {
        let mut command = cluster(&self.program, command);
        let output = command.arg("--state").arg(&self.folder).arg(part).output();
        let output = output.expect("xtask starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{part}: {errors}");
    }

    /// Returns the archive of the image of Google's clients, or the reason why there is none.
    pub(crate) fn archive_of_clients(&self) -> Result<PathBuf, String> {
        let output = cluster(&self.program, "clients").output();
        let output = output.map_err(|error| format!("xtask does not start: {error}"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if !output.status.success() {
            return Err(text(&output.stderr));
        }
        Ok(text(&output.stdout).into())
    }

    /// Returns a command that runs a program in the cluster's namespaces.
    pub(crate) fn exec(&self, program: &str) -> Command {
        let mut command = cluster(&self.program, "exec");
        command.arg("--state").arg(&self.folder).arg(program);
        command
    }
}

/// Waits for the end of a cluster's keeper. If the cluster ended by itself, removes its folder and
/// returns the reason.
fn ended(mut keeper: Child, folder: &Path) -> Option<String> {
    let _ = keeper.wait();
    // Otherwise the keeper has removed the folder.
    let why = fs::read_to_string(folder.join("ended")).ok()?;
    let _ = fs::remove_dir_all(folder);
    Some(why)
}

fn warn(why: &str) {
    #[expect(clippy::print_stderr, reason = "for the person who runs the tests")]
    {
        eprintln!("the test cluster has ended: {why}");
    }
}

fn cluster(program: &PathBuf, task: &str) -> Command {
    let mut command = Command::new(program);
    command.args(["cluster", task]);
    command
}

/// Reads what the keeper prints until the cluster is ready.
fn ready(output: Option<ChildStdout>) -> Result<(), String> {
    let mut said = Vec::new();
    let lines = output
        .into_iter()
        .flat_map(|output| BufReader::new(output).lines());
    for line in lines.map_while(Result::ok) {
        if line == "ready" {
            return Ok(());
        }
        said.push(line);
    }
    Err(format!("the cluster did not start:\n{}", said.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_start_leaves_no_folder() {
        if xtask().is_none_or(|program| {
            let check = cluster(&program, "check").arg("--api-only").output();
            !check.is_ok_and(|check| check.status.success())
        }) {
            return crate::not_run("the programs of a cluster are missing");
        }
        // The address of a socket has at most 108 bytes (unix(7)).
        let name = format!(
            "sidestep-cluster-{}-{}",
            std::process::id(),
            "x".repeat(100)
        );
        let folder = std::env::temp_dir().join(name);
        let why = Own::start_in(folder.clone(), &["--api-only"]).expect_err("no socket");
        assert!(why.contains("api.socket"), "{why}");
        assert!(!folder.exists());
    }
}
