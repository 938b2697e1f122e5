//! Deny policies (IAM v2): they take away what allow policies grant.
//!
//! <https://cloud.google.com/iam/docs/deny-overview>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sidestep_contract::google::deny;

use crate::identity::Identity;
use crate::member::Principal;
use crate::policy::Condition;
use crate::state::State;
use crate::{Caller, Resource, StaleEtag};

/// A deny policy in its stored form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DenyPolicy {
    /// The policy's display name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// Changes with each write.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub etag: String,
    /// The policy's annotations; stored unchanged and without effect.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The rules; each applies by itself.
    pub rules: Vec<Rule>,
}

/// A rule with its description.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Rule {
    /// The rule's description.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The rule itself.
    pub deny_rule: DenyRule,
}

/// The principals and permissions that a rule denies.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DenyRule {
    /// The denied principals.
    pub denied_principals: Vec<String>,
    /// The excepted principals.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exception_principals: Vec<String>,
    /// The denied permissions.
    pub denied_permissions: Vec<String>,
    /// The excepted permissions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exception_permissions: Vec<String>,
    /// The condition of the rule; it applies only if this is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denial_condition: Option<Condition>,
}

impl DenyRule {
    /// Returns whether the rule, without its condition, denies a permission to a principal.
    fn denies(&self, state: &State, principal: &Principal, permission: &str) -> bool {
        let named = |all: &[String]| all.iter().any(|one| is_named(state, one, principal));
        let covered = |all: &[String]| all.iter().any(|one| deny::covers(one, permission));
        covered(&self.denied_permissions)
            && named(&self.denied_principals)
            && !covered(&self.exception_permissions)
            && !named(&self.exception_principals)
    }
}

/// Returns whether a principal of a deny policy names the caller's.
fn is_named(state: &State, name: &str, principal: &Principal) -> bool {
    if let Some(member) = deny::member(name) {
        return principal.is_named_by(&member);
    }
    // All service accounts of a project; the sets of folders and organisations are not served.
    let of_project = || {
        let path =
            name.strip_prefix("principalSet://cloudresourcemanager.googleapis.com/projects/")?;
        let number = path.strip_suffix("/type/ServiceAccount")?;
        let Principal::ServiceAccount(email) = principal else {
            return None;
        };
        let project = &state.live_account(email)?.project;
        Some(state.projects.get(project)?.number == number)
    };
    of_project().unwrap_or(false)
}

impl State {
    /// Returns whether a deny policy denies the permission. `Err` has the conditions of which one
    /// has to be true.
    pub(crate) fn denied(
        &self,
        caller: &Caller,
        permission: &str,
        resource: &Resource,
    ) -> Result<bool, Vec<String>> {
        let Some(permission) = deny::permission(permission) else {
            return Ok(false);
        };
        let principal = Principal::of(caller, self);
        let levels = self.levels(resource);
        let policies = levels
            .iter()
            .filter_map(|level| self.deny_policies.get(&level.name()));
        let rules = policies
            .flat_map(BTreeMap::values)
            .flat_map(|policy| &policy.rules)
            .map(|rule| &rule.deny_rule)
            .filter(|rule| rule.denies(self, &principal, &permission));
        let mut conditions = Vec::new();
        for rule in rules {
            match &rule.denial_condition {
                None => return Ok(true),
                Some(condition) => conditions.push(condition.expression.clone()),
            }
        }
        if conditions.is_empty() {
            Ok(false)
        } else {
            Err(conditions)
        }
    }
}

impl Identity {
    /// Returns the deny policies of a resource by id.
    pub fn deny_policies(&self, resource: &Resource) -> Vec<(String, DenyPolicy)> {
        self.read(|state| {
            let found = state.deny_policies.get(&resource.name());
            found
                .into_iter()
                .flatten()
                .map(|(id, policy)| (id.clone(), policy.clone()))
                .collect()
        })
    }

    /// Stores a deny policy; `Err` if its etag is stale.
    pub fn put_deny_policy(
        &self,
        resource: &Resource,
        id: &str,
        mut policy: DenyPolicy,
    ) -> Result<DenyPolicy, StaleEtag> {
        self.write(|state| {
            let etag = state.next_etag();
            let all = state.deny_policies.entry(resource.name()).or_default();
            let current = all.get(id).map_or("", |policy| policy.etag.as_str());
            if !policy.etag.is_empty() && policy.etag != current {
                return Err(StaleEtag);
            }
            policy.etag = etag;
            all.insert(id.to_owned(), policy.clone());
            Ok(policy)
        })
    }

    /// Deletes a deny policy, and returns it.
    pub fn delete_deny_policy(&self, resource: &Resource, id: &str) -> Option<DenyPolicy> {
        self.write(|state| state.deny_policies.get_mut(&resource.name())?.remove(id))
    }

    /// Returns the names of what is above a project or a folder, the nearest first.
    pub fn ancestors(&self, resource: &Resource) -> Vec<Resource> {
        self.read(|state| state.levels(resource).into_iter().skip(1).collect())
    }

    /// Returns the display name of a folder or an organisation.
    pub fn folder(&self, resource: &Resource) -> Option<String> {
        self.read(|state| state.folders.get(&resource.name()).cloned())
    }
}
