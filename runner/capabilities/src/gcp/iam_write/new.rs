//! What can be made, and how it is known again.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sidestep_events::{Class, Failure, Owner};

use crate::bindings::sidestep::gcp::iam_write as wit;
use crate::bindings::sidestep::gcp::types;
use crate::gcp::iam::answers;
use crate::gcp::iam::policy::project;
use crate::gcp::iam::target::{POOL, PROVIDER};
use crate::google::{Name, Named, service_account};

/// Something to be made in IAM.
pub(super) trait New {
    /// What the API has of it.
    type Found: DeserializeOwned + Into<Self::Made>;
    /// What a plugin gets of it.
    type Made;
    /// What an intent calls it.
    const KIND: &str;
    /// The contract's function that makes it.
    const FUNCTION: &str;
    /// The form of the name of the operation that makes it; none if it is there at once.
    const OPERATION: Option<&str>;

    /// What it is to be called in full.
    fn named(&self) -> &Named;
    /// The path, with its query, that it is made at.
    fn path(&self) -> String;
    /// What is asked for.
    fn body(&self) -> Value;
    /// Whether this is what was asked for.
    fn is(&self, found: &Self::Found) -> Result<(), String>;
    /// What tells it from another of its name.
    fn id(found: &Self::Found) -> String;
}

/// A service account.
pub(super) struct Account {
    named: Named,
    new: wit::NewServiceAccount,
}

impl Account {
    pub(super) fn new(new: wit::NewServiceAccount) -> Self {
        // The address has the project's id, and of a domain's project the id first.
        let host = match new.project.split_once(':') {
            Some((domain, id)) => format!("{id}.{domain}"),
            None => new.project.clone(),
        };
        let email = format!("{}@{host}.iam.gserviceaccount.com", new.account_id);
        let name = if new
            .project
            .starts_with(|first: char| first.is_ascii_digit())
        {
            Err(Failure::new(
                Class::InvalidInput,
                "google.name",
                Owner::Author,
                format!("`{}` is a project's number", new.project),
            )
            .with_help("name the project by its id, which its accounts' addresses have"))
        } else {
            project(&new.project).and_then(|_| service_account(&email))
        };
        Self {
            named: Named::new(email, name),
            new,
        }
    }
}

impl New for Account {
    type Found = answers::ServiceAccount;
    type Made = types::ServiceAccount;
    const KIND: &str = "serviceAccount";
    const FUNCTION: &str = "create-service-account";
    const OPERATION: Option<&str> = None;

    fn named(&self) -> &Named {
        &self.named
    }

    fn path(&self) -> String {
        format!("/v1/projects/{}/serviceAccounts", self.new.project)
    }

    fn body(&self) -> Value {
        json!({
            "accountId": self.new.account_id,
            "serviceAccount": {
                "displayName": self.new.display_name,
                "description": self.new.description,
            },
        })
    }

    fn is(&self, found: &Self::Found) -> Result<(), String> {
        same(
            "display name",
            self.new.display_name.as_ref(),
            found.display_name.as_ref(),
        )?;
        same(
            "description",
            self.new.description.as_ref(),
            found.description.as_ref(),
        )?;
        if found.disabled {
            return Err("it is disabled".to_owned());
        }
        Ok(())
    }

    fn id(found: &Self::Found) -> String {
        found.unique_id.clone()
    }
}

/// A workload identity pool.
pub(super) struct Pool {
    named: Named,
    new: wit::NewPool,
}

impl Pool {
    pub(super) fn new(new: wit::NewPool) -> Self {
        let wit::NewPool {
            project, pool_id, ..
        } = &new;
        let name = format!("projects/{project}/locations/global/workloadIdentityPools/{pool_id}");
        let checked = Name::read("pool", POOL, &name);
        Self {
            named: Named::new(name, checked),
            new,
        }
    }
}

impl New for Pool {
    type Found = answers::Pool;
    type Made = types::Pool;
    const KIND: &str = "workloadIdentityPool";
    const FUNCTION: &str = "create-pool";
    const OPERATION: Option<&str> =
        Some("projects/P/locations/global/workloadIdentityPools/POOL/operations/O");

