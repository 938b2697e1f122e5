//! A Google Cloud project.

crate::lookup::lookup! {
    Project:
    /// A look at a project.
    project as Name, /// The project id or number.
    actions ["get", "services"],
    described "project ",
    explained "project"
}
