//! `artifactRegistry`: repositories, as Artifact Registry's own API has them.

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use sidestep_events::Failure;
use sidestep_policy::Capability as Key;
use sidestep_policy::artifact_registry::Request;
use wasmtime::component::{HasSelf, Linker};

use crate::bindings::sidestep::gcp::artifact_registry as wit;
use crate::bindings::sidestep::host::types::Failure as WitFailure;
use crate::convert::milliseconds;
use crate::google::{Name, Rest, Service};
use crate::{Capability, Gate, GateCall, StepState};

pub(crate) const CAPABILITY: Capability = Capability {
    key: Key::ArtifactRegistry,
    interface: "sidestep:gcp/artifact-registry",
    version: "0.1.0",
    link,
};

/// The form of a repository's name.
const REPOSITORY: &str = "projects/P/locations/L/repositories/R";

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasSelf<StepState>>(linker, |state| state)
}

impl wit::Host for StepState {
    async fn repositories(
        &mut self,
        names: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<wit::Repository, WitFailure>>> {
        self.ask_each(names, |gate, google, name| async move {
            call(&gate, "repositories", &name, "get")
                .run(repository(&google, &name))
                .await
        })
        .await
    }

    async fn test_permissions(
        &mut self,
        queries: Vec<wit::PermissionQuery>,
    ) -> wasmtime::Result<Vec<Result<Vec<String>, WitFailure>>> {
        self.ask_each(queries, |gate, google, query| async move {
            call(
                &gate,
                "test-permissions",
                &query.repository,
                "testPermissions",
            )
            .run(test_permissions(&google, &query))
            .await
        })
        .await
    }
}

/// A call about a repository, which a grant may name as images do as well.
fn call<'g>(
    gate: &'g Gate,
    function: &'static str,
    name: &str,
    action: &'static str,
) -> GateCall<'g> {
    let as_image = as_image(name);
    let (by_name, by_image) = (
        Request {
            repository: name,
            action,
        },
        as_image
            .as_deref()
            .map(|repository| Request { repository, action }),
    );
    match by_image {
        Some(by_image) if gate.permits(&by_name).is_err() && gate.permits(&by_image).is_ok() => {
            gate.call(function, &by_image)
        }
        _ => gate.call(function, &by_name),
    }
}

/// `L-docker.pkg.dev/P/R`, as an image's name begins. A repository that stands for Container
/// Registry's is named like its host.
fn as_image(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('/').collect();
    let [
        "projects",
        project,
        "locations",
        location,
        "repositories",
        repository,
    ] = parts[..]
    else {
        return None;
    };
    Some(
        if repository == "gcr.io" || repository.ends_with(".gcr.io") {
            format!("{repository}/{project}")
        } else {
            format!("{location}-docker.pkg.dev/{project}/{repository}")
        },
    )
}

/// A repository (Artifact Registry v1).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Repository {
    name: String,
    format: String,
    mode: String,
    docker_config: Docker,
    kms_key_name: Option<String>,
    create_time: Option<Timestamp>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Docker {
    immutable_tags: bool,
}

async fn repository(google: &Rest, name: &str) -> Result<wit::Repository, Failure> {
    let name = Name::read("repository", REPOSITORY, name)?;
    let what = format!("look at {}", name.as_str());
    let path = format!("/v1/{}", name.as_str());
    let found: Repository = google.get(&what, Service::ArtifactRegistry, &path).await?;
    Ok(wit::Repository {
        name: found.name,
        format: found.format,
        mode: found.mode,
        immutable_tags: found.docker_config.immutable_tags,
        kms_key: found.kms_key_name.filter(|key| !key.is_empty()),
        created: found.create_time.map(milliseconds).unwrap_or_default(),
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Held {
    permissions: Vec<String>,
}

async fn test_permissions(
    google: &Rest,
    query: &wit::PermissionQuery,
) -> Result<Vec<String>, Failure> {
    let name = Name::read("repository", REPOSITORY, &query.repository)?;
    let what = format!("ask for permissions on {}", name.as_str());
    let path = format!("/v1/{}:testIamPermissions", name.as_str());
    let body = json!({ "permissions": query.permissions });
    let held: Held = google
        .read(
            &what,
            Method::POST,
            Service::ArtifactRegistry,
            &path,
            Some(&body),
        )
        .await?;
    let asked = query.permissions.iter();
    Ok(asked
        .filter(|asked| held.permissions.contains(asked))
        .cloned()
        .collect())
}
