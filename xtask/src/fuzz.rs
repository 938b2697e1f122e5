//! `cargo xtask fuzz [NAME] [--seconds N]`: feeds untrusted bytes to each parser, guided by
//! coverage.
//!
//! The parsers are listed in the crates' `fuzz` modules. A target's name begins with the name of
//! its crate, which is also the name of a program in `fuzz/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::{Result, cargo, say};

/// The default fuzzing time per target.
const SECONDS: u32 = 60;
/// The longest input, in bytes, the same as in the seeded mutations of the tests.
const LONGEST: u32 = 16 << 10;
/// The time in seconds after which one input counts as a hang.
const HANG: u32 = 20;
/// The maximum resident memory, in MiB.
const MEMORY: u32 = 1024;

/// Fuzzes one target, or all of them in turn.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let (name, seconds) = read(arguments)?;
    install()?;
    let folder = cargo::root().join("fuzz");
    // Use the runner's versions of the dependencies.
    fs::copy(cargo::root().join("Cargo.lock"), folder.join("Cargo.lock"))
        .map_err(|error| format!("cannot copy Cargo.lock: {error}"))?;
    let mut found = false;
    for group in groups(&folder)? {
        if name.is_some_and(|name| crate_of(name) != group) {
            continue;
        }
        let program = build(&folder, &group)?;
        let list = cargo::output(Command::new(&program).env("SIDESTEP_FUZZ_TARGET", "list"))?;
        for target in list.lines() {
            if name.is_none_or(|name| name == target || name == group) {
                found = true;
                fuzz(&folder, &program, target, seconds)?;
            }
        }
    }
    if found {
        Ok(ExitCode::SUCCESS)
    } else {
        Err(format!(
            "there is no target `{}`; the crates with targets are {}",
            name.unwrap_or_default(),
            groups(&folder)?.join(", ")
        ))
    }
}

fn read(arguments: &[String]) -> Result<(Option<&str>, u32)> {
    let usage = || "usage: cargo xtask fuzz [NAME] [--seconds N]".to_owned();
    let (mut name, mut seconds) = (None, SECONDS);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--seconds" => {
                let number = rest.next().and_then(|text| text.parse().ok());
                seconds = number.ok_or_else(usage)?;
            }
            text if !text.starts_with('-') && name.is_none() => name = Some(text),
            _ => return Err(usage()),
        }
    }
    Ok((name, seconds))
}

fn install() -> Result<()> {
    if cargo::output(cargo::cargo().args(["fuzz", "--version"])).is_ok() {
        return Ok(());
    }
    say::doing("cargo install cargo-fuzz (runs the fuzzer)");
    cargo::run(cargo::cargo().args(["install", "--locked", "cargo-fuzz"]))
}

/// Returns the crates that have targets: the programs in `fuzz/fuzz_targets`.
fn groups(folder: &Path) -> Result<Vec<String>> {
    let folder = folder.join("fuzz_targets");
    let entries = fs::read_dir(&folder)
        .map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn crate_of(name: &str) -> &str {
    name.split('-').next().unwrap_or(name)
}

/// Builds a crate's program and returns its path.
fn build(folder: &Path, group: &str) -> Result<PathBuf> {
    say::doing(&format!("compiling the parsers of {group} for the fuzzer"));
    let target = cargo::target_dir().join("fuzz");
    // Coverage needs flags that stable compilers accept but do not document. Our code has no
    // `unsafe` for a sanitizer to check, and runs much faster without one.
    cargo::run(
        cargo::cargo()
            .current_dir(folder)
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["fuzz", "build", "--sanitizer", "none", "--features", group])
            .arg("--target-dir")
            .arg(&target)
            .arg(group),
    )?;
    let host = cargo::output(Command::new("rustc").args(["--print", "host-tuple"]))?;
    Ok(target.join(host.trim()).join("release").join(group))
}

fn fuzz(folder: &Path, program: &Path, target: &str, seconds: u32) -> Result<()> {
    say::doing(&format!("fuzzing {target} for {seconds} s"));
    let work = cargo::target_dir().join("fuzz-corpus");
    let (found, seeds) = (work.join(target), work.join("seeds"));
    let kept = folder.join("corpus").join(target);
    for folder in [&found, &seeds.join(target), &kept] {
        fs::create_dir_all(folder)
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    }
    cargo::run(
        Command::new(program)
            .current_dir(folder)
            .env("SIDESTEP_FUZZ_TARGET", target)
            .env("SIDESTEP_FUZZ_SEEDS", &seeds)
            // New inputs go to the first folder. Inputs worth keeping are copied by hand.
            .args([&found, &kept, &seeds.join(target)])
            .arg(format!(
                "-artifact_prefix={}/crash-{target}-",
                work.display()
            ))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={LONGEST}"))
            .arg(format!("-timeout={HANG}"))
            .arg(format!("-rss_limit_mb={MEMORY}"))
            .args(["-print_final_stats=1", "-verbosity=0"]),
    )
}
