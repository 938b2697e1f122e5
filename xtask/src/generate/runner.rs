//! Asking the runner, on a machine like nobody's.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::{Result, cargo};

/// The runner, asked in an empty folder and with an environment that says nothing.
pub(crate) struct Runner {
    program: PathBuf,
    folder: PathBuf,
}

impl Runner {
    /// Asks this program, in this folder, which is made where it is missing.
    pub(crate) fn new(program: PathBuf, folder: PathBuf) -> Result<Self> {
        let folder = fs::create_dir_all(&folder)
            .and_then(|()| folder.canonicalize())
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        Ok(Self { program, folder })
    }

    /// Returns what it prints when it is called with these words, with `WORKSPACE` in place of the
    /// folder: the pages must not depend on the machine.
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
