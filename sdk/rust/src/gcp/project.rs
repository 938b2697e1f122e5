//! Projects and the services enabled in them. Grant key: `project`.

use crate::Result;
use crate::bindings::sidestep::gcp::project;
use crate::error::{each, only};

pub use project::{ProjectInfo, ServiceQuery};

/// Returns facts about a project.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::project;
///
/// # fn main() -> sidestep::Result<()> {
/// let number = project::get("demo")?.number;
/// # Ok(())
/// # }
/// ```
pub fn get(id: impl Into<String>) -> Result<ProjectInfo> {
    only(project::get(&[id.into()]))
}

/// Returns facts about projects, in the order of the ids.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::project;
///
/// # fn main() -> sidestep::Result<()> {
/// for project in project::get_all(&["demo".to_owned(), "shared".to_owned()]) {
///     sidestep::info!("{}", project?.display_name);
/// }
/// # Ok(())
/// # }
/// ```
pub fn get_all(ids: &[String]) -> Vec<Result<ProjectInfo>> {
    each(project::get(ids))
}

/// Returns whether a service is enabled in a project.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::project;
///
/// # fn main() -> sidestep::Result<()> {
/// if !project::enabled("demo", "artifactregistry.googleapis.com")? {
///     sidestep::warn!("Artifact Registry is not enabled");
/// }
/// # Ok(())
/// # }
/// ```
pub fn enabled(project: impl Into<String>, service: impl Into<String>) -> Result<bool> {
    let query = ServiceQuery {
        project: project.into(),
        service: service.into(),
    };
    only(project::enabled(&[query]))
}

/// Returns whether services are enabled, in the order of the queries.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::project::{self, ServiceQuery};
///
/// # fn main() -> sidestep::Result<()> {
/// let query = |service: &str| ServiceQuery { project: "demo".to_owned(), service: service.to_owned() };
/// let enabled = project::enabled_all(&[query("sts.googleapis.com"), query("iam.googleapis.com")]);
/// # Ok(())
/// # }
/// ```
pub fn enabled_all(queries: &[ServiceQuery]) -> Vec<Result<bool>> {
    each(project::enabled(queries))
}
