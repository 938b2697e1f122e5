//! `cargo xtask build`: the release runner with its plugins embedded, and its symbols beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

use crate::guests::PLUGINS;
use crate::profile::Profile;
use crate::{Result, cargo, guests, say};

/// Minutes that one core takes to compile everything from nothing.
const CORE_MINUTES: usize = 28;

/// The runner without symbols, and the file that has them.
const RUNNER: &str = "sidestep";
const SYMBOLS: &str = "sidestep.debug";

/// Builds the plugins and then the runner; returns where the runner is, without its symbols.
pub(crate) fn build() -> Result<PathBuf> {
    let runner = Profile::Release.program(RUNNER);
    if !runner.exists() {
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        say::doing(&format!(
            "the first build compiles some 470 crates: about {} minutes on this machine's {cores} \
             cores; later ones take seconds",
            (CORE_MINUTES / cores).max(1)
        ));
    }
    let plugins = guests::build(Profile::Release)?;
    say::doing("compiling the runner");
    cargo::run(Profile::Release.build(&[RUNNER]).env(PLUGINS, &plugins))?;
    let stripped = without_symbols(&runner)?;
    put(&stripped, &runner)?;
    Ok(runner)
}

/// Puts the program without symbols where cargo left the whole one, which stays in cargo's `deps`.
/// Cargo links that one here again at its next build.
fn put(stripped: &Path, runner: &Path) -> Result<()> {
    if is_one(stripped, runner) {
        return Ok(());
    }
    let new = runner.with_extension("new");
    let written = fs::copy(stripped, &new).and_then(|_| fs::rename(&new, runner));
    written.map_err(|error| format!("cannot write {}: {error}", runner.display()))
}

/// Returns whether a file is a copy of another: it is newer and as large.
fn is_one(file: &Path, copy: &Path) -> bool {
    let size = |path: &Path| fs::metadata(path).map(|data| data.len()).ok();
    size(file) == size(copy) && guests::is_current(copy, &[file])
}

/// Splits a program into one without symbols and a file with them, in a folder of their own, so
/// that this is done once for each build although cargo puts the whole program back every time.
fn without_symbols(program: &Path) -> Result<PathBuf> {
    let folder = cargo::target_dir().join("dist");
    fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let (runner, symbols) = (folder.join(RUNNER), folder.join(SYMBOLS));
    let is_done =
        guests::is_current(&symbols, &[program]) && guests::is_current(&runner, &[&symbols]);
    if is_done || is_one(&runner, program) {
        return Ok(runner);
    }
    say::doing("moving the runner's symbols to a file of their own");
    let copy = |options: &[&str], from: &Path, to: &Path| {
        cargo::run(
            // Of binutils, as the linker that rustc calls.
            Command::new("objcopy")
                .current_dir(&folder)
                .args(options)
                .arg(from)
                .arg(to),
        )
    };
    copy(&["--only-keep-debug"], program, &symbols)?;
    // Under another name first: the program may be running.
    let stripped = folder.join("sidestep.new");
    let link = format!("--add-gnu-debuglink={SYMBOLS}");
    copy(&["--strip-all", &link], program, &stripped)?;
    fs::rename(&stripped, &runner)
        .map_err(|error| format!("cannot write {}: {error}", runner.display()))?;
    Ok(runner)
}
