//! The only implementation of [`Access`]: watched state and a clock.

use std::sync::Arc;

use sidestep_evaluator::{Evaluator, Truth};
use sidestep_sandbox_base::Watched;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::member::Principal;
use crate::policy::Policy;
use crate::state::State;
use crate::{Access, Caller, InvalidToken, PolicyJson, Resource, StaleEtag, condition, role};

/// The sandbox's principals, tokens, roles and policies.
///
/// Cheap to clone; clones share one state.
#[derive(Debug, Clone)]
pub struct Identity {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Watched<State>,
    clock: Clock,
    /// Decides the conditions of bindings.
    evaluator: Arc<dyn Evaluator>,
}

impl Identity {
    /// Creates an identity from a seeded or loaded state. The evaluator is asked only about
    /// conditions of bindings that would grant otherwise.
    pub fn new(state: State, clock: Clock, evaluator: Arc<dyn Evaluator>) -> Self {
        let shared = Shared {
            state: Watched::new(state),
            clock,
            evaluator,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Returns the current state, to be persisted.
    pub fn snapshot(&self) -> State {
        self.read(State::clone)
    }

    /// Returns a receiver of the number of changes; persist after each one.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.state.changes()
    }

    /// Returns the clock.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Returns the evaluator, which also decides the conditions of identity providers.
    pub fn evaluator(&self) -> &dyn Evaluator {
        &*self.shared.evaluator
    }

    /// Reads the state.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        self.shared.state.read(look)
    }

    /// Changes the state and counts the change.
    pub(crate) fn write<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.shared.state.write(change)
    }

    /// Returns the permissions that the caller has on the resource, of those in `asked`.
    pub fn allowed(&self, caller: &Caller, asked: &[String], resource: &Resource) -> Vec<String> {
        asked
            .iter()
            .filter(|p| self.allows(caller, p, resource))
            .cloned()
            .collect()
    }
}

/// A permission that policies grant, or do not.
enum Grant {
    /// The permission, without a condition.
    Whole,
    /// The permission, if one of these conditions holds; none if no binding grants it.
    If(Vec<String>),
}

impl Identity {
    /// Returns what the policies of the resource and of what is above it grant the caller.
    fn grant(&self, caller: &Caller, permission: &str, resource: &Resource) -> Grant {
        self.read(|state| {
            let principal = Principal::of(caller, state);
            let levels = state.levels(resource);
            let mut conditions = Vec::new();
            let bindings = levels
                .iter()
                .filter_map(|level| state.policies.get(&state.policy_key(level)))
                .flat_map(|policy| &policy.bindings)
                .filter(|binding| {
                    state.role_holds(&binding.role, permission)
                        && binding.members.iter().any(|m| state.names(m, &principal))
                });
            for binding in bindings {
                match &binding.condition {
                    None => return Grant::Whole,
                    Some(condition) => conditions.push(condition.expression.clone()),
                }
            }
            Grant::If(conditions)
        })
    }
}

impl Access for Identity {
    fn caller(&self, bearer: Option<&str>) -> Result<Caller, InvalidToken> {
        match bearer {
            None => Ok(Caller::Anonymous),
            Some(token) => self.judge(token.trim()),
        }
    }

    fn allows(&self, caller: &Caller, permission: &str, resource: &Resource) -> bool {
        // Without the state's lock: a condition of a stranger may take as long as its budget.
        let (now, evaluator) = (self.shared.clock.now(), &*self.shared.evaluator);
        // As IAM does: an undecided condition neither grants nor denies.
        let holds = |condition: &String| {
            condition::decide(evaluator, condition, now, resource) == Truth::True
        };
        let granted = match self.grant(caller, permission, resource) {
            Grant::Whole => true,
            Grant::If(conditions) => conditions.iter().any(holds),
        };
        granted
            && match self.read(|state| state.denied(caller, permission, resource)) {
                Ok(denied) => !denied,
                Err(conditions) => !conditions.iter().any(holds),
            }
    }

    fn policy(&self, resource: &Resource) -> PolicyJson {
        self.read(|state| {
            state
                .policies
                .get(&state.policy_key(resource))
                .cloned()
                .unwrap_or_default()
                .to_json()
        })
    }

    fn set_policy(&self, resource: &Resource, policy: PolicyJson) -> Result<PolicyJson, StaleEtag> {
        let mut policy = Policy::from_json(&policy);
        policy.normalise();
        self.write(|state| {
            let key = state.policy_key(resource);
            let current = state.policies.get(&key).map_or("", |p| p.etag.as_str());
            let current = if current.is_empty() {
                crate::policy::UNSET_ETAG
            } else {
                current
            };
            // Without an etag the write is unconditional, which IAM allows.
            if !policy.etag.is_empty() && policy.etag != current {
                return Err(StaleEtag);
            }
            policy.etag = state.next_etag();
            let shown = policy.to_json();
            state.policies.insert(key, policy);
            Ok(shown)
        })
    }

    fn check_policy(&self, resource: &Resource, policy: &PolicyJson) -> Result<(), String> {
        self.read(|state| state.check_policy(resource, policy))?;
        self.write(|state| state.check_newcomers(policy))
    }

    fn bucket_created(&self, bucket: &str, project: &str) {
        self.write(|state| {
            state
                .bucket_projects
                .insert(bucket.to_owned(), project.to_owned())
        });
    }

    fn bucket_deleted(&self, bucket: &str) {
        self.write(|state| {
            state.bucket_projects.remove(bucket);
            state
                .policies
                .remove(&Resource::Bucket(bucket.to_owned()).full_name());
        });
    }
}

impl State {
    pub(crate) fn role_holds(&self, name: &str, permission: &str) -> bool {
        role::predefined()
            .get(name)
            .or_else(|| self.custom_roles.get(name).filter(|r| !r.deleted))
            .is_some_and(|r| r.permissions.contains(permission))
    }

    /// Returns whether the member names the principal. `projectOwner:P` and the like name
    /// principals with that basic role on the project, without a condition.
    fn names(&self, member: &str, principal: &Principal) -> bool {
        let role = match member.split_once(':') {
            Some(("projectOwner", project)) => Some(("roles/owner", project)),
            Some(("projectEditor", project)) => Some(("roles/editor", project)),
            Some(("projectViewer", project)) => Some(("roles/viewer", project)),
            _ => None,
        };
        let Some((role, project)) = role else {
            return principal.is_named_by(member);
        };
        self.policies
            .get(&Resource::Project(project.to_owned()).full_name())
            .is_some_and(|policy| {
                policy
                    .bindings
                    .iter()
                    .filter(|b| b.role == role && b.condition.is_none())
                    .any(|b| b.members.iter().any(|m| principal.is_named_by(m)))
            })
    }
}

#[cfg(test)]
mod tests;
