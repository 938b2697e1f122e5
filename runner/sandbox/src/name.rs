//! The name of a sandbox.

use std::fmt;

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
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_@:".contains(&byte);
        let encode = |byte: u8| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        };
        self.to_string().bytes().map(encode).collect()
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
            assert_eq!(Name::read(text).component(), component);
        }
    }
}
