//! Projects and the services switched on in them. Grant key: `project`.

use crate::Result;
use crate::bindings::sidestep::gcp::project;
use crate::error::{each, only};

pub use project::{ProjectInfo, ServiceQuery};

/// Facts about a project.
pub fn get(id: impl Into<String>) -> Result<ProjectInfo> {
    only(project::get(&[id.into()]))
}

/// Facts about projects, in the order asked.
pub fn get_all(ids: &[String]) -> Vec<Result<ProjectInfo>> {
    each(project::get(ids))
}

/// Whether a service is enabled in a project.
pub fn enabled(project: impl Into<String>, service: impl Into<String>) -> Result<bool> {
    let query = ServiceQuery {
        project: project.into(),
        service: service.into(),
    };
    only(project::enabled(&[query]))
}

/// Whether services are enabled, in the order asked.
pub fn enabled_all(queries: &[ServiceQuery]) -> Vec<Result<bool>> {
    each(project::enabled(queries))
}
