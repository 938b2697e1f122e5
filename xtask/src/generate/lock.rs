//! The lock file of `sidestep plugin new`: the part of the workspace's that a plugin needs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, cargo};

/// The name of the plugin that the lock file is made for.
const NAME: &str = "locked-step";

/// Writes the lock file.
pub(super) fn replace(sidestep: &Path) -> Result<()> {
    let kept = kept();
    fs::write(&kept, make(sidestep)?)
        .map_err(|error| format!("cannot write {}: {error}", kept.display()))
}

/// Fails if the lock file does not have the workspace's versions.
pub(super) fn check(sidestep: &Path) -> Result<()> {
    let kept = kept();
    let text = fs::read_to_string(&kept)
        .map_err(|error| format!("cannot read {}: {error}", kept.display()))?;
    if text == make(sidestep)? {
        return Ok(());
    }
    Err(format!(
        "{} is outdated; run `cargo xtask generate` to update it",
        kept.display()
    ))
}

fn kept() -> PathBuf {
    cargo::root().join("runner/authoring/template/Cargo.lock")
}

/// Lets cargo take from the workspace's lock file what a new project needs.
fn make(sidestep: &Path) -> Result<String> {
    let folder = cargo::target_dir().join("reference/locked");
    let project = folder.join(NAME);
    super::clear(&folder)?;
    let wrong = |error: std::io::Error| format!("cannot make {}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(wrong)?;
    cargo::output(
        Command::new(sidestep)
            .current_dir(&folder)
            .env_clear()
            .env("HOME", "/home/you")
            .args(["plugin", "new", NAME]),
    )?;
    let lock = project.join("Cargo.lock");
    fs::copy(cargo::root().join("Cargo.lock"), &lock).map_err(wrong)?;
    let mut command = cargo::cargo();
    command.current_dir(&project);
    cargo::output(command.args(["metadata", "--offline", "--format-version", "1"]))?;
    let text = fs::read_to_string(&lock).map_err(wrong)?;
    Ok(text.replace(&format!("\"{NAME}\""), "\"PLUGIN_NAME\""))
}
