//! `cargo xtask demo`: from a clone to an image, in the sandbox.

use std::process::{Command, ExitCode};

use crate::{Result, cargo, release, say};

const PIPELINE: &str = "pipelines/quickstart.yaml";

/// Builds the runner and runs the quickstart with it. Further arguments go to `sidestep run`.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let runner = release::build()?;
    say::doing(&format!(
        "sidestep run {PIPELINE} --sandbox {}",
        arguments.join(" ")
    ));
    let mut command = Command::new(&runner);
    command
        .current_dir(cargo::root())
        .args(["run", PIPELINE, "--sandbox"])
        .args(arguments);
    let status = command
        .status()
        .map_err(|error| format!("cannot start {}: {error}", runner.display()))?;
    if let Some(folder) = runner.parent() {
        say::doing(&format!(
            "to run `sidestep` yourself: export PATH=\"{}:$PATH\"",
            folder.display()
        ));
    }
    // The runner's exit code says more than "failed".
    let code = status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1);
    Ok(ExitCode::from(code))
}
