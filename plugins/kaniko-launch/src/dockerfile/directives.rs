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
                    let message = format!("kaniko does not ask `{value}`: it reads the file as a Dockerfile of its own kind");
                    Some(
                        reading
                            .warning(codes::dockerfile::SYNTAX_IMAGE, directive.value.at, message)
                            .help("what only that frontend knows, it ignores or refuses"),
                    )
                }
                "escape" if value == "`" => {
                    let message = "kaniko continues lines at a backtick, and still takes a backslash in a word for an escape";
                    Some(reading.warning(codes::dockerfile::ESCAPE, directive.value.at, message))
                }
                _ => None,
            }
        })
        .collect()
}

/// Whether it is Docker's own frontend, whatever its version.
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
