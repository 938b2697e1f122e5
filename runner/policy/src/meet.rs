//! The intersection of a plugin's requests, its step's grants, and the policies.

use std::collections::BTreeMap;

use sidestep_events::GrantSource;

use crate::Capability;
use crate::ceiling::Ceiling;
use crate::grants::Grants;
use crate::refusal::Refusal;
use crate::scope::Scope;
use crate::step_grant::StepGrant;
use crate::step_scopes::StepScopes;
use crate::uncovered::{later, uncovered};

/// A plugin's request for one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    /// Scopes that are known at planning time.
    Now(Vec<Scope>),
    /// Scopes that depend on values that only the run provides; the text names the values.
    Later(String),
}

/// The grants of a step.
#[derive(Debug, Clone, Copy)]
pub struct Granted<'a> {
    /// The grants that the pipeline writes.
    pub written: &'a Grants,
    /// Whether the plugin is built in, and therefore granted its requests for every key that is not
    /// written.
    pub automatic: bool,
}

/// Computes the intersection of the three. The grants must cover every known request. Each policy
/// must cover every written grant and every request, and a policy that lists plugins must list this
/// one. Otherwise returns all refusals.
pub fn meet(
    requested: &BTreeMap<Capability, Requested>,
    granted: Granted<'_>,
    ceilings: &[Ceiling],
) -> Result<StepScopes, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let mut step = StepScopes::default();
    for (capability, request) in requested {
        let capability = *capability;
        let written = granted.written.get(capability);
        let (source, scopes, request) = match (written, request) {
            (Some(written), Requested::Now(scopes)) => {
                refusals.extend(uncovered(capability, scopes, written));
                (
                    GrantSource::Pipeline,
                    written.to_vec(),
                    Some(scopes.clone()),
                )
            }
            (Some(written), Requested::Later(_)) => (GrantSource::Pipeline, written.to_vec(), None),
            (None, Requested::Now(scopes)) if granted.automatic || scopes.is_empty() => {
                (GrantSource::BuiltIn, scopes.clone(), Some(scopes.clone()))
            }
            // A step's secrets come from its `secrets`; without that key it gets none.
            (None, _) if capability == Capability::Secrets => {
                (GrantSource::Pipeline, Vec::new(), None)
            }
            (None, Requested::Now(scopes)) => {
                refusals.extend(uncovered(capability, scopes, &[]));
                continue;
            }
            (None, Requested::Later(on)) => {
                refusals.push(later(capability, on, granted.automatic));
                continue;
            }
        };
        let grant = StepGrant {
            capability,
            source,
            granted: scopes,
            requested: request,
            links: Vec::new(),
        };
        step.grants.insert(capability.as_str().to_owned(), grant);
    }
    match step.capped(ceilings) {
        Ok(step) if refusals.is_empty() => Ok(step),
        Ok(_) => Err(refusals),
        Err(more) => {
            refusals.extend(more);
            Err(refusals)
        }
    }
}
