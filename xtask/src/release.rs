//! `cargo xtask build`: the release runner with its plugins embedded, and its symbols beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

use crate::profile::Profile;
use crate::{Result, cargo, guests, say};

/// Names the folder of components that the build of `sidestep` embeds.
pub(crate) const PLUGINS: &str = "SIDESTEP_PLUGINS";

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
    without_symbols(&runner)
}

/// Splits a program into one without symbols, a third smaller, and a file with them. Cargo would
/// put back what is changed in its own folder, so they lie in one of their own.
fn without_symbols(program: &Path) -> Result<PathBuf> {
    let folder = cargo::target_dir().join("dist");
    fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let (runner, symbols) = (folder.join(RUNNER), folder.join(SYMBOLS));
    if guests::is_current(&symbols, &[program]) && guests::is_current(&runner, &[&symbols]) {
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
