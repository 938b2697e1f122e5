//! `cargo xtask build`: the release runner with its plugins embedded.

use std::path::PathBuf;
use std::thread::available_parallelism;

use crate::profile::Profile;
use crate::{Result, cargo, guests, say};

/// Names the folder of components that the build of `sidestep` embeds.
pub(crate) const PLUGINS: &str = "SIDESTEP_PLUGINS";

/// Minutes that one core takes to compile everything from nothing.
const CORE_MINUTES: usize = 28;

/// Builds the plugins and then the runner; returns where the runner is.
pub(crate) fn build() -> Result<PathBuf> {
    let runner = Profile::Release.program("sidestep");
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
    cargo::run(Profile::Release.build(&["sidestep"]).env(PLUGINS, &plugins))?;
    Ok(runner)
}
