//! The name of a sandbox.

use std::fmt;
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The characters of a name that are encoded in a component of a path.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'@')
    .remove(b':');

/// The name of a sandbox: its scenario, and the kubeconfig context of the user's cluster if it does
/// not use its own, as in `healthy` and `healthy@kind-kind`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The scenario.
    pub scenario: String,
    /// The context of the user's cluster.
    pub context: Option<String>,
}

impl Name {
    /// Reads a name. A context may contain any character.
    pub fn read(text: &str) -> Self {
        match text.split_once('@') {
            Some((scenario, context)) if !context.is_empty() => Self {
                scenario: scenario.to_owned(),
                context: Some(context.to_owned()),
            },
            _ => Self {
                scenario: text.to_owned(),
                context: None,
            },
        }
    }

    /// Returns the name as a single component of a path.
    pub(crate) fn component(&self) -> String {
        utf8_percent_encode(&self.to_string(), ENCODED).to_string()
    }

    /// Returns the name of a sandbox by its folder.
    pub fn of_folder(folder: &Path) -> Self {
        let component = folder.file_name().unwrap_or_default().to_string_lossy();
        Self::read(&percent_decode_str(&component).decode_utf8_lossy())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scenario)?;
        match &self.context {
            Some(context) => write!(f, "@{context}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for (text, scenario, context) in [
            ("healthy", "healthy", None),
            ("healthy@kind-kind", "healthy", Some("kind-kind")),
            (
                "no-binding@kubernetes-admin@kubernetes",
                "no-binding",
                Some("kubernetes-admin@kubernetes"),
            ),
        ] {
            let name = Name::read(text);
            assert_eq!(name.scenario, scenario);
            assert_eq!(name.context.as_deref(), context);
            assert_eq!(name.to_string(), text);
        }
        assert_eq!(Name::read("healthy@").context, None);
    }

    #[test]
    fn names_are_different_components_of_a_path() {
        for (text, component) in [
            ("healthy", "healthy"),
            ("healthy@kind-kind", "healthy@kind-kind"),
            ("healthy@../x", "healthy@%2E%2E%2Fx"),
            ("healthy@%2F", "healthy@%252F"),
            ("..", "%2E%2E"),
        ] {
            let name = Name::read(text);
            assert_eq!(name.component(), component);
            assert_eq!(Name::of_folder(&Path::new("/state").join(component)), name);
        }
    }
}
