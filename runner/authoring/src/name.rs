use std::fmt;

use sidestep_contract::{PLUGIN_NAME, is_plugin_name};

use crate::AuthoringError;

/// Names that a crate can't have (<https://doc.rust-lang.org/reference/keywords.html>), or that
/// would hide a crate of the compiler or the SDK.
const TAKEN: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "sidestep",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// A plugin's name, which is also the name of its crate and its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// If it is not the name of a plugin, or a crate can't have it.
    pub fn parse(text: &str) -> Result<Self, AuthoringError> {
        let wrong = |why: &str| {
            AuthoringError::usage(
                format!("`{text}` can't be the name of a plugin"),
                why.to_owned(),
            )
        };
        if !is_plugin_name(text) {
            return Err(wrong(PLUGIN_NAME));
        }
        if TAKEN.contains(&text) || crate::new::is_locked(text) {
            return Err(wrong(
                "the plugin is a Rust crate, and this name belongs to Rust or to a crate of the SDK: choose another one",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_crate_can_t_have_are_refused() {
        assert_eq!(
            Name::parse("count-lines").expect("a name").as_str(),
            "count-lines"
        );
        for wrong in ["Count", "../up", "fn", "sidestep", "serde", "sidestep-sdk"] {
            let AuthoringError::Wrong(found) = Name::parse(wrong).expect_err(wrong) else {
                panic!("{wrong}: not a mistake of the caller");
            };
            assert!(found[0].message.contains(wrong), "{found:?}");
        }
    }
}
