//! The permissions of a step, and the check of its calls.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Capability;
use crate::call::Call;
use crate::ceiling::Ceiling;
use crate::refusal::Refusal;
use crate::scope::Scope;
use crate::step_grant::StepGrant;
use crate::uncovered::uncovered;
use crate::workspace::Link;

/// The permissions of a step: the intersection of its plugin's requests, its pipeline's grants and
/// every policy. A call must be within all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepScopes {
    /// The grants, by the capability's name.
    pub(crate) grants: BTreeMap<String, StepGrant>,
    /// The ceilings of the policies.
    pub(crate) ceilings: Vec<Ceiling>,
    /// The refusals of policies in audit mode.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) audited: Vec<String>,
}

impl StepScopes {
    /// Returns the grants of all capabilities.
    pub fn grants(&self) -> impl Iterator<Item = &StepGrant> {
        self.grants.values()
    }

    /// Returns the grant of a capability.
    pub fn get(&self, capability: Capability) -> Option<&StepGrant> {
        self.grants.get(capability.as_str())
    }

    /// Records the links that were followed for the workspace's scopes.
    #[must_use]
    pub fn with_links(mut self, links: Vec<Link>) -> Self {
        let key = Capability::Workspace.as_str();
        if let Some(grant) = self.grants.get_mut(key) {
            grant.links = links;
        }
        self
    }

    /// Returns the target of a path of the workspace at planning time, if a link changed it.
    pub fn leads(&self, path: &str) -> Option<String> {
        let grant = self.get(Capability::Workspace)?;
        grant.links.iter().find_map(|link| link.leads(path))
    }

    /// Returns the refusals of policies in audit mode, one line each.
    pub fn audited(&self) -> &[String] {
        &self.audited
    }

    /// Caps the grants by these policies. A policy that capped the step before stays unless it is
    /// passed again, so that no ceiling is lost.
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
                // A written grant is judged as a whole, so that a forbidden permission never looks
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

    /// Fills in requests that were not known before. Refuses a request that the grants or a policy
    /// do not cover.
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

    /// Checks that the step may make the call: it is requested, granted and allowed.
    ///
    /// # Errors
    /// Returns the refusal for the plugin and the user.
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

    /// Checks that the step has any grant for the capability; `call` describes the purpose in
    /// words.
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
