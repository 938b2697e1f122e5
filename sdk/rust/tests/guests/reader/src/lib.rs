//! A plugin that reads one file and reports problems, for tests.

use sidestep::{Check, Diagnostic, Step, workspace};

/// The file to read.
#[sidestep::data]
#[derive(Debug)]
struct Inputs {
    /// The file's path.
    path: String,
}

/// The result of reading it.
#[sidestep::data]
#[derive(Debug)]
struct Outputs {
    /// The number of its lines.
    lines: usize,
}

/// Counts the lines of a file.
#[sidestep::plugin(
    name = "reader",
    requests(workspace = "[{'read': [inputs.path]}]"),
    check = check,
)]
fn run(_: &Step, inputs: Inputs) -> sidestep::Result<Outputs> {
    let text = workspace::read_to_string(&inputs.path, 1024 * 1024)?;
    sidestep::debug!(path = inputs.path; "read {} bytes", text.len());
    Ok(Outputs {
        lines: text.lines().count(),
    })
}

fn check(_: &Check, inputs: Inputs) -> Vec<Diagnostic> {
    match workspace::stat(&inputs.path) {
        Ok(_) => Vec::new(),
        Err(error) => vec![
            Diagnostic::error("reader.unreadable", error.message)
                .in_file(inputs.path)
                .help("give a path of the workspace"),
        ],
    }
}
