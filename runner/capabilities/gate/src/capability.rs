use sidestep_policy::Capability as Key;
use wasmtime::component::Linker;

use crate::{StepState, runtime, types};

/// A capability that a runner can link: one entry per interface.
#[derive(Debug, Clone, Copy)]
pub struct Capability {
    /// Its grant key.
    pub key: Key,
    /// The WIT interface that a plugin imports, without version: `sidestep:workspace/files`.
    pub interface: &'static str,
    /// The interface's version in this runner; a plugin may be built for an older compatible one.
    pub version: &'static str,
    /// Adds the interface's functions.
    pub link: fn(&mut Linker<StepState>) -> wasmtime::Result<()>,
}

/// Interfaces that grant nothing and are linked to every plugin.
pub const ALWAYS: &[(&str, &str)] = &[
    ("sidestep:host/types", "0.1.0"),
    ("sidestep:step/runtime", "0.1.0"),
    ("sidestep:gcp/types", "0.1.0"),
];

/// Links the interfaces of every plugin: the step's environment and the handles.
pub fn link_always(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    runtime::link(linker)?;
    types::link(linker)
}
