//! Creating a workload identity pool.

use serde_json::json;
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
use crate::iam::target::POOL;

/// The form of the name of the operation that makes a pool.
const OPERATION: &str = "projects/P/locations/global/workloadIdentityPools/POOL/operations/O";

/// A workload identity pool to create.
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
    type Found = federation::Pool;
    type Made = types::Pool;
    const KIND: &str = "workloadIdentityPool";
    const FUNCTION: Priced = functions::CREATE_POOL;

    fn named(&self) -> &Named {
        &self.named
    }

    async fn make(&self, google: &ControlPlane, what: &str) -> Result<(), NotCreated> {
        let wit::NewPool {
            project, pool_id, ..
        } = &self.new;
        let path = format!(
            "/v1/projects/{project}/locations/global/workloadIdentityPools?workloadIdentityPoolId={pool_id}"
        );
        let body =
            json!({ "displayName": self.new.display_name, "description": self.new.description });
        operation::run(google.rest(), what, OPERATION, &path, &body).await
    }

    async fn look(&self, google: &ControlPlane, what: &str) -> Result<Self::Found, Failure> {
        let path = format!("/v1/{}", self.named.as_str());
        google.rest().get(what, Service::Iam, &path).await
    }

    fn is(&self, found: &Self::Found) -> Result<(), String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        same(
            "display name",
            self.new.display_name.as_ref(),
            &text(&found.display_name),
        )?;
        same(
            "description",
            self.new.description.as_ref(),
            &text(&found.description),
        )?;
        alive(&found.state, found.disabled)
    }

    fn id(found: &Self::Found) -> String {
        found.name.clone()
    }

    fn made(found: Self::Found) -> Self::Made {
        found.into()
    }
}
