//! Errors for texts that are almost references, with the reference that was most likely meant.

use super::invalid::{InvalidPluginRef, shown};
use super::{MAX_REFERENCE, PluginRef, file, is_name};

pub(super) fn too_long(text: &str) -> InvalidPluginRef {
    let message = format!("`{}…` is too long", shown(text));
    let help = format!("a plugin reference has at most {MAX_REFERENCE} bytes");
    InvalidPluginRef::form(message, help)
}

pub(super) fn not_built_in(text: &str) -> InvalidPluginRef {
    let message = format!("`{}` is not the name of a built-in plugin", shown(text));
    let help = match offered(text) {
        Some(path) => format!("name a file by its path: {path}"),
        None => "built-in plugins have names such as sidestep/context-upload".to_owned(),
    };
    InvalidPluginRef::form(message, help)
}

pub(super) fn without_kind(text: &str) -> InvalidPluginRef {
    if text.contains("://") {
        return InvalidPluginRef::form(
            format!("plugins can't be loaded from the address `{}`", shown(text)),
            "put the component into the workspace and name its path: ./PATH/FILE.wasm",
        );
    }
    let message = format!(
        "`{}` is neither a built-in plugin, nor a file's path, nor an OCI reference",
        shown(text)
    );
    let help = match offered(text) {
        Some(path) if is_name(text) => {
            let collection = PluginRef::COLLECTION;
            format!("write {collection}{text} for the built-in plugin, or {path} for a file")
        }
        Some(path) => format!("name a file by its path: {path}"),
        None => "write sidestep/NAME, ./PATH/FILE.wasm or oci://REGISTRY/REPOSITORY:TAG@sha256:…"
            .to_owned(),
    };
    InvalidPluginRef::form(message, help)
}

/// Returns the most likely intended path, if the text can be one.
fn offered(text: &str) -> Option<String> {
    let path = format!("./{text}");
    let parsed = file::parse(&path)?.ok()?;
    (text == text.trim() && !text.contains('\\')).then_some(parsed.0)
}
