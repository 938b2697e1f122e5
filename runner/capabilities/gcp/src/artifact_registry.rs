//! `artifactRegistry`: repositories, from the API of Artifact Registry.

use sidestep_bindings::sidestep::gcp::artifact_registry as wit;
use sidestep_bindings::sidestep::gcp::types::PolicyResource;
use sidestep_bindings::sidestep::host::types::Failure as WitFailure;
use sidestep_contract::google::Repository;
use sidestep_control_plane::ControlPlane;
use sidestep_events::Failure;
use sidestep_gate::functions::artifact_registry as functions;
use sidestep_gate::{Capability, Gate, GateCall, Priced, StepState};
use sidestep_google::convert::{filled, value, wkt_milliseconds};
use sidestep_policy::Capability as Key;
use sidestep_policy::artifact_registry::ArtifactRegistryCall;
use sidestep_resources::{self as resource, permissions};
use wasmtime::component::Linker;

use crate::{Calls, HasCalls};

/// Grant key and functions.
pub const CAPABILITY: Capability = Capability {
    key: Key::ArtifactRegistry,
    link,
};

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasCalls>(linker, |state| Calls(state))
}

impl wit::Host for Calls<'_> {
    async fn repositories(
        &mut self,
        names: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<wit::Repository, WitFailure>>> {
        let google = self.google();
        self.each(google, names, |gate, google, name| async move {
            let found = call(&gate, functions::REPOSITORIES, &name, "get")
                .run(repository(&google, &name))
                .await;
            gate.shown().rights(found, |repository| {
                repository.format != "DOCKER" || repository.mode != "STANDARD_REPOSITORY"
            })
        })
        .await
    }

    async fn test_permissions(
        &mut self,
        queries: Vec<wit::PermissionQuery>,
    ) -> wasmtime::Result<Vec<Result<Vec<String>, WitFailure>>> {
        let google = self.google();
        self.each(google, queries, |gate, google, query| async move {
            let asked = query.permissions.len();
            let granted = call(
                &gate,
                functions::TEST_PERMISSIONS,
                &query.repository,
                "testPermissions",
            )
            .run(test_permissions(&google, query))
            .await;
            gate.shown()
                .rights(granted, |granted| granted.len() < asked)
        })
        .await
    }
}

/// Brings a call about a repository before the gate; a grant may also name it by its images.
fn call<'g>(gate: &'g Gate, function: Priced, name: &str, action: &'static str) -> GateCall<'g> {
    let as_image = as_image(name);
    let (by_name, by_image) = (
        ArtifactRegistryCall {
            repository: name,
            action,
        },
        as_image
            .as_deref()
            .map(|repository| ArtifactRegistryCall { repository, action }),
    );
    match by_image {
        Some(by_image) if gate.permits(&by_name).is_err() && gate.permits(&by_image).is_ok() => {
            gate.call(function, &by_image)
        }
        _ => gate.call(function, &by_name),
    }
}

/// Returns the prefix of the names of the repository's images.
fn as_image(name: &str) -> Option<String> {
    Repository::from_resource(name).map(|repository| repository.image_prefix())
}

async fn repository(google: &ControlPlane, name: &str) -> Result<wit::Repository, Failure> {
    let name = resource::name(&PolicyResource::Repository(name.to_owned()))?;
    let found = google.repository(&format!("get {name}"), &name).await?;
    Ok(wit::Repository {
        immutable_tags: found
            .docker_config
            .is_some_and(|docker| docker.immutable_tags),
        name: found.name,
        format: value(found.format.name()),
        mode: value(found.mode.name()),
        kms_key: filled(found.kms_key_name),
        created: found.create_time.map(wkt_milliseconds).unwrap_or_default(),
    })
}

async fn test_permissions(
    google: &ControlPlane,
    query: wit::PermissionQuery,
) -> Result<Vec<String>, Failure> {
    let repository = PolicyResource::Repository(query.repository);
    let name = resource::name(&repository)?;
    permissions::test(google, &repository, &name, &query.permissions).await
}
