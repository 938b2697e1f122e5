//! Projects (Resource Manager v3) and their services (Service Usage v1).

use google_cloud_api_serviceusage_v1::model::State;
use google_cloud_resourcemanager_v3::model::Project;
use serde::Deserialize;
use sidestep_google::{Name, Service as Api};

use super::{Answer, ControlPlane};

/// The part of a service that Sidestep reads. Google's type holds the whole configuration of an API.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Service {
    /// Whether the project has enabled the service.
    pub state: State,
}

impl ControlPlane {
    /// Gets a project, `projects/P`.
    pub fn project<'a>(&'a self, what: &'a str, project: &Name) -> Answer<'a, Project> {
        self.get(what, Api::CloudResourceManager, format!("/v3/{project}"))
    }

    /// Gets a service of a project, `projects/P/services/SERVICE`.
    pub fn service<'a>(&'a self, what: &'a str, service: &Name) -> Answer<'a, Service> {
        self.get(what, Api::ServiceUsage, format!("/v1/{service}"))
    }
}

#[cfg(test)]
mod tests {
    use google_cloud_api_serviceusage_v1::model;

    use super::*;

    #[test]
    fn a_service_is_read_as_google_s_type_reads_it() {
        for state in [State::Enabled, State::Disabled] {
            let whole = model::Service::new()
                .set_name("projects/1/services/iam.googleapis.com")
                .set_state(state.clone());
            let json = serde_json::to_value(&whole).expect("JSON");
            let read: Service = serde_json::from_value(json).expect("a service");
            assert_eq!(read.state, state);
        }
    }
}
