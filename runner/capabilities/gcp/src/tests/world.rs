//! The sandbox's Google servers, and steps that call them.

use std::sync::Arc;

use serde_json::{Value, json};
use sidestep_control_plane::ControlPlane;
use sidestep_evaluator_guest::Native;
use sidestep_events::Failure;
use sidestep_gate::{CallError, Services};
use sidestep_gate_testing::{Kept, state_with};
use sidestep_google::{Credentials, Endpoints, Service};
use sidestep_policy::Capability;
use sidestep_sandbox_google::{
    Api, Cloud, NoClusters, Scenario, Seed, developer_credentials, router,
};
use sidestep_sandbox_identity::{Clock, Identity};
use sidestep_sandbox_storage::{Seed as BucketSeed, Storage};
use url::Url;

use crate::Calls;

pub(super) const BUILDER: &str = "builder@demo.iam.gserviceaccount.com";
pub(super) const CLUSTER: &str = "projects/demo/locations/europe-west1/clusters/ci";
pub(super) const REPOSITORY: &str = "projects/demo/locations/europe/repositories/images";
/// A principal that Google knows and that has no permissions.
const GUEST: &str = "user:guest@example.com";

/// Google's APIs, each at its own address.
pub(super) struct World {
    endpoints: Endpoints,
    identity: Identity,
    developer: String,
    folder: tempfile::TempDir,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::of(|_| {}).await
    }

    /// Returns the healthy scenario with a change.
    pub(super) async fn of(change: impl FnOnce(&mut Seed)) -> Self {
        let mut seed = Scenario::named("healthy")
            .expect("it is there")
            .seed()
            .expect("a seed");
        change(&mut seed);
        let identity = Identity::new(seed.identity(), Clock::system(), Arc::new(Native));
        let cloud = Cloud::new(
            identity.clone(),
            seed.state("2026-01-01T00:00:00Z"),
            Arc::new(NoClusters),
        );
        let folder = tempfile::tempdir().expect("a folder");
        let storage = Storage::open(&folder.path().join("storage"), Arc::new(identity.clone()))
            .expect("it opens");
        for (name, bucket) in &seed.buckets {
            let bucket = BucketSeed {
                name: name.clone(),
                project: bucket.project.clone(),
                location: bucket.location.clone(),
                uniform_access: bucket.uniform_bucket_level_access,
            };
            storage.seed(&bucket).expect("it is added");
        }
        let mut endpoints = Endpoints::default();
        endpoints.set(Service::Storage, serve(storage.router()).await);
        for api in Api::ALL {
            let service = api.endpoint_name().parse().expect("a service");
            endpoints.set(service, serve(router(&cloud, api)).await);
        }
        Self {
            endpoints,
            identity,
            developer: seed.developer,
            folder,
        }
    }

    /// Returns a project with one of its services disabled.
    pub(super) async fn without(service: &str) -> Self {
        Self::of(|seed| {
            let demo = seed.projects.get_mut("demo").expect("a project");
            demo.services.remove(service).expect("it was enabled");
        })
        .await
    }

    /// Returns a step of the developer, who owns everything.
    pub(super) fn step(
        &self,
        capability: Capability,
        granted: &Value,
    ) -> (Calls<'static>, Arc<Kept>) {
        self.step_of(&self.developer, capability, granted)
    }

    /// Returns a step of a principal without permissions at Google, with every grant here.
    pub(super) fn guest(&self, capability: Capability) -> Calls<'static> {
        self.guest_and_records(capability).0
    }

    /// Like [`guest`](Self::guest), with the step's records.
    pub(super) fn guest_and_records(&self, capability: Capability) -> (Calls<'static>, Arc<Kept>) {
        self.step_of(GUEST, capability, &everything(capability))
    }

    /// Returns the permissions of all principals, for changes behind the runner's back.
    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    fn step_of(
        &self,
        member: &str,
        capability: Capability,
        granted: &Value,
    ) -> (Calls<'static>, Arc<Kept>) {
        let subject = self.folder.path().join(member);
        std::fs::write(&subject, self.identity.mint_subject(member).secret).expect("written");
        let sts = self.endpoints.url(Service::Sts).expect("an address");
        let credentials = Credentials::external_account(developer_credentials(&sts, &subject));
        state(&self.endpoints, credentials, capability, granted)
    }
}

/// Returns a step that calls these endpoints.
pub(super) fn state(
    endpoints: &Endpoints,
    credentials: Credentials,
    capability: Capability,
    granted: &Value,
) -> (Calls<'static>, Arc<Kept>) {
    let google = ControlPlane::new(Arc::new(endpoints.clone()), Arc::new(credentials));
    let services = Services::default().with(Arc::new(google));
    let (state, kept) = state_with(&[(capability, granted.clone())], services);
    (Calls(state), kept)
}

/// Returns a grant of everything under a key.
pub(super) fn everything(capability: Capability) -> Value {
    match capability {
        Capability::Project => json!([{ "project": "**" }]),
        Capability::Iam => json!([{ "resource": "**" }, { "project": "**" }]),
        Capability::Gke => json!([{ "cluster": "**" }]),
        Capability::ArtifactRegistry => json!([{ "repository": "**" }]),
        Capability::IamWrite => json!([{ "resource": "**", "roles": "**", "members": "**" }]),
        Capability::SecretManager => json!([{ "secret": "**" }]),
        other => panic!("no grant of everything under {other}"),
    }
}

/// Serves at its own address.
pub(super) async fn serve(router: axum::Router) -> Url {
    let address = sidestep_test_harness::serve(router).await;
    address.parse().expect("a URL")
}

/// Returns the failure of a call.
pub(super) fn failed<T>(result: Result<T, CallError>) -> Failure {
    match result {
        Ok(_) => panic!("it works"),
        Err(CallError::Failure(failure)) => *failure,
        Err(CallError::Trap(trap)) => panic!("{trap:?}"),
    }
}
