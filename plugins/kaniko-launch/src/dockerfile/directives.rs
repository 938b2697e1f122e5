//! `# syntax=…` and `# escape=…`.

use sidestep::Diagnostic;
use sidestep::codes;

use super::Reading;

pub(super) fn look(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let directives = reading.dockerfile.directives.iter();
    directives
        .filter_map(|directive| {
            let value = &directive.value.text;
            match directive.name.as_str() {
                "syntax" if !is_dockerfiles(value) => {
                    let message = format!("kaniko does not use the frontend `{value}`: it reads the file with its own parser");
                    Some(
                        reading
                            .warning(codes::dockerfile::SYNTAX_IMAGE, directive.value.at, message)
                            .help("remove the instructions that only that frontend supports: kaniko ignores or rejects them"),
                    )
                }
                "escape" if value == "`" => {
                    let message = "kaniko continues lines at a backtick, but still treats a backslash in a word as an escape";
                    Some(reading.warning(codes::dockerfile::ESCAPE, directive.value.at, message))
                }
                _ => None,
            }
        })
        .collect()
}

/// Returns whether it is Docker's own frontend, in any version.
fn is_dockerfiles(image: &str) -> bool {
    let image = image.split(' ').next().unwrap_or_default();
    let image = image.strip_prefix("docker.io/").unwrap_or(image);
    ["docker/dockerfile", "docker/dockerfile-upstream"]
        .iter()
        .any(|known| {
            image
                .strip_prefix(known)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '@']))
        })
}
