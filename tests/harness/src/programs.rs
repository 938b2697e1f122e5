//! Programs of others, which a machine may lack.

use std::path::PathBuf;
use std::process::{Command, Output};

/// Reports that a test is not run.
///
/// # Panics
/// In CI, where every test must run.
pub fn not_run(why: &str) {
    let line = format!("not run: {why}");
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{line}");
    #[expect(
        clippy::print_stderr,
        reason = "the reader of the test's output must know"
    )]
    {
        eprintln!("{line}");
    }
}

/// Returns a program's path. If the program is missing, reports that the test is not run.
///
/// # Panics
/// In CI, if the program is missing.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    if found.is_none() {
        not_run(&format!("{name} is not installed"));
    }
    found
}

/// Runs a program. If it does not start, reports that the test is not run.
///
/// # Panics
/// In CI, if the program does not start.
pub fn run(command: &mut Command) -> Option<Output> {
    match command.output() {
        Ok(output) => Some(output),
        Err(error) => {
            let name = command.get_program().display();
            not_run(&format!("{name} does not start: {error}"));
            None
        }
    }
}
