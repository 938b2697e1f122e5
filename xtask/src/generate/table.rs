//! Tables in Markdown.

/// Escapes text so that it does not end a table cell.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Splits a line of the runner's output at two spaces or more.
pub(super) fn columns(line: &str) -> Vec<String> {
    line.split("  ")
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}
