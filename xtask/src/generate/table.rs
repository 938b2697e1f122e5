//! Tables in Markdown.

/// Escapes text so that it does not end a table cell.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
