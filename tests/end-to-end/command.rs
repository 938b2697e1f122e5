//! Runs the built binary with its own environment.

use std::path::Path;
use std::process::{Command, Output};

/// Returns `sidestep` in a folder, without the tester's own settings.
pub(crate) fn sidestep(folder: &Path, args: &[&str]) -> Command {
    crate::dispositions::heard_by_children();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidestep"));
    command
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder.join(".home"))
        .env("PATH", "/usr/bin:/bin");
    command
}

pub(crate) fn run(folder: &Path, args: &[&str]) -> Output {
    sidestep(folder, args).output().expect("it starts")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}
