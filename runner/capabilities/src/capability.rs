use sidestep_policy::Capability as Key;
use wasmtime::component::Linker;

use crate::{
    StepState, gcp, http_client, identity, kubernetes, registry, runtime, secrets, storage, types,
    workspace,
};

/// A capability that this runner can link: one row a module.
#[derive(Debug, Clone, Copy)]
pub struct Capability {
    /// Its grant key.
    pub key: Key,
    /// The WIT interface that a plugin imports, without version: `sidestep:workspace/files`.
    pub interface: &'static str,
    /// The interface's version here; a plugin may be built for an older compatible one.
    pub version: &'static str,
    /// Adds the interface's functions.
    pub link: fn(&mut Linker<StepState>) -> wasmtime::Result<()>,
}

/// Every capability of this runner.
pub const CAPABILITIES: &[Capability] = &[
    workspace::CAPABILITY,
    storage::CAPABILITY,
    gcp::project::CAPABILITY,
    gcp::iam::CAPABILITY,
    gcp::iam_write::CAPABILITY,
    gcp::gke::CAPABILITY,
    gcp::artifact_registry::CAPABILITY,
    gcp::secret_manager::CAPABILITY,
    identity::CAPABILITY,
    kubernetes::CAPABILITY,
    registry::CAPABILITY,
    secrets::CAPABILITY,
    http_client::CAPABILITY,
];

/// Interfaces that confer nothing and are linked to every plugin.
pub const ALWAYS: &[(&str, &str)] = &[
    ("sidestep:host/types", "0.1.0"),
    ("sidestep:step/runtime", "0.1.0"),
    ("sidestep:gcp/types", "0.1.0"),
];

/// The capability of a grant key.
pub fn by_key(key: &str) -> Option<&'static Capability> {
    CAPABILITIES.iter().find(|known| known.key.as_str() == key)
}

/// The capability of an interface, named without its version.
pub fn by_interface(interface: &str) -> Option<&'static Capability> {
    CAPABILITIES
        .iter()
        .find(|known| known.interface == interface)
}

/// Links what every plugin has: the step's surroundings and the handles.
pub fn link_always(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    runtime::link(linker)?;
    types::link(linker)
}
