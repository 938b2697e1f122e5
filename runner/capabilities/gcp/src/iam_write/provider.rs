//! Creating an OIDC provider of a workload identity pool.

use serde_json::{Map, Value, json};
use sidestep_bindings::sidestep::gcp::iam_write as wit;
use sidestep_bindings::sidestep::gcp::types;
use sidestep_control_plane::ControlPlane;
use sidestep_events::Failure;
use sidestep_gate::functions::iam_write as functions;
use sidestep_gate::{NotCreated, Priced};
use sidestep_google::{Name, Named, Service};

use super::create::{New, alive, same};
use super::operation;
use crate::iam::federation;
use crate::iam::target::PROVIDER;

/// The form of the name of the operation that makes a provider.
const OPERATION: &str =
    "projects/P/locations/global/workloadIdentityPools/POOL/providers/PROVIDER/operations/O";

/// An OIDC provider to create in a pool.
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
    type Found = federation::Provider;
    type Made = types::Provider;
    const KIND: &str = "workloadIdentityPoolProvider";
    const FUNCTION: Priced = functions::CREATE_PROVIDER;

    fn named(&self) -> &Named {
        &self.named
    }

    async fn make(&self, google: &ControlPlane, what: &str) -> Result<(), NotCreated> {
        let wit::NewProvider {
            pool, provider_id, ..
        } = &self.new;
        let path = format!("/v1/{pool}/providers?workloadIdentityPoolProviderId={provider_id}");
        let mappings = self.new.mappings.iter();
        let mappings: Map<String, Value> = mappings
            .map(|mapping| (mapping.attribute.clone(), mapping.expression.clone().into()))
            .collect();
        let body = json!({
            "oidc": {
                "issuerUri": self.new.issuer,
                "allowedAudiences": self.new.allowed_audiences,
            },
            "attributeMapping": mappings,
            "attributeCondition": self.new.condition,
        });
        operation::run(google.rest(), what, OPERATION, &path, &body).await
    }

    async fn look(&self, google: &ControlPlane, what: &str) -> Result<Self::Found, Failure> {
        let path = format!("/v1/{}", self.named.as_str());
        google.rest().get(what, Service::Iam, &path).await
    }

    fn is(&self, found: &Self::Found) -> Result<(), String> {
        let Some(oidc) = &found.oidc else {
            return Err("it is not an OIDC provider".to_owned());
        };
        same("issuer", Some(&self.new.issuer), &oidc.issuer_uri)?;
        if oidc.allowed_audiences != self.new.allowed_audiences {
            return Err("its audiences differ".to_owned());
        }
        let mappings = &self.new.mappings;
        let mapped = found.attribute_mapping.len() == mappings.len()
            && mappings.iter().all(|mapping| {
                found.attribute_mapping.get(&mapping.attribute) == Some(&mapping.expression)
            });
        if !mapped {
            return Err("its attribute mapping differs".to_owned());
        }
        let condition = |text: Option<&String>| text.cloned().unwrap_or_default();
        if condition(self.new.condition.as_ref()) != condition(found.attribute_condition.as_ref()) {
            return Err("its attribute condition differs".to_owned());
        }
        alive(&found.state, found.disabled)
    }

    fn id(found: &Self::Found) -> String {
        found.name.clone()
    }

    fn made(found: Self::Found) -> Self::Made {
        found.into()
    }
}
