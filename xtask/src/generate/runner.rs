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
        fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        Ok(Self { program, folder })
    }

    /// What it prints when it is called with these words.
    pub(crate) fn ask(&self, words: &[&str]) -> Result<String> {
        cargo::output(
            Command::new(&self.program)
                .current_dir(&self.folder)
                .env_clear()
                .env("HOME", "/home/you")
                .args(words),
        )
    }
}
