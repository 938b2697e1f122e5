//! Paths of plugins' files.

use super::PluginFile;
use super::invalid::{InvalidPluginRef, shown};
use crate::show;

/// Parses a path; returns `None` if the text does not begin like one.
///
/// The code that opens the file checks whether it may be opened. Here `../` and `/` only mark the
/// text as a path.
pub(super) fn parse(text: &str) -> Option<Result<PluginFile, InvalidPluginRef>> {
    ["./", "../", "/"]
        .iter()
        .any(|start| text.starts_with(start))
        .then(|| path(text))
}

fn path(text: &str) -> Result<PluginFile, InvalidPluginRef> {
    if show::is_escaped(text) {
        return Err(InvalidPluginRef::form(
            format!(
                "the path `{}` contains characters that can't be displayed",
                shown(text)
            ),
            "rename the file",
        ));
    }
    let names_file = text
        .rsplit('/')
        .next()
        .is_some_and(|last| !["", ".", ".."].contains(&last));
    if !names_file {
        return Err(InvalidPluginRef::form(
            format!("`{}` names a folder, not a plugin's file", shown(text)),
            "write ./PATH/FILE.wasm",
        ));
    }
    // `..` stays: its target depends on links, which only the opener can follow.
    let segments: Vec<&str> = text
        .split('/')
        .filter(|segment| !["", "."].contains(segment))
        .collect();
    let start = match segments.first() {
        _ if text.starts_with('/') => "/",
        Some(&"..") => "",
        _ => "./",
    };
    Ok(PluginFile(format!("{start}{}", segments.join("/"))))
}
