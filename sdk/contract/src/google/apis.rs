//! APIs of projects.

use super::project::is_project;
use crate::Command;

/// Returns the command that enables APIs in a project, or `None` if the text is not a valid
/// project.
pub fn enable_apis(names: &[&str], project: &str) -> Option<Command> {
    let enable = Command::new(&["gcloud", "services", "enable"]);
    let enable = names
        .iter()
        .fold(enable, |enable, name| enable.value(*name))
        .option("--project", project);
    let api = |name: &&str| {
        name.strip_suffix(".googleapis.com")
            .is_some_and(super::project::is_label)
    };
    let known = !names.is_empty() && names.iter().all(api) && is_project(project);
    known.then(|| enable.build())?
}
