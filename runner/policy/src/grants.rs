use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::Capability;
use crate::call::Call;
use crate::field::{Reading, ScopeError, nearest};
use crate::scope::Scope;

/// Scopes by grant key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants(BTreeMap<Capability, Vec<Scope>>);

impl Grants {
    /// Reads a map of grant keys. Returns all errors, each with its path.
    pub fn parse(value: &Value, reading: Reading) -> Result<Self, Vec<ScopeError>> {
        let Some(map) = value.as_object() else {
            return Err(vec![ScopeError::new(
                "grants must be a map: `storage: [{ bucket: … }]`",
            )]);
        };
        let mut grants = Self::default();
        let mut problems = Vec::new();
        for (key, value) in map {
            let Some(capability) = Capability::from_name(key) else {
                let names = Capability::ALL.iter().map(|c| c.as_str());
                let all: Vec<&str> = names.clone().collect();
                let problem = ScopeError::new(format!("`{key}` is not a capability"));
                let problem = match nearest(key, names) {
                    Some(known) => problem.help(format!("did you mean `{known}`?")),
                    None => problem.help(format!("the capabilities are {}", all.join(", "))),
                };
                problems.push(problem.within(key.clone()));
                continue;
            };
            match scopes(capability, value, reading) {
                Ok(scopes) => {
                    grants.0.insert(capability, scopes);
                }
                Err(all) => problems.extend(all.into_iter().map(|p| p.within(key.clone()))),
            }
        }
        if problems.is_empty() {
            Ok(grants)
        } else {
            Err(problems)
        }
    }

    /// Returns the scopes of a capability, or `None` if it is not named.
    pub fn get(&self, capability: Capability) -> Option<&[Scope]> {
        self.0.get(&capability).map(Vec::as_slice)
    }

    /// Sets a capability's scopes.
    pub fn insert(&mut self, capability: Capability, scopes: Vec<Scope>) {
        self.0.insert(capability, scopes);
    }

    /// Returns all named capabilities with their scopes.
    pub fn iter(&self) -> impl Iterator<Item = (Capability, &[Scope])> {
        self.0.iter().map(|(key, scopes)| (*key, scopes.as_slice()))
    }

    /// Returns whether no capability is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether a scope allows the call.
    pub fn contains(&self, call: &dyn Call) -> bool {
        self.get(call.capability())
            .is_some_and(|scopes| scopes.iter().any(|scope| scope.contains(call)))
    }
}

/// Reads a capability's scopes: a list, or a single scope.
pub fn scopes(
    capability: Capability,
    value: &Value,
    reading: Reading,
) -> Result<Vec<Scope>, Vec<ScopeError>> {
    let Value::Array(items) = value else {
        return Scope::parse(capability, value, reading).map(|scope| vec![scope]);
    };
    let mut scopes = Vec::new();
    let mut problems = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match Scope::parse(capability, item, reading) {
            Ok(scope) => scopes.push(scope),
            Err(all) => problems.extend(all.into_iter().map(|p| p.within(index.to_string()))),
        }
    }
    if problems.is_empty() {
        Ok(scopes)
    } else {
        Err(problems)
    }
}

/// Returns the YAML that grants the scopes.
pub fn yaml(capability: Capability, scopes: &[Scope]) -> String {
    let scopes: Vec<String> = scopes.iter().map(Scope::to_yaml).collect();
    format!("grants:\n  {capability}: [{}]", scopes.join(", "))
}

/// Returns scopes as JSON; read as ceilings, it gives the same scopes.
pub(crate) fn to_json(scopes: &[Scope]) -> Value {
    scopes.iter().map(Scope::to_json).collect()
}

impl Serialize for Grants {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.0
                .iter()
                .map(|(key, scopes)| (key.as_str(), to_json(scopes))),
        )
    }
}

impl<'de> Deserialize<'de> for Grants {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::parse(&value, Reading::Ceiling).map_err(|problems| {
            let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
            serde::de::Error::custom(texts.join("; "))
        })
    }
}
