//! The scopes of reads of a Google Cloud project.

crate::lookup::lookup! {
    Project called by ProjectCall:
    /// A read of a project.
    project as Name, /// The project id or number.
    actions ["get", "services"],
    described "project ",
    explained "project"
}
