//! Calls the runner in an environment that is independent of the machine.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::{Result, cargo};

/// The runner, called in an empty folder with a minimal environment.
pub(crate) struct Runner {
    program: PathBuf,
    folder: PathBuf,
}

impl Runner {
    /// Uses this program in this folder, which is created if it is missing.
    pub(crate) fn new(program: PathBuf, folder: PathBuf) -> Result<Self> {
        let folder = fs::create_dir_all(&folder)
            .and_then(|()| folder.canonicalize())
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        Ok(Self { program, folder })
    }

    /// Returns the output for these arguments, with `WORKSPACE` in place of the folder, because the
    /// pages must not depend on the machine.
    pub(crate) fn ask(&self, words: &[&str]) -> Result<String> {
        let printed = cargo::output(
            Command::new(&self.program)
                .current_dir(&self.folder)
                .env_clear()
                .env("HOME", "/home/you")
                .args(words),
        )?;
        Ok(printed.replace(&*self.folder.to_string_lossy(), "WORKSPACE"))
    }
}
