//! `project`: facts about projects, and which services are enabled in them.

use serde::Deserialize;
use sidestep_events::Failure;
use sidestep_policy::Capability as Key;
use sidestep_policy::project::Request;
use wasmtime::component::{HasSelf, Linker};

use crate::bindings::sidestep::gcp::project as wit;
use crate::bindings::sidestep::host::types::Failure as WitFailure;
use crate::google::{Name, Rest, Service};
use crate::{Capability, StepState};

pub(crate) const CAPABILITY: Capability = Capability {
    key: Key::Project,
    interface: "sidestep:gcp/project",
    version: "0.1.0",
    link,
};

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasSelf<StepState>>(linker, |state| state)
}

impl wit::Host for StepState {
    async fn get(
        &mut self,
        projects: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<wit::ProjectInfo, WitFailure>>> {
        self.ask_each(projects, |gate, google, project| async move {
            let call = Request {
                project: &project,
                action: "get",
            };
            gate.call("get", &call).run(get(&google, &project)).await
        })
        .await
    }

    async fn enabled(
        &mut self,
        queries: Vec<wit::ServiceQuery>,
    ) -> wasmtime::Result<Vec<Result<bool, WitFailure>>> {
        self.ask_each(queries, |gate, google, query| async move {
            let call = Request {
                project: &query.project,
                action: "services",
            };
            gate.call("enabled", &call)
                .run(enabled(&google, &query))
                .await
        })
        .await
    }
}

/// A project (Resource Manager v3). Its number stands in its name alone.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Project {
    name: String,
    project_id: String,
    display_name: String,
    state: String,
    parent: Option<String>,
}

async fn get(google: &Rest, project: &str) -> Result<wit::ProjectInfo, Failure> {
    let name = Name::read("project", "projects/P", &format!("projects/{project}"))?;
    let what = format!("look at project {project}");
    let path = format!("/v3/{}", name.as_str());
    let found: Project = google
        .get(&what, Service::CloudResourceManager, &path)
        .await?;
    let number = found.name.strip_prefix("projects/").unwrap_or_default();
    Ok(wit::ProjectInfo {
        number: number.parse().unwrap_or_default(),
        id: found.project_id,
        display_name: found.display_name,
        state: found.state,
        parent: found.parent,
    })
}

/// A service of a project (Service Usage v1).
#[derive(Deserialize, Default)]
#[serde(default)]
struct Enablement {
    state: String,
}

async fn enabled(google: &Rest, query: &wit::ServiceQuery) -> Result<bool, Failure> {
    let wit::ServiceQuery { project, service } = query;
    let name = format!("projects/{project}/services/{service}");
    let name = Name::read("service", "projects/P/services/SERVICE", &name)?;
    let what = format!("see whether {service} is enabled in project {project}");
    let path = format!("/v1/{}", name.as_str());
    let found: Enablement = google.get(&what, Service::ServiceUsage, &path).await?;
    Ok(found.state == "ENABLED")
}
