//! What a step may do, and whether a call lies within.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Capability;
use crate::ceiling::Ceiling;
use crate::refusal::Refusal;
use crate::scope::{Call, Scope};
use crate::step_grant::StepGrant;
use crate::uncovered::uncovered;
use crate::workspace::Link;

/// What a step may do: the meeting of what its plugin requests, its pipeline grants and every
/// policy allows. A call has to lie within all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepScopes {
    /// What is granted, by the capability's name.
    pub(crate) grants: BTreeMap<String, StepGrant>,
    /// What policies allow.
    pub(crate) ceilings: Vec<Ceiling>,
    /// What a policy in audit mode would have refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) audited: Vec<String>,
}

impl StepScopes {
    /// What is granted, by capability.
    pub fn grants(&self) -> impl Iterator<Item = &StepGrant> {
        self.grants.values()
    }

    /// The grant of a capability.
    pub fn get(&self, capability: Capability) -> Option<&StepGrant> {
        self.grants.get(capability.as_str())
    }

    /// Notes the links that were followed when the workspace's scopes were worked out.
    #[must_use]
    pub fn with_links(mut self, links: Vec<Link>) -> Self {
        let key = Capability::Workspace.as_str();
        if let Some(grant) = self.grants.get_mut(key) {
            grant.links = links;
        }
        self
    }

    /// Returns where a path of the workspace led when the plan was made, if through a link.
    pub fn leads(&self, path: &str) -> Option<String> {
        let grant = self.get(Capability::Workspace)?;
        grant.links.iter().find_map(|link| link.leads(path))
    }

    /// What policies in audit mode would have refused, one line each.
    pub fn audited(&self) -> &[String] {
        &self.audited
    }

    /// Caps what is granted by these policies. A policy that the step was capped by before stays
    /// unless it is given anew, so that no ceiling is lost.
    ///
    /// # Errors
    /// Returns all refusals: of the plugin itself, and of grants that a policy does not cover.
    pub fn capped(mut self, ceilings: &[Ceiling]) -> Result<Self, Vec<Refusal>> {
        self.ceilings
            .retain(|known| ceilings.iter().all(|new| new.file != known.file));
        self.ceilings.extend_from_slice(ceilings);
        self.audited.clear();
        let mut refusals = Vec::new();
        for ceiling in &self.ceilings {
            let refused = match ceiling.refuses_plugin() {
                Some(refusal) => vec![refusal],
                // A written grant is judged whole, so that what a policy forbids never looks
                // granted.
                None => self
                    .grants
                    .values()
                    .flat_map(|grant| ceiling.refuses(grant.capability, &grant.granted))
                    .collect(),
            };
            if ceiling.audit {
                self.audited.extend(refused.into_iter().map(|r| r.message));
            } else {
                refusals.extend(refused);
            }
        }
        if refusals.is_empty() {
            Ok(self)
        } else {
            Err(refusals)
        }
    }

    /// Fills in requests that were known only later. A request that the grants or a policy don't
    /// cover is refused.
    pub fn fill(&self, requested: &BTreeMap<Capability, Vec<Scope>>) -> Result<Self, Vec<Refusal>> {
        let mut filled = self.clone();
        let mut refusals = Vec::new();
        for (capability, scopes) in requested {
            let Some(grant) = filled.grants.get_mut(capability.as_str()) else {
                refusals.extend(uncovered(*capability, scopes, &[]));
                continue;
            };
            refusals.extend(uncovered(*capability, scopes, &grant.granted));
            grant.requested = Some(scopes.clone());
        }
        if refusals.is_empty() {
            Ok(filled)
        } else {
            Err(refusals)
        }
    }

    /// Whether the step may make the call: within what is requested, granted and allowed.
    ///
    /// # Errors
    /// The refusal that the plugin and the user get.
    pub fn allows(&self, call: &dyn Call) -> Result<(), Refusal> {
        let capability = call.capability();
        let within = |scopes: &[Scope]| scopes.iter().any(|scope| scope.contains(call));
        let is_granted = self.get(capability).is_some_and(|grant| {
            within(&grant.granted) && grant.requested.as_deref().is_none_or(within)
        });
        if !is_granted {
            return Err(self.refusal(capability, &call.describe()));
        }
        for ceiling in self.ceilings.iter().filter(|ceiling| !ceiling.audit) {
            ceiling.allows(call)?;
        }
        Ok(())
    }

    /// Whether the step is granted anything at all under the key; `call` says in words what for.
    ///
    /// # Errors
    /// As [`allows`](Self::allows).
    pub fn allows_any(&self, capability: Capability, call: &str) -> Result<(), Refusal> {
        if self.scopes(capability).is_empty() {
            return Err(self.refusal(capability, call));
        }
        Ok(())
    }

    fn refusal(&self, capability: Capability, call: &str) -> Refusal {
        Refusal::call(capability, call, self.scopes(capability))
    }

    fn scopes(&self, capability: Capability) -> &[Scope] {
        self.get(capability).map_or(&[], StepGrant::scopes)
    }
}
