//! Projects and the services enabled in them. Grant key: `project`.

use crate::Result;
use crate::bindings::sidestep::gcp::project;
use crate::error::{each, only};

pub use project::{ProjectInfo, ServiceQuery};

/// Returns facts about a project.
pub fn get(id: impl Into<String>) -> Result<ProjectInfo> {
    only(project::get(&[id.into()]))
}

/// Returns facts about projects, in the order of the ids.
pub fn get_all(ids: &[String]) -> Vec<Result<ProjectInfo>> {
    each(project::get(ids))
}

/// Returns whether a service is enabled in a project.
pub fn enabled(project: impl Into<String>, service: impl Into<String>) -> Result<bool> {
    let query = ServiceQuery {
        project: project.into(),
        service: service.into(),
    };
    only(project::enabled(&[query]))
}

/// Returns whether services are enabled, in the order of the queries.
pub fn enabled_all(queries: &[ServiceQuery]) -> Vec<Result<bool>> {
    each(project::enabled(queries))
}