    fn named(&self) -> &Named {
        &self.named
    }

    fn path(&self) -> String {
        let wit::NewPool {
            project, pool_id, ..
        } = &self.new;
        format!(
            "/v1/projects/{project}/locations/global/workloadIdentityPools?workloadIdentityPoolId={pool_id}"
        )
    }

    fn body(&self) -> Value {
        json!({ "displayName": self.new.display_name, "description": self.new.description })
    }

    fn is(&self, found: &Self::Found) -> Result<(), String> {
        same(
            "display name",
            self.new.display_name.as_ref(),
            found.display_name.as_ref(),
        )?;
        same(
            "description",
            self.new.description.as_ref(),
            found.description.as_ref(),
        )?;
        alive(&found.state, found.disabled)
    }

    fn id(found: &Self::Found) -> String {
        found.name.clone()
    }
}

/// An OIDC provider of a pool.
pub(super) struct Provider {
    named: Named,
    new: wit::NewProvider,
}

impl Provider {
    pub(super) fn new(new: wit::NewProvider) -> Self {
        let name = format!("{}/providers/{}", new.pool, new.provider_id);
        let checked = Name::read("provider", PROVIDER, &name);
        Self {
            named: Named::new(name, checked),
            new,
        }
    }
}

impl New for Provider {
    type Found = answers::Provider;
    type Made = types::Provider;
    const KIND: &str = "workloadIdentityPoolProvider";
    const FUNCTION: &str = "create-provider";
    const OPERATION: Option<&str> = Some(
        "projects/P/locations/global/workloadIdentityPools/POOL/providers/PROVIDER/operations/O",
    );

    fn named(&self) -> &Named {
        &self.named
    }

    fn path(&self) -> String {
        let wit::NewProvider {
            pool, provider_id, ..
        } = &self.new;
        format!("/v1/{pool}/providers?workloadIdentityPoolProviderId={provider_id}")
    }

    fn body(&self) -> Value {
        let mappings = self.new.mappings.iter();
        let mappings: serde_json::Map<String, Value> = mappings
            .map(|mapping| (mapping.attribute.clone(), mapping.expression.clone().into()))
            .collect();
        json!({
            "oidc": {
                "issuerUri": self.new.issuer,
                "allowedAudiences": self.new.allowed_audiences,
            },
            "attributeMapping": mappings,
            "attributeCondition": self.new.condition,
        })
    }

    fn is(&self, found: &Self::Found) -> Result<(), String> {
        let Some(oidc) = &found.oidc else {
            return Err("it is no OIDC provider".to_owned());
        };
        same("issuer", Some(&self.new.issuer), Some(&oidc.issuer_uri))?;
        if oidc.allowed_audiences != self.new.allowed_audiences {
            return Err("its audiences are others".to_owned());
        }
        let mappings = &self.new.mappings;
        let mapped = found.attribute_mapping.len() == mappings.len()
            && mappings.iter().all(|mapping| {
                found.attribute_mapping.get(&mapping.attribute) == Some(&mapping.expression)
            });
        if !mapped {
            return Err("its attribute mapping is another".to_owned());
        }
        let condition = |text: Option<&String>| text.cloned().unwrap_or_default();
        if condition(self.new.condition.as_ref()) != condition(found.attribute_condition.as_ref()) {
            return Err("its attribute condition is another".to_owned());
        }
        alive(&found.state, found.disabled)
    }

    fn id(found: &Self::Found) -> String {
        found.name.clone()
    }
}

/// What was asked for is there; what was left open may be anything.
fn same(what: &str, asked: Option<&String>, found: Option<&String>) -> Result<(), String> {
    match asked {
        Some(asked) if found.map_or("", String::as_str) != asked => {
            Err(format!("its {what} is another"))
        }
        _ => Ok(()),
    }
}

/// What was deleted keeps its name for 30 days.
fn alive(state: &str, disabled: bool) -> Result<(), String> {
    match state {
        "DELETED" => Err("it was deleted; undelete it, or wait until it is gone".to_owned()),
        _ if disabled => Err("it is disabled".to_owned()),
        _ => Ok(()),
    }
}
