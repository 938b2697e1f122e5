//! A cluster of this process.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::xtask;

/// A cluster that ends when the keeper's standard input does: with this process, however it ends.
#[derive(Debug)]
pub(crate) struct Own {
    folder: PathBuf,
    program: PathBuf,
    _keeper: Child,
}

impl Own {
    /// Starts a cluster. Returns the reason if this machine cannot run one.
    pub(crate) fn start(extent: &[&str]) -> Result<Self, String> {
        let program = xtask().ok_or("run `cargo xtask cluster build` first")?;
        let check = cluster(&program, "check").args(extent).output();
        let check =
            check.map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        if !check.status.success() {
            return Err(String::from_utf8_lossy(&check.stderr).trim().to_owned());
        }
        let name = format!("sidestep-cluster-{}{}", std::process::id(), extent.concat());
        let folder = std::env::temp_dir().join(name);
        let mut keeper = cluster(&program, "keep")
            .arg("--state")
            .arg(&folder)
            .args(extent)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        ready(keeper.stdout.take())?;
        Ok(Self {
            folder,
            program,
            _keeper: keeper,
        })
    }

    /// Returns the cluster's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// Returns a command that runs a program in the cluster's namespaces.
    pub(crate) fn exec(&self, program: &str) -> Command {
        let mut command = cluster(&self.program, "exec");
        command.arg("--state").arg(&self.folder).arg(program);
        command
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
