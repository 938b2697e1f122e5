//! `project`: facts about projects, and their enabled services.

use google_cloud_api_serviceusage_v1::model::State;
use sidestep_bindings::sidestep::gcp::project as wit;
use sidestep_bindings::sidestep::host::types::Failure as WitFailure;
use sidestep_control_plane::ControlPlane;
use sidestep_events::Failure;
use sidestep_gate::functions::project as functions;
use sidestep_gate::{Capability, StepState};
use sidestep_google::Name;
use sidestep_google::convert::{filled, value};
use sidestep_policy::Capability as Key;
use sidestep_policy::project::ProjectCall;
use sidestep_resources as resource;
use wasmtime::component::Linker;

use crate::{Calls, HasCalls};

/// Grant key and functions.
pub const CAPABILITY: Capability = Capability {
    key: Key::Project,
    link,
};

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasCalls>(linker, |state| Calls(state))
}

impl wit::Host for Calls<'_> {
    async fn get(
        &mut self,
        projects: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<wit::ProjectInfo, WitFailure>>> {
        let google = self.google();
        self.each(google, projects, |gate, google, project| async move {
            let call = ProjectCall {
                project: &project,
                action: "get",
            };
            let found = gate
                .call(functions::GET, &call)
                .run(get(&google, &project))
                .await;
            gate.shown()
                .rights(found, |project| project.state != "ACTIVE")
        })
        .await
    }

    async fn enabled(
        &mut self,
        queries: Vec<wit::ServiceQuery>,
    ) -> wasmtime::Result<Vec<Result<bool, WitFailure>>> {
        let google = self.google();
        self.each(google, queries, |gate, google, query| async move {
            let call = ProjectCall {
                project: &query.project,
                action: "services",
            };
            let found = gate
                .call(functions::ENABLED, &call)
                .run(enabled(&google, &query))
                .await;
            gate.shown().rights(found, |is_enabled| !is_enabled)
        })
        .await
    }
}

async fn get(google: &ControlPlane, project: &str) -> Result<wit::ProjectInfo, Failure> {
    let name = resource::project(project)?;
    let what = format!("get project {project}");
    let found = google.project(&what, &name).await?;
    // A project's number is only in its name.
    let number = found.name.strip_prefix("projects/").unwrap_or_default();
    Ok(wit::ProjectInfo {
        number: number.parse().unwrap_or_default(),
        id: found.project_id,
        display_name: found.display_name,
        state: value(found.state.name()),
        parent: filled(found.parent),
    })
}

async fn enabled(google: &ControlPlane, query: &wit::ServiceQuery) -> Result<bool, Failure> {
    let wit::ServiceQuery { project, service } = query;
    let name = format!("projects/{project}/services/{service}");
    let name = Name::read("service", "projects/P/services/SERVICE", &name)?;
    let what = format!("check whether {service} is enabled in project {project}");
    Ok(google.service(&what, &name).await?.state == State::Enabled)
}
