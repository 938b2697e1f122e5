//! What is wrong before the build starts: the Dockerfile, and what kaniko would misread in it.

use sidestep::{Diagnostic, workspace};

use crate::dockerfile::problems;
use crate::inputs::Inputs;

/// The largest Dockerfile that is read.
const LARGEST: u64 = 1 << 20;

/// Reads the Dockerfile in the workspace.
pub(crate) fn check(inputs: &Inputs) -> Vec<Diagnostic> {
    let file = match inputs.path.as_str() {
        "." | "" => inputs.dockerfile.clone(),
        path => format!("{}/{}", path.trim_end_matches('/'), inputs.dockerfile),
    };
    match workspace::read_to_string(&file, LARGEST) {
        Ok(text) => problems(&text, inputs.target.as_deref())
            .into_iter()
            .map(|problem| problem.in_file(&file))
            .collect(),
        Err(error) if error.is_not_found() => {
            vec![
                Diagnostic::error(
                    "dockerfile.missing",
                    format!("there is no {file} to build from"),
                )
                .help("name it with `dockerfile`, relative to `path`"),
            ]
        }
        Err(error) => vec![Diagnostic::error(error.code, error.message)],
    }
}
