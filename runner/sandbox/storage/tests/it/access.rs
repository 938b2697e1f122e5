//! A minimal identity: tokens are member names, and a policy is bindings of a few roles.

use serde_json::{Value, json};
use sidestep_sandbox_identity::{Access, Caller, InvalidToken, PolicyJson, Resource, StaleEtag};
use std::{collections::HashMap, sync::Mutex};

/// The token (and member) that owns the project `demo`.
pub(crate) const OWNER: &str = "user:dev@example.com";

#[derive(Default)]
pub(crate) struct Policies(Mutex<HashMap<Resource, (u64, Value)>>, Mutex<Vec<String>>);

impl Policies {
    /// Returns the notifications about created and deleted buckets.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.1.lock().unwrap().clone()
    }

    pub(crate) fn bind(&self, bucket: &str, role: &str, member: &str) {
        let resource = Resource::Bucket(bucket.to_owned());
        let mut policy = self.policy(&resource);
        let bindings = policy["bindings"].as_array_mut().unwrap();
        bindings.push(json!({ "role": role, "members": [member] }));
        self.set_policy(&resource, policy).unwrap();
    }
}

/// Base64, because gcloud decodes it.
fn etag_of(version: u64) -> String {
    base64::Engine::encode(&base64::prelude::BASE64_STANDARD, version.to_be_bytes())
}

fn gives(role: &str, permission: &str) -> bool {
    match role {
        "roles/storage.admin" => true,
        "roles/storage.objectViewer" => {
            ["storage.objects.get", "storage.objects.list"].contains(&permission)
        }
        "roles/storage.objectCreator" => permission == "storage.objects.create",
        "reader-without-list" => permission == "storage.objects.get",
        _ => false,
    }
}

impl Access for Policies {
    fn caller(&self, bearer: Option<&str>) -> Result<Caller, InvalidToken> {
        match bearer {
            None => Ok(Caller::Anonymous),
            Some(token) if token.contains(':') => Ok(Caller::Member(token.to_owned())),
            Some(_) => Err(InvalidToken),
        }
    }

    fn allows(&self, caller: &Caller, permission: &str, resource: &Resource) -> bool {
        let Caller::Member(member) = caller else {
            return false;
        };
        if member == OWNER && *resource == Resource::Project("demo".to_owned()) {
            return true;
        }
        let bucket = match resource {
            Resource::Object { bucket, .. } => &Resource::Bucket(bucket.clone()),
            other => other,
        };
        let policy = self.policy(bucket);
        policy["bindings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|binding| {
                gives(binding["role"].as_str().unwrap(), permission)
                    && binding["members"]
                        .as_array()
                        .unwrap()
                        .contains(&json!(member))
            })
    }

    fn policy(&self, resource: &Resource) -> PolicyJson {
        let policies = self.0.lock().unwrap();
        let (version, bindings) = policies.get(resource).cloned().unwrap_or((0, json!([])));
        json!({ "version": 1, "etag": etag_of(version), "bindings": bindings })
    }

    fn set_policy(&self, resource: &Resource, policy: PolicyJson) -> Result<PolicyJson, StaleEtag> {
        {
            let mut policies = self.0.lock().unwrap();
            let entry = policies.entry(resource.clone()).or_insert((0, json!([])));
            if policy["etag"]
                .as_str()
                .is_some_and(|etag| etag != etag_of(entry.0))
            {
                return Err(StaleEtag);
            }
            *entry = (entry.0 + 1, policy["bindings"].clone());
        }
        Ok(self.policy(resource))
    }

    fn check_policy(&self, _: &Resource, policy: &PolicyJson) -> Result<(), String> {
        if policy.to_string().contains("gone@") {
            return Err("Service account gone@demo.iam.gserviceaccount.com does not exist.".into());
        }
        Ok(())
    }

    fn bucket_created(&self, bucket: &str, project: &str) {
        let said = format!("{bucket} made in {project}");
        self.1.lock().unwrap().push(said);
    }

    fn bucket_deleted(&self, bucket: &str) {
        self.1.lock().unwrap().push(format!("{bucket} deleted"));
    }
}
