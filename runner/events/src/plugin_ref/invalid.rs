//! Errors for texts that are not valid plugin references, with the fix.

use sidestep_contract::codes;

use super::{MAX_REFERENCE, PluginRef, file, is_name};
use crate::Diagnostic;

/// The maximum length of a wrong reference in a message, in characters.
const SHOWN: usize = 200;

/// The error for a text that is not a valid plugin reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidPluginRef {
    /// `uses.form`, or `uses.digest`.
    pub code: &'static str,
    /// The error message; printable.
    pub message: String,
    /// The fix.
    pub help: String,
}

impl InvalidPluginRef {
    pub(super) fn form(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            code: codes::uses::FORM,
            message: message.into(),
            help: help.into(),
        }
    }

    /// Returns the error as a diagnostic.
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::error(self.code, self.message.clone()).with_help(self.help.clone())
    }
}

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

/// Returns the beginning of a text, with unprintable characters escaped.
pub(super) fn shown(text: &str) -> String {
    let start: String = text.chars().take(SHOWN).collect();
    start.escape_debug().to_string()
}
