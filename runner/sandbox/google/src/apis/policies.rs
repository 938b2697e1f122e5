//! `getIamPolicy`, `setIamPolicy` and `testIamPermissions`, which all resources share.

use serde_json::{Value, json};
use sidestep_sandbox_identity::{Access as _, PolicyJson, Resource};

use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::{Answer, ApiError};

/// A resource's policy methods, and the permissions that they need.
pub(super) struct Policies<'a> {
    pub(super) resource: &'a Resource,
    /// The permission prefix, such as `iam.serviceAccounts`.
    pub(super) prefix: &'a str,
    /// The resource's name in messages.
    pub(super) name: &'a str,
}

impl Policies<'_> {
    /// Handles a policy method; `None` if the call is not one.
    pub(super) fn handle(&self, cloud: &Cloud, call: &Call) -> Option<Answer> {
        match (call.method.as_str(), call.verb.as_deref()?) {
            ("GET" | "POST", "getIamPolicy") => Some(self.get(cloud, call)),
            ("POST", "setIamPolicy") => Some(self.set(cloud, call)),
            ("POST", "testIamPermissions") => Some(self.test(cloud, call)),
            _ => None,
        }
    }

    fn get(&self, cloud: &Cloud, call: &Call) -> Answer {
        let permission = format!("{}.getIamPolicy", self.prefix);
        call.needs_named(cloud, &permission, self.resource, self.name)?;
        Ok(as_version(
            cloud.identity().policy(self.resource),
            requested_version(call),
        ))
    }

    fn set(&self, cloud: &Cloud, call: &Call) -> Answer {
        let permission = format!("{}.setIamPolicy", self.prefix);
        call.needs_named(cloud, &permission, self.resource, self.name)?;
        let Some(policy) = call.body.get("policy").filter(|p| p.is_object()) else {
            return Err(ApiError::invalid("Policy must be specified."));
        };
        let policy = merged(
            &cloud.identity().policy(self.resource),
            policy,
            call.text("/updateMask"),
        );
        cloud
            .identity()
            .check_policy(self.resource, &policy)
            .map_err(ApiError::invalid)?;
        cloud
            .identity()
            .set_policy(self.resource, policy)
            .map_err(|_| ApiError::aborted())
    }

    fn test(&self, cloud: &Cloud, call: &Call) -> Answer {
        let asked: Vec<String> = call
            .body
            .get("permissions")
            .and_then(Value::as_array)
            .map(|all| {
                all.iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect()
            })
            .unwrap_or_default();
        if let Some(wild) = asked.iter().find(|p| p.contains('*') || p.is_empty()) {
            return Err(ApiError::invalid(format!(
                "Permission {wild} is not valid for this resource."
            )));
        }
        let held = cloud
            .identity()
            .allowed(&call.caller, &asked, self.resource);
        Ok(if held.is_empty() {
            json!({})
        } else {
            json!({ "permissions": held })
        })
    }
}

/// Returns the policy version that the caller supports, from the query or the body, depending on
/// the API.
fn requested_version(call: &Call) -> i64 {
    call.query
        .get("options.requestedPolicyVersion")
        .and_then(|v| v.parse().ok())
        .or_else(|| {
            call.body
                .pointer("/options/requestedPolicyVersion")
                .and_then(Value::as_i64)
        })
        .unwrap_or(1)
}

/// Returns the policy for a reader of an older version. Conditions are hidden behind a changed role
/// name, so that a reader who writes the policy back cannot drop them by accident.
fn as_version(mut policy: PolicyJson, version: i64) -> PolicyJson {
    if version >= 3 {
        return policy;
    }
    policy["version"] = json!(1);
    for binding in policy
        .get_mut("bindings")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(condition) = binding.as_object_mut().and_then(|b| b.remove("condition")) {
            let hash = crc32c::crc32c(condition.to_string().as_bytes());
            let role = binding["role"].as_str().unwrap_or_default();
            binding["role"] = json!(format!("{role}_withcond_{hash:08x}"));
        }
    }
    policy
}

/// Returns the policy to store: the parts that the mask names, or bindings and etag.
fn merged(current: &PolicyJson, new: &PolicyJson, mask: Option<&str>) -> PolicyJson {
    let mask = mask.unwrap_or("bindings,etag,version");
    let named = |field: &str| {
        mask.split(',')
            .any(|m| m.trim().split('.').next() == Some(field))
    };
    let mut out = new.clone();
    for field in ["bindings", "auditConfigs"] {
        if !named(field) {
            match current.get(field) {
                Some(kept) => out[field] = kept.clone(),
                None => drop(out.as_object_mut().and_then(|o| o.remove(field))),
            }
        }
    }
    out
}
