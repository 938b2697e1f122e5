//! External tools.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

/// Runs a tool that this machine may lack. Returns `None` if it was not run, which is an error in
/// CI.
pub(crate) fn run(command: &mut Command) -> Option<Output> {
    match command.output() {
        Ok(output) => Some(output),
        Err(error) => {
            not_run(&format!(
                "{} does not start: {error}",
                command.get_program().display()
            ));
            None
        }
    }
}

pub(crate) fn not_run(why: &str) {
    let line = format!("not run: {why}");
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "{line}"
    );
    #[expect(clippy::print_stderr, reason = "for whoever runs the tests")]
    {
        eprintln!("{line}");
    }
}

/// Creates files, and the folders above them.
pub(crate) fn files(root: &Path, files: &[(&str, &str)]) {
    for (path, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}
