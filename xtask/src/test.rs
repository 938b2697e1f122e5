//! `cargo xtask test`: everything that must hold before a change lands.

use std::process::ExitCode;

use crate::profile::Profile;
use crate::{Result, cargo, guests, release, say, tools};

/// Checks format and lints, and runs all tests. Further arguments go to `cargo test`.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let path = tools::counterparts()?;
    say::doing("cargo fmt --check");
    cargo::run(cargo::cargo().args(["fmt", "--all", "--check"]))?;
    let plugins = guests::build(Profile::Dev)?;
    say::doing("cargo clippy");
    cargo::run(
        cargo::cargo()
            .args([
                "clippy",
                "--quiet",
                "--workspace",
                "--all-targets",
                "--",
                "--deny",
                "warnings",
            ])
            .env(release::PLUGINS, &plugins),
    )?;
    // The end-to-end tests start the runner as a process of its own.
    say::doing("cargo test");
    cargo::run(
        cargo::cargo()
            .args(["test", "--workspace"])
            .args(arguments)
            .env(release::PLUGINS, &plugins)
            .env("PATH", &path),
    )?;
    Ok(ExitCode::SUCCESS)
}
