use std::collections::BTreeMap;

use serde_json::Value;
use sidestep_contract::units::Quantity;

use crate::pattern::{Kind, Pattern};
use crate::quantity;

/// One key of a capability's scope.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    /// The key, as files write it.
    pub(crate) name: &'static str,
    /// The type of its values.
    pub(crate) holds: Holds,
    /// Its meaning in a grant or a request that leaves it out.
    pub(crate) absent: Absent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// One pattern or a list of them.
    Patterns(Kind),
    /// Words from a closed list, or `*`.
    Words(&'static [&'static str]),
    /// Maximum amounts by name.
    Amounts,
    /// Port numbers, or `*`.
    Ports,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    /// The key is required.
    Required,
    /// The key is not limited.
    Any,
    /// Nothing is allowed; in a policy, the key is not limited.
    Nothing,
    /// Nothing is allowed, in a policy too.
    Never,
    /// Only this value is allowed, in a policy too.
    Only(&'static str),
}

/// The author of a scope, which decides the meaning of a missing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// A plugin's request or a pipeline's grant.
    Grant,
    /// A policy's `allow`: a missing key is not limited.
    Ceiling,
}

/// The values that a key allows. A key that is not limited has no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Limit {
    Only(Vec<Pattern>),
    AtMost(BTreeMap<String, Quantity>),
}

/// An error in a scope, and its path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ScopeError {
    /// Keys and positions, from the capability's value down to the error.
    pub path: Vec<String>,
    /// The message.
    pub message: String,
    /// The fix.
    pub help: Option<String>,
}

impl ScopeError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn within(mut self, part: impl Into<String>) -> Self {
        self.path.insert(0, part.into());
        self
    }
}

impl Field {
    pub(crate) fn read(&self, value: &Value) -> Result<Limit, ScopeError> {
        match self.holds {
            Holds::Amounts => self.amounts(value),
            Holds::Ports => self.ports(value),
            Holds::Patterns(kind) => self.list(value, |text| {
                Pattern::parse(kind, text).map_err(ScopeError::new)
            }),
            Holds::Words(words) => self.list(value, |text| {
                if text != "*" && !words.contains(&text) {
                    let problem =
                        ScopeError::new(format!("`{text}` is not one of {}", words.join(", ")));
                    return Err(match nearest(text, words.iter().copied()) {
                        Some(word) => problem.help(format!("did you mean `{word}`?")),
                        None => problem,
                    });
                }
                Pattern::parse(Kind::Name, text).map_err(ScopeError::new)
            }),
        }
    }

    /// Returns whether the words include `*`.
    pub(crate) fn is_every(&self, limit: &Limit) -> bool {
        matches!((self.holds, limit), (Holds::Words(_), Limit::Only(all)) if all.iter().any(|p| p.as_str() == "*"))
    }

    fn list(
        &self,
        value: &Value,
        one: impl Fn(&str) -> Result<Pattern, ScopeError>,
    ) -> Result<Limit, ScopeError> {
        let wrong = || {
            ScopeError::new(format!(
                "`{}` must be a string or a list of strings",
                self.name
            ))
        };
        let patterns = match value {
            Value::String(text) => vec![one(text)?],
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    let text = item.as_str().ok_or_else(wrong);
                    text.and_then(&one).map_err(|e| e.within(index.to_string()))
                })
                .collect::<Result<_, _>>()?,
            _ => return Err(wrong()),
        };
        let mut once: Vec<Pattern> = Vec::new();
        for pattern in patterns {
            // A duplicate is kept once.
            if !once.contains(&pattern) {
                once.push(pattern);
            }
        }
        Ok(Limit::Only(once))
    }

    /// Reads ports. A file holds them as numbers, and each arrives here as its text.
    fn ports(&self, value: &Value) -> Result<Limit, ScopeError> {
        let text = |value: &Value| match value {
            Value::Number(number) => Value::String(number.to_string()),
            other => other.clone(),
        };
        let texts = match value {
            Value::Array(items) => items.iter().map(text).collect(),
            one => text(one),
        };
        self.list(&texts, |port| {
            let is_port = port
                .parse::<u16>()
                .is_ok_and(|number| number > 0 && number.to_string() == port);
            if port != "*" && !is_port {
                return Err(ScopeError::new(format!(
                    "`{}` is not a valid port",
                    port.escape_debug()
                ))
                .help("write a number from 1 to 65535, or `*` for every port"));
            }
            Pattern::parse(Kind::Name, port).map_err(ScopeError::new)
        })
    }

    fn amounts(&self, value: &Value) -> Result<Limit, ScopeError> {
        let wrong = || {
            ScopeError::new(format!(
                "`{}` must be a map of amounts: `{{ memory: 16Gi }}`",
                self.name
            ))
        };
        let map = value.as_object().ok_or_else(wrong)?;
        let amounts = map
            .iter()
            .map(|(name, amount)| {
                let amount =
                    quantity::amount(amount).ok_or_else(|| wrong().within(name.clone()))?;
                Ok((name.clone(), amount))
            })
            .collect::<Result<_, ScopeError>>()?;
        Ok(Limit::AtMost(amounts))
    }
}

impl Limit {
    pub(crate) fn nothing() -> Self {
        Self::Only(Vec::new())
    }

    /// Returns whether it allows only this value.
    pub(crate) fn is_only(&self, value: &str) -> bool {
        matches!(self, Self::Only(patterns) if matches!(patterns.as_slice(), [one] if one.as_str() == value))
    }

    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Only(patterns) => patterns.iter().map(|p| p.as_str().to_owned()).collect(),
            Self::AtMost(amounts) => amounts
                .iter()
                .map(|(name, amount)| (name.clone(), Value::String(amount.to_string())))
                .collect(),
        }
    }
}

/// Returns the known word that is most similar to a wrong one.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|word| {
            (
                strsim::damerau_levenshtein(&wrong.to_lowercase(), &word.to_lowercase()),
                word,
            )
        })
        .filter(|(distance, word)| *distance <= 1 + word.chars().count() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}
