//! IAM policies: bindings of members to roles, some of them on a condition.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::PolicyJson;

/// The etag of a policy that was never set.
pub(crate) const UNSET_ETAG: &str = "ACAB";

/// A policy in its stored form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Policy {
    /// Changes with each write; empty if the policy was never written.
    pub etag: String,
    /// The roles and their members.
    pub bindings: Vec<Binding>,
    /// Audit configuration; stored unchanged and without effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit_configs: Option<Value>,
}

/// A role and its members.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Binding {
    /// The role's name.
    pub role: String,
    /// The members with the role.
    pub members: Vec<String>,
    /// The condition of the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
}

/// A condition in the Common Expression Language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Condition {
    /// The condition's short title.
    pub title: String,
    /// The condition's description.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The expression; the binding grants if it is true.
    pub expression: String,
}

impl Policy {
    /// Reads the well-formed parts of a policy; `check_policy` reports the
    /// others.
    pub fn from_json(json: &PolicyJson) -> Self {
        let bindings = json
            .get("bindings")
            .and_then(Value::as_array)
            .map(|all| {
                all.iter()
                    .filter_map(|b| serde_json::from_value(b.clone()).ok())
                    .collect()
            })
            .unwrap_or_default();
        Self {
            etag: json
                .get("etag")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            bindings,
            audit_configs: json.get("auditConfigs").filter(|v| !v.is_null()).cloned(),
        }
    }

    /// Returns the etag that readers see.
    pub fn shown_etag(&self) -> &str {
        if self.etag.is_empty() {
            UNSET_ETAG
        } else {
            &self.etag
        }
    }

    /// Returns whether any binding has a condition.
    pub fn is_conditional(&self) -> bool {
        self.bindings.iter().any(|b| b.condition.is_some())
    }

    /// Returns the policy in the APIs' form: version 3 if it has conditions, else 1.
    pub fn to_json(&self) -> PolicyJson {
        let mut out = Map::new();
        out.insert(
            "version".into(),
            json!(if self.is_conditional() { 3 } else { 1 }),
        );
        out.insert("etag".into(), json!(self.shown_etag()));
        if !self.bindings.is_empty() {
            out.insert("bindings".into(), json!(self.bindings));
        }
        if let Some(audit) = &self.audit_configs {
            out.insert("auditConfigs".into(), audit.clone());
        }
        Value::Object(out)
    }

    /// Merges bindings with the same role and condition, and drops empty bindings and repeated
    /// members, as IAM does when a policy is set.
    pub fn normalise(&mut self) {
        let mut joined: Vec<Binding> = Vec::new();
        for binding in std::mem::take(&mut self.bindings) {
            let same = joined
                .iter_mut()
                .find(|b| b.role == binding.role && b.condition == binding.condition);
            if let Some(existing) = same {
                existing.members.extend(binding.members);
            } else {
                joined.push(binding);
            }
        }
        for binding in &mut joined {
            let mut seen = std::collections::BTreeSet::new();
            binding.members.retain(|m| seen.insert(m.clone()));
        }
        joined.retain(|b| !b.members.is_empty());
        self.bindings = joined;
    }
}
