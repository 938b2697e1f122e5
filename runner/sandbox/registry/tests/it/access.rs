//! A minimal identity: a token is a member's name, and grants are a list.

use serde_json::json;
use sidestep_sandbox_identity::{Access, Caller, InvalidToken, PolicyJson, Resource, StaleEtag};
use std::sync::Mutex;

/// The token (and member) with all permissions in the project `demo`.
pub(crate) const OWNER: &str = "user:dev@example.com";
/// A member with only its granted permissions.
pub(crate) const BUILD: &str = "serviceAccount:build@demo.iam.gserviceaccount.com";

#[derive(Default)]
pub(crate) struct Grants(Mutex<Vec<(String, String, Resource)>>);

impl Grants {
    pub(crate) fn give(&self, member: &str, permission: &str, resource: Resource) {
        let grant = (member.to_owned(), permission.to_owned(), resource);
        self.0.lock().unwrap().push(grant);
    }
}

impl Access for Grants {
    fn caller(&self, bearer: Option<&str>) -> Result<Caller, InvalidToken> {
        match bearer {
            None => Ok(Caller::Anonymous),
            Some(token) if token.contains(':') => Ok(Caller::Member(token.to_owned())),
            Some(_) => Err(InvalidToken),
        }
    }

    fn allows(&self, caller: &Caller, permission: &str, resource: &Resource) -> bool {
        let member = match caller {
            Caller::Anonymous => "allUsers",
            Caller::Member(member) => member,
        };
        let project = match resource {
            Resource::Repository { project, .. } | Resource::Project(project) => project,
            _ => return false,
        };
        let grant = (member.to_owned(), permission.to_owned(), resource.clone());
        member == OWNER && project == "demo" || self.0.lock().unwrap().contains(&grant)
    }

    fn policy(&self, _: &Resource) -> PolicyJson {
        json!({})
    }

    fn set_policy(&self, _: &Resource, policy: PolicyJson) -> Result<PolicyJson, StaleEtag> {
        Ok(policy)
    }
}
