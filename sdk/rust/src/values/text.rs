//! Values that are text in JSON.

use std::fmt;

use sidestep_contract::units::Misfit;

/// The error for a text that is not a valid value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseValueError {
    /// The expected kind of value.
    pub expected: &'static str,
    /// The text that was found.
    pub found: String,
    /// The correct spelling of a near miss.
    pub spelling: Option<String>,
}

impl ParseValueError {
    pub(super) fn new(expected: &'static str, found: &str) -> Self {
        Self {
            expected,
            found: found.to_owned(),
            spelling: None,
        }
    }

    /// Returns the error for a misfit, with the correct spelling of a near miss.
    pub(super) fn misfit(expected: &'static str, misfit: &Misfit, found: &str) -> Self {
        Self {
            spelling: misfit.spelling(),
            ..Self::new(expected, found)
        }
    }
}

impl fmt::Display for ParseValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {:?}", self.expected, self.found)?;
        match &self.spelling {
            Some(spelling) => write!(f, "; write {spelling}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ParseValueError {}

/// Implements serde and JSON Schema for a type that has `FromStr` and `Display`.
macro_rules! text_value {
    ($type:ident, $kind:literal, $pattern:expr) => {
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                <String as ::serde::Deserialize>::deserialize(deserializer)?
                    .parse()
                    .map_err(::serde::de::Error::custom)
            }
        }

        impl ::schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                let mut schema = ::schemars::json_schema!({ "type": "string" });
                let pattern: Option<&str> = $pattern;
                if let Some(pattern) = pattern {
                    schema.insert("pattern".to_owned(), pattern.into());
                }
                schema.insert("x-sidestep".to_owned(), $kind.into());
                schema
            }
        }
    };
}

pub(super) use text_value;
