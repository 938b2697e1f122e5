//! References to plugins, and their three kinds.

mod file;
mod invalid;
mod near_miss;
mod oci;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use invalid::InvalidPluginRef;

/// The maximum length of a reference, in bytes: that of a path on Linux (`PATH_MAX`).
const MAX_REFERENCE: usize = 4096;

/// A reference to a plugin: built into the runner, a file, or an artifact in an OCI registry.
///
/// [`PluginRef::parse`] decides the kind once. Code that judges a plugin (policy, grants, the
/// catalog) matches on the kind and never on the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PluginRef {
    /// A plugin that is built into the runner: `sidestep/NAME`.
    BuiltIn(BuiltInName),
    /// A file: a path that begins with `./`, `../` or `/`.
    File(PluginFile),
    /// An artifact in a registry: `oci://REGISTRY/REPOSITORY:TAG@sha256:…`.
    Oci(OciReference),
}

/// The name of a built-in plugin, with its collection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BuiltInName(String);

/// The path of a plugin's file, without empty and `.` segments.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PluginFile(String);

/// A reference to a registry, with a digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OciReference(String);

impl PluginRef {
    /// The prefix of every built-in plugin's name, and of no other plugin's.
    pub const COLLECTION: &str = "sidestep/";
    /// The prefix of every reference to a registry.
    pub const SCHEME: &str = "oci://";
    /// The forms as regular expressions (ECMA 262) and in words, for JSON Schemas. The expressions
    /// accept every reference that [`PluginRef::parse`] accepts.
    pub const FORMS: [(&str, &str); 3] = [
        (
            "^sidestep/[a-z0-9]+(-[a-z0-9]+)*$",
            "A built-in plugin: sidestep/NAME.",
        ),
        (
            r"^(\.{0,2}/)(.*[^/])$",
            "A file of the workspace: ./PATH/FILE.wasm.",
        ),
        (
            "^oci://[^@]+@sha256:[0-9a-f]{64}$",
            "A plugin in a registry, with its digest: oci://REGISTRY/REPOSITORY:TAG@sha256:….",
        ),
    ];

    /// Parses a reference in the format of a step's `uses`.
    ///
    /// # Errors
    /// Returns the fix. The kind of a name without one is never guessed.
    pub fn parse(text: &str) -> Result<Self, InvalidPluginRef> {
        if text.len() > MAX_REFERENCE {
            return Err(near_miss::too_long(text));
        }
        if let Some(rest) = text.strip_prefix(Self::SCHEME) {
            return oci::parse(rest).map(Self::Oci);
        }
        if let Some(parsed) = file::parse(text) {
            return parsed.map(Self::File);
        }
        match text.strip_prefix(Self::COLLECTION) {
            Some(name) => Self::built_in(name).ok_or_else(|| near_miss::not_built_in(text)),
            None => Err(near_miss::without_kind(text)),
        }
    }

    /// Parses a reference from the command line: like [`PluginRef::parse`], but a bare `NAME` is
    /// the built-in plugin `sidestep/NAME`.
    ///
    /// # Errors
    /// As [`PluginRef::parse`].
    pub fn parse_argument(text: &str) -> Result<Self, InvalidPluginRef> {
        Self::built_in(text).map_or_else(|| Self::parse(text), Ok)
    }

    /// Returns the built-in plugin of this name, given without the collection, or `None` if the
    /// name is not a valid one.
    pub fn built_in(name: &str) -> Option<Self> {
        is_name(name).then(|| Self::BuiltIn(BuiltInName(format!("{}{name}", Self::COLLECTION))))
    }

    /// Returns the canonical text. [`PluginRef::parse`] returns an equal value for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::BuiltIn(BuiltInName(text))
            | Self::File(PluginFile(text))
            | Self::Oci(OciReference(text)) => text,
        }
    }

    /// Returns whether the plugin is built into the runner.
    pub fn is_built_in(&self) -> bool {
        matches!(self, Self::BuiltIn(_))
    }
}

impl BuiltInName {
    /// Returns the name without its collection: `wi-verify`.
    pub fn name(&self) -> &str {
        self.0
            .strip_prefix(PluginRef::COLLECTION)
            .unwrap_or(&self.0)
    }

    /// Returns the whole name: `sidestep/wi-verify`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PluginFile {
    /// Returns the path as written: relative to the workspace, or absolute.
    pub fn path(&self) -> &str {
        &self.0
    }
}

impl OciReference {
    /// Returns the reference without its scheme: `REGISTRY/REPOSITORY:TAG@sha256:…`.
    pub fn reference(&self) -> &str {
        self.0.strip_prefix(PluginRef::SCHEME).unwrap_or(&self.0)
    }
}

/// Returns whether a text is a valid name of a built-in plugin: lower-case words joined by hyphens.
fn is_name(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.split('-').all(word)
}

impl Serialize for PluginRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Accepts only canonical texts, as written by [`Serialize`].
impl<'de> Deserialize<'de> for PluginRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let parsed = Self::parse(&text).map_err(|error| serde::de::Error::custom(error.message))?;
        if parsed.as_str() == text {
            Ok(parsed)
        } else {
            let message = format!(
                "`{}` is not in the form that plans store",
                invalid::shown(&text)
            );
            Err(serde::de::Error::custom(message))
        }
    }
}

impl JsonSchema for PluginRef {
    fn schema_name() -> Cow<'static, str> {
        "PluginRef".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A plugin: `sidestep/NAME` if it is built in, a path that begins with `./`, `../` or `/`, or `oci://REGISTRY/REPOSITORY:TAG@sha256:…`.",
            "type": "string",
        })
    }
}
