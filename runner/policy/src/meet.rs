//! The meeting of what a plugin requests, what its step is granted, and what policies allow.

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

/// What a plugin asks for under one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    /// Scopes that are known when the plan is made.
    Now(Vec<Scope>),
    /// Scopes that depend on values which only the run brings; the text says on which.
    Later(String),
}

/// What the pipeline grants to a step.
#[derive(Debug, Clone, Copy)]
pub struct Granted<'a> {
    /// What it writes.
    pub written: &'a Grants,
    /// Whether the plugin is built in, so that it is granted what it requests under every key that
    /// is not written.
    pub automatic: bool,
}

/// Brings the three together. Every request that is known has to be covered by the grants, every
/// grant that is written and every request by each policy, and each policy that lists plugins has
/// to list this one; otherwise all refusals come back.
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
            // Which secrets a step gets is its own `secrets`; without it there are none.
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
