use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sidestep_events::PluginRef;

use crate::Capability;
use crate::call::Call;
use crate::grants::{Grants, yaml};
use crate::refusal::Refusal;
use crate::scope::Scope;

/// The permissions that one policy allows to one step: the union of the matching rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ceiling {
    /// The policy's file.
    pub file: String,
    /// The line of its `rules`.
    pub rules_line: u32,
    /// Whether the policy is in audit mode and only reports.
    #[serde(default)]
    pub audit: bool,
    /// The matching rules, in the file's order.
    pub rules: Vec<CeilingRule>,
    /// The plugin, if the policy lists plugins but not this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlisted: Option<Unlisted>,
}

/// A plugin that no rule of a policy lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unlisted {
    /// The plugin.
    pub plugin: PluginRef,
    /// `sha256:` of its bytes.
    pub digest: String,
    /// The line of the `plugins` that leave it out, otherwise of `rules`.
    pub line: u32,
}

/// A matching rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CeilingRule {
    /// The line of its `allow`.
    pub line: u32,
    /// The scopes that it allows.
    pub allow: Grants,
    /// The line of each scope, by grant key.
    pub lines: BTreeMap<String, Vec<u32>>,
}

impl Ceiling {
    /// Returns the scopes of the matching rules for a capability.
    pub(crate) fn scopes(&self, capability: Capability) -> impl Iterator<Item = &Scope> + Clone {
        self.rules
            .iter()
            .flat_map(move |rule| rule.allow.get(capability).unwrap_or_default())
    }

    /// Returns the refusal of the plugin itself, whatever it requests.
    pub(crate) fn refuses_plugin(&self) -> Option<Refusal> {
        let Unlisted {
            plugin,
            digest,
            line,
        } = self.unlisted.as_ref()?;
        Some(Refusal::unlisted(plugin, digest, &self.file, *line))
    }

    /// Returns the refusals of scopes that this policy does not cover.
    pub(crate) fn refuses(&self, capability: Capability, scopes: &[Scope]) -> Vec<Refusal> {
        if capability == Capability::Secrets {
            return Vec::new();
        }
        scopes
            .iter()
            .filter(|scope| !scope.is_covered_by(self.scopes(capability)))
            .map(|scope| {
                let line = self.nearest_line(capability, std::slice::from_ref(scope));
                let mut refusal = Refusal::policy(
                    capability,
                    &format!("the plugin wants to {}", scope.explain()),
                    &self.file,
                    line,
                );
                let allow =
                    yaml(capability, std::slice::from_ref(scope)).replacen("grants:", "allow:", 1);
                refusal
                    .help
                    .push(format!("the policy would need:\n{allow}"));
                refusal
            })
            .collect()
    }

    pub(crate) fn allows(&self, call: &dyn Call) -> Result<(), Refusal> {
        let capability = call.capability();
        if self.scopes(capability).any(|scope| scope.contains(call)) {
            return Ok(());
        }
        let line = self.nearest_line(capability, &[]);
        Err(Refusal::policy(
            capability,
            &format!("the step may not {}", call.describe()),
            &self.file,
            line,
        ))
    }

    /// Returns the line of the most similar scope, otherwise of the rule's `allow`, otherwise of
    /// `rules`.
    pub(crate) fn nearest_line(&self, capability: Capability, wanted: &[Scope]) -> u32 {
        let mut best: Option<(usize, u32)> = None;
        for rule in &self.rules {
            let scopes = rule.allow.get(capability).unwrap_or_default();
            let lines = rule.lines.get(capability.as_str());
            for (index, scope) in scopes.iter().enumerate() {
                let line = lines.and_then(|lines| lines.get(index)).copied();
                let score = wanted.iter().map(|w| scope.agreement(w)).sum();
                if best.is_none_or(|(most, _)| score > most) {
                    best = Some((score, line.unwrap_or(rule.line)));
                }
            }
        }
        best.map(|(_, line)| line)
            .or_else(|| self.rules.first().map(|rule| rule.line))
            .unwrap_or(self.rules_line)
    }
}
