//! `cargo xtask generate`: writes the pages under `docs/reference/` from the runner's own output.
//!
//! The tables of failure codes in `docs/` come from the contract's own table, and the lock file of
//! `sidestep plugin new` from the workspace's.
//!
//! No list is maintained here by hand: commands come from `sidestep help`, schemas from the values
//! that `sidestep schema` accepts, plugins from the folders under `plugins/`. `cargo xtask test`
//! fails on an outdated page.

mod codes;
mod help;
mod lock;
mod pages;
mod runner;
mod scenarios;
mod settings;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::profile::Profile;
use crate::{Result, cargo, guests, say};
use runner::Runner;

/// Regenerates the pages. With `--check`, only reports how they differ from the expected ones.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let check_only = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("usage: cargo xtask generate [--check]".into()),
    };
    let plugins = guests::build(Profile::Dev)?;
    let made = make(&plugins)?;
    if check_only {
        codes::check()?;
        lock::check(&runner())?;
        compare(&made)?;
    } else {
        codes::replace()?;
        lock::replace(&runner())?;
        replace(&made)?;
        say::doing(
            "docs/reference, the tables of failure codes and the plugin's lock file are current",
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Fails with the differences if the pages do not match the runner's output. `plugins` is the
/// folder of components that the runner embeds.
pub(crate) fn check(plugins: &Path) -> Result<()> {
    let made = make(plugins)?;
    lock::check(&runner())?;
    compare(&made)
}

/// Returns the runner that [`make`] compiles.
fn runner() -> PathBuf {
    Profile::Dev.program("sidestep")
}

/// Builds the runner and writes all pages into a folder under the target folder.
fn make(plugins: &Path) -> Result<PathBuf> {
    say::doing("compiling the runner that prints the reference");
    cargo::run(
        Profile::Dev
            .build(&["sidestep"])
            .env(guests::PLUGINS, plugins),
    )?;
    let folder = cargo::target_dir().join("reference");
    let runner = Runner::new(runner(), folder.join("empty"))?;
    let pages = folder.join("pages");
    clear(&pages)?;
    for (name, text) in pages::all(&runner)? {
        write(&pages.join(name), &text)?;
    }
    Ok(pages)
}

fn compare(made: &Path) -> Result<()> {
    let kept = kept();
    let output = Command::new("diff")
        .args(["--unified", "--recursive", "--new-file"])
        .args([&kept, made])
        .output()
        .map_err(|error| format!("cannot start diff: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "docs/reference is outdated; run `cargo xtask generate` to update it:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}

fn replace(made: &Path) -> Result<()> {
    let kept = kept();
    clear(&kept)?;
    let mut folders = vec![made.to_owned()];
    while let Some(folder) = folders.pop() {
        let wrong = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(wrong)? {
            let path = entry.map_err(wrong)?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path
                .strip_prefix(made)
                .expect("it was found below that folder");
            write(&kept.join(name), &fs::read_to_string(&path).map_err(wrong)?)?;
        }
    }
    Ok(())
}

fn kept() -> PathBuf {
    cargo::root().join("docs/reference")
}

fn clear(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("cannot empty {}: {error}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn write(file: &Path, text: &str) -> Result<()> {
    let folder = file.parent().expect("every page has a folder");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, text))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))
}
