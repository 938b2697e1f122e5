//! IAM's checks of a policy before it is stored.

use serde_json::Value;

use crate::policy::{Binding, Policy};
use crate::state::State;
use crate::{PolicyJson, Resource, member, role};

/// The maximum number of members in all bindings of a policy. A member counts once for each binding.
/// <https://cloud.google.com/iam/quotas#limits>
const MOST_MEMBERS: usize = 1500;

/// Writes a number as Google's messages do, `1,500`.
fn grouped(number: usize) -> String {
    match (number / 1000, number % 1000) {
        (0, rest) => rest.to_string(),
        (thousands, rest) => format!("{},{rest:03}", grouped(thousands)),
    }
}

impl State {
    /// Checks a policy before it is set; the error is Google's message for a 400. Parts that the
    /// resource's current policy already has are accepted, so that a broken policy can be repaired.
    pub(crate) fn check_policy(
        &self,
        resource: &Resource,
        policy: &PolicyJson,
    ) -> Result<(), String> {
        let current = self.policies.get(&self.policy_key(resource));
        let current = current.map_or(&[][..], |p| &p.bindings);
        let known_role = |role: &str| current.iter().any(|b| b.role == role);
        let known_member = |member: &String| current.iter().any(|b| b.members.contains(member));
        let bindings = match policy.get("bindings") {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Array(bindings)) => bindings,
            Some(_) => return Err("Invalid value at 'policy.bindings'".to_owned()),
        };
        let mut members = 0;
        for (index, raw) in bindings.iter().enumerate() {
            let binding: Binding = serde_json::from_value(raw.clone())
                .map_err(|e| format!("Invalid value at 'policy.bindings[{index}]': {e}"))?;
            if !known_role(&binding.role) {
                self.check_role(&binding.role)?;
            }
            for member in binding.members.iter().filter(|m| !known_member(m)) {
                self.check_member(member)?;
            }
            members += binding.members.len();
        }
        if members > MOST_MEMBERS {
            return Err(format!(
                "The number of members in the policy ({}) is larger than the maximum allowed size {}.",
                grouped(members),
                grouped(MOST_MEMBERS)
            ));
        }
        let version = policy.get("version").and_then(Value::as_i64).unwrap_or(0);
        if Policy::from_json(policy).is_conditional() && version != 3 {
            return Err("Must specify policy version 3 to set a policy with conditions".to_owned());
        }
        Ok(())
    }

    fn check_role(&self, name: &str) -> Result<(), String> {
        if role::predefined().contains_key(name) {
            return Ok(());
        }
        if name.starts_with("roles/") || !self.custom_roles.contains_key(name) {
            return Err(format!("Role {name} is not supported for this resource."));
        }
        Ok(())
    }

    fn check_member(&self, name: &str) -> Result<(), String> {
        if matches!(name, "allUsers" | "allAuthenticatedUsers") {
            return Ok(());
        }
        let refused = || {
            format!(
                "Invalid member: {name}. The member must be of one of the following types: \
                 {{user, serviceAccount, group, domain, principal, principalSet, allUsers, allAuthenticatedUsers}}."
            )
        };
        let (kind, rest) = name
            .split_once(':')
            .filter(|(_, rest)| !rest.is_empty())
            .ok_or_else(refused)?;
        match kind {
            "user" | "group" if rest.contains('@') => Ok(()),
            "domain" | "deleted" | "projectOwner" | "projectEditor" | "projectViewer" => Ok(()),
            "principal" | "principalSet" if rest.starts_with("//") => Ok(()),
            "serviceAccount" => self.check_account(rest),
            _ => Err(refused()),
        }
    }

    fn check_account(&self, name: &str) -> Result<(), String> {
        if let Some((pool, _, _)) = member::parse_workload(name) {
            return if self.workload_pools.contains(pool) {
                Ok(())
            } else {
                Err(format!(
                    "Identity Pool does not exist ({pool}). Please check that you specified a valid \
                     resource name as returned in the `name` attribute in the configuration API."
                ))
            };
        }
        if self.live_account(name).is_some() {
            Ok(())
        } else {
            Err(format!("Service account {name} does not exist."))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nothing() -> Resource {
        Resource::Bucket("new".into())
    }

    #[test]
    fn what_is_there_already_does_not_hinder_a_repair() {
        let mut state = State::default();
        let bad = "serviceAccount:12.svc.id.goog[a/b]";
        let policy = json!({"bindings": [{"role": "roles/viewer", "members": [bad]}]});
        assert!(state.check_policy(&nothing(), &policy).is_err());
        state.seed_policy(&nothing(), &policy);
        assert_eq!(state.check_policy(&nothing(), &policy), Ok(()));
    }

    #[test]
    fn a_policy_has_at_most_1500_members() {
        let state = State::default();
        let check = |bindings: usize| {
            let binding = |n| {
                let condition = json!({ "title": "t", "expression": format!("{n} == 0") });
                json!({ "role": "roles/viewer", "members": ["allUsers"], "condition": condition })
            };
            let bindings: Vec<Value> = (0..bindings).map(binding).collect();
            let policy = json!({ "version": 3, "bindings": bindings });
            state.check_policy(&nothing(), &policy)
        };
        assert_eq!(check(MOST_MEMBERS), Ok(()));
        assert_eq!(
            check(MOST_MEMBERS + 1).unwrap_err(),
            "The number of members in the policy (1,501) is larger than the maximum allowed size 1,500."
        );
    }

    fn check(role: &str, member: &str) -> Result<(), String> {
        let mut state = State::default();
        state.workload_pools.insert("demo.svc.id.goog".into());
        state.check_policy(
            &nothing(),
            &json!({"bindings": [{"role": role, "members": [member]}]}),
        )
    }

    #[test]
    fn members_that_cannot_exist_are_refused_in_googles_words() {
        let role = "roles/iam.workloadIdentityUser";
        assert_eq!(check(role, "serviceAccount:demo.svc.id.goog[a/b]"), Ok(()));
        let error = check(role, "serviceAccount:12.svc.id.goog[a/b]").unwrap_err();
        assert!(
            error.starts_with("Identity Pool does not exist (12.svc.id.goog)"),
            "{error}"
        );
        let error = check(role, "serviceAccount:x@demo.iam.gserviceaccount.com").unwrap_err();
        assert_eq!(
            error,
            "Service account x@demo.iam.gserviceaccount.com does not exist."
        );
        assert!(
            check(role, "kaniko")
                .unwrap_err()
                .starts_with("Invalid member: kaniko")
        );
        assert!(check(role, "user:").is_err());
    }

    #[test]
    fn unknown_roles_and_misshapen_bindings_are_refused() {
        assert!(
            check("roles/nonsense", "allUsers")
                .unwrap_err()
                .contains("roles/nonsense")
        );
        let state = State::default();
        assert!(
            state
                .check_policy(&nothing(), &json!({"bindings": 3}))
                .is_err()
        );
        assert!(
            state
                .check_policy(&nothing(), &json!({"bindings": [{"role": 1}]}))
                .is_err()
        );
        let conditional = json!({"version": 1, "bindings": [{"role": "roles/viewer",
            "members": ["allUsers"], "condition": {"title": "t", "expression": "true"}}]});
        assert!(
            state
                .check_policy(&nothing(), &conditional)
                .unwrap_err()
                .contains("version 3")
        );
    }
}
