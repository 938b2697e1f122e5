//! `cargo xtask test`: runs every check that a change must pass.

use std::process::{Command, ExitCode};
use std::thread;

use crate::profile::Profile;
use crate::{Result, cargo, cluster, generate, guests, say, tools};

/// Checks format and lints, and runs all tests. Further arguments go to `cargo test`.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    if arguments == ["--judges"] {
        return judges();
    }
    let path = tools::for_tests()?;
    // At low priority: it takes minutes once, and nothing needs it before the tests run.
    let cluster = thread::spawn(|| (cluster::prepare(), cluster::prepare_clients()));
    say::doing("cargo fmt --check");
    cargo::run(cargo::cargo().args(["fmt", "--all", "--check"]))?;
    dependencies(&path)?;
    let plugins = guests::build(Profile::Dev)?;
    let test_guests = guests::build_for_tests()?;
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
            .env(guests::PLUGINS, &plugins),
    )?;
    generate::check(&plugins)?;
    // The end-to-end tests start the runner as a separate process.
    let test = |more: &[&str]| {
        let mut command = cargo::cargo();
        command
            .args(["test", "--workspace"])
            .args(more)
            .env(guests::PLUGINS, &plugins)
            .env(guests::TESTS, &test_guests)
            .env("PATH", &path);
        command
    };
    // Run separately, so that the times of compiling, waiting and testing are distinct.
    say::doing("cargo test --no-run");
    cargo::run(&mut test(&["--no-run"]))?;
    say::doing("waiting for the programs of the test cluster");
    let panicked = || Err("its build panicked".to_owned());
    let prepared = cluster.join();
    let (prepared, clients) = prepared.unwrap_or_else(|_| (panicked(), panicked()));
    let parts = [
        ("tests on a real cluster", prepared),
        ("tests of Google's clients in pods", clients),
    ];
    for (what, prepared) in parts {
        if let Err(why) = prepared {
            say::not_run(what, &why);
            if tools::is_ci() {
                return Err(format!("CI=true, and this is not run: {what}: {why}"));
            }
        }
    }
    say::doing("cargo test");
    cargo::run(test(&[]).args(arguments))?;
    Ok(ExitCode::SUCCESS)
}

/// Compares a million paths of generated contexts with Docker's own walk. The tests compare a
/// twentieth of that.
fn judges() -> Result<ExitCode> {
    say::doing("cargo test judge, with a million paths");
    cargo::run(
        cargo::cargo()
            .args(["test", "-p", "sidestep-context", "--test", "it", "judge"])
            .args(["--", "--nocapture"])
            .env("SIDESTEP_JUDGED_PATHS", "1000000")
            .env("CI", "true"),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Checks the dependencies against `deny.toml`: licences, bans and sources. Duplicates are left to
/// `cargo deny check bans`.
fn dependencies(path: &str) -> Result<()> {
    let Some(deny) = tools::find("cargo-deny", path) else {
        return Ok(()); // said when it could not be had
    };
    say::doing("cargo deny check bans licenses sources");
    cargo::run(
        Command::new(deny)
            .current_dir(cargo::root())
            .args(["--log-level", "error", "check", "--hide-inclusion-graph"])
            .args(["bans", "licenses", "sources"]),
    )
}
