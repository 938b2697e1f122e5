use sidestep_policy::Capability as Key;
use wasmtime::component::Linker;

use crate::{StepState, runtime, types};

/// A capability that a runner can link: one entry per interface, which the key names.
#[derive(Debug, Clone, Copy)]
pub struct Capability {
    /// Its grant key.
    pub key: Key,
    /// Adds the interface's functions.
    pub link: fn(&mut Linker<StepState>) -> wasmtime::Result<()>,
}

/// Links the interfaces of every plugin: the step's environment and the handles.
pub fn link_always(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    runtime::link(linker)?;
    types::link(linker)
}
