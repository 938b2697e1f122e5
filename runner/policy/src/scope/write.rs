//! Writing a scope in the format of files.

use serde_json::{Map, Value};
use sidestep_events::show;

use super::Scope;
use crate::capability::Scoped;
use crate::field::{Absent, Holds, Limit};

impl Scope {
    /// Returns the scope in the format of files. Read as a ceiling, it gives the same scope.
    pub fn to_json(&self) -> Value {
        let map: Map<String, Value> = self
            .capability
            .fields()
            .iter()
            .filter_map(|field| {
                let limit = self.limits.get(field.name)?;
                Some((field.name.to_owned(), limit.to_json()))
            })
            .collect();
        Value::Object(map)
    }

    /// Returns the scope as YAML on one line, in the format of a grant.
    pub fn to_yaml(&self) -> String {
        let entries: Vec<String> = self
            .capability
            .fields()
            .iter()
            .filter_map(|field| {
                let limit = self.limits.get(field.name)?;
                if let Absent::Only(value) = field.absent
                    && limit.is_only(value)
                {
                    return None;
                }
                let text = match limit {
                    Limit::Only(patterns) if patterns.is_empty() && field.absent != Absent::Any => {
                        return None;
                    }
                    Limit::Only(patterns) => {
                        let texts: Vec<String> = patterns
                            .iter()
                            .map(|pattern| match field.holds {
                                Holds::Ports if pattern.is_exact() => pattern.to_string(),
                                _ => quote(pattern.as_str()),
                            })
                            .collect();
                        match (texts.as_slice(), field.holds) {
                            ([one], Holds::Patterns(_))
                                if !field.name.ends_with('s') && field.name != "read" =>
                            {
                                one.clone()
                            }
                            _ => format!("[{}]", texts.join(", ")),
                        }
                    }
                    Limit::AtMost(amounts) => {
                        let texts: Vec<String> =
                            amounts.iter().map(|(n, a)| format!("{n}: {a}")).collect();
                        format!("{{ {} }}", texts.join(", "))
                    }
                };
                Some(format!("{}: {text}", field.name))
            })
            .collect();
        format!("{{ {} }}", entries.join(", "))
    }
}

/// Returns a text as a YAML flow scalar.
pub(crate) fn quote(text: &str) -> String {
    let plain = !text.is_empty()
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/._-@".contains(c))
        && !matches!(
            text.to_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if plain {
        text.to_owned()
    } else {
        show::json(text).unwrap_or_default()
    }
}
