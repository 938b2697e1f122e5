//! Estimates how large a component becomes when it is compiled, from its structure in one pass.
//!
//! A component may instantiate a nested component any number of times, which in turn may
//! instantiate others: a few hundred bytes can describe millions of instances, each of which the
//! compiler writes out. So the counts are multiplied out here first, once for each nested
//! component. Nothing is validated. A component that is rejected here needs no further checks. One
//! that passes is compiled in a separate process, whose limits cover everything else.

use sidestep_events::codes;
use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Encoding, Instance, Parser, Payload,
};

use crate::PluginError;
use crate::error::malformed;

/// The maximum number of core instances that a component may create, which is also a Store's limit.
pub const MAX_INSTANCES: usize = 100;
/// The maximum number of definitions in components. Nested ones count each time they are
/// instantiated.
const MAX_DEFINITIONS: u64 = 100_000;
/// The maximum number of functions in all core modules. Each takes about 6 KiB during compilation.
const MAX_FUNCTIONS: u64 = 100_000;
/// The maximum size of a function, in bytes. Compile time grows faster than linearly with it. An
/// interpreter's main loop has about 200 KiB.
const MAX_BODY: u64 = 1 << 20;
/// The maximum number of types in all core modules.
const MAX_TYPES: u64 = 100_000;
/// The maximum size of all type sections of components, in bytes.
const MAX_TYPE_BYTES: u64 = 4 << 20;
/// The maximum nesting depth of modules and components.
const MAX_DEPTH: usize = 32;

/// The cost of one instantiation of a component.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cost {
    instances: u64,
    definitions: u64,
}

impl Cost {
    fn add(&mut self, other: Self) {
        self.instances = self.instances.saturating_add(other.instances);
        self.definitions = self.definitions.saturating_add(other.definitions);
    }

    fn define(&mut self, count: usize) {
        self.definitions = self.definitions.saturating_add(count as u64);
    }

    fn check(&self) -> Result<(), PluginError> {
        at_most("core instances", self.instances, MAX_INSTANCES as u64)?;
        at_most("definitions", self.definitions, MAX_DEFINITIONS)
    }
}

/// The state of a module or component that is being read.
#[derive(Debug, Default)]
struct Frame {
    is_component: bool,
    cost: Cost,
    /// The index space of components.
    components: Vec<Cost>,
}

impl Frame {
    fn component(&self, index: u32) -> Result<Cost, PluginError> {
        let found = self.components.get(index as usize).copied();
        found.ok_or_else(|| malformed(format!("it has no component {index} to instantiate")))
    }
}

/// The counts that are not multiplied, since a module is compiled only once.
#[derive(Debug, Default)]
struct Totals {
    functions: u64,
    types: u64,
    type_bytes: u64,
}

/// Rejects a component that would become too large. Takes time and memory in proportion to its
/// size.
pub(crate) fn check(bytes: &[u8]) -> Result<(), PluginError> {
    let mut frames: Vec<Frame> = Vec::new();
    let mut totals = Totals::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(malformed)?;
        match &payload {
            Payload::Version { encoding, .. } => {
                frames.push(Frame {
                    is_component: *encoding == Encoding::Component,
                    ..Frame::default()
                });
                at_most("levels of nesting", frames.len() as u64, MAX_DEPTH as u64)?;
            }
            Payload::End(_) => {
                let ended = frames.pop().unwrap_or_default();
                if let Some(outer) = frames.last_mut().filter(|_| ended.is_component) {
                    outer.components.push(ended.cost);
                }
            }
            _ => {
                totals.count(&payload)?;
                define(&mut frames, payload)?;
                frames.last().map_or(Ok(()), |frame| frame.cost.check())?;
            }
        }
    }
    Ok(())
}

impl Totals {
    fn count(&mut self, payload: &Payload<'_>) -> Result<(), PluginError> {
        match payload {
            Payload::FunctionSection(section) => self.functions += u64::from(section.count()),
            Payload::TypeSection(section) => self.types += u64::from(section.count()),
            Payload::CoreTypeSection(section) => self.type_bytes += section.range().len() as u64,
            Payload::ComponentTypeSection(section) => {
                self.type_bytes += section.range().len() as u64;
            }
            Payload::CodeSectionEntry(body) => {
                at_most("bytes in a function", body.range().len() as u64, MAX_BODY)?;
            }
            _ => {}
        }
        at_most("functions", self.functions, MAX_FUNCTIONS)?;
        at_most("types", self.types, MAX_TYPES)?;
        at_most("bytes of types", self.type_bytes, MAX_TYPE_BYTES)
    }
}

/// Counts the definitions in a section of a component.
fn define(frames: &mut [Frame], payload: Payload<'_>) -> Result<(), PluginError> {
    let Some((frame, outer)) = frames.split_last_mut() else {
        return Ok(());
    };
    match payload {
        Payload::InstanceSection(section) => {
            for instance in section {
                match instance.map_err(malformed)? {
                    Instance::Instantiate { args, .. } => {
                        frame.cost.instances = frame.cost.instances.saturating_add(1);
                        frame.cost.define(1 + args.len());
                    }
                    Instance::FromExports(exports) => frame.cost.define(1 + exports.len()),
                }
            }
        }
        Payload::ComponentInstanceSection(section) => {
            for instance in section {
                match instance.map_err(malformed)? {
                    ComponentInstance::Instantiate {
                        component_index,
                        args,
                    } => {
                        let cost = frame.component(component_index)?;
                        frame.cost.add(cost);
                        frame.cost.define(1 + args.len());
                    }
                    ComponentInstance::FromExports(exports) => frame.cost.define(1 + exports.len()),
                }
                // Stop early in a long list of large components.
                frame.cost.check()?;
            }
        }
        Payload::ComponentAliasSection(section) => {
            for alias in section {
                frame.cost.define(1);
                match alias.map_err(malformed)? {
                    ComponentAlias::Outer {
                        kind: ComponentOuterAliasKind::Component,
                        count,
                        index,
                    } => {
                        let cost = match count as usize {
                            0 => frame.component(index)?,
                            count => outer
                                .len()
                                .checked_sub(count)
                                .and_then(|at| outer.get(at))
                                .ok_or_else(|| {
                                    malformed("it refers to a component outside of itself")
                                })?
                                .component(index)?,
                        };
                        frame.components.push(cost);
                    }
                    ComponentAlias::InstanceExport {
                        kind: ComponentExternalKind::Component,
                        ..
                    } => return Err(handed_around()),
                    _ => {}
                }
            }
        }
        Payload::ComponentImportSection(section) => {
            for import in section {
                frame.cost.define(1);
                if let ComponentTypeRef::Component(_) = import.map_err(malformed)?.ty {
                    return Err(handed_around());
                }
            }
        }
        Payload::ComponentExportSection(section) => {
            for export in section {
                let export = export.map_err(malformed)?;
                frame.cost.define(1);
                // An export adds an entry to the index space.
                if export.kind == ComponentExternalKind::Component {
                    let cost = frame.component(export.index)?;
                    frame.components.push(cost);
                }
            }
        }
        Payload::ComponentCanonicalSection(section) => frame.cost.define(section.count() as usize),
        Payload::ComponentTypeSection(section) => frame.cost.define(section.count() as usize),
        _ => {}
    }
    Ok(())
}

fn at_most(what: &str, count: u64, most: u64) -> Result<(), PluginError> {
    if count <= most {
        return Ok(());
    }
    Err(PluginError::new(
        codes::plugin::TOO_COMPLEX,
        format!("it has {count} {what}, counting nested instances; the maximum is {most}"),
    )
    .with_help("build the plugin from smaller parts, or split it into several plugins"))
}

/// Returns the error for a component that is passed as a value. It could be any component, so its
/// cost is unknown before it is instantiated.
fn handed_around() -> PluginError {
    PluginError::new(
        codes::plugin::TOO_COMPLEX,
        "it instantiates a component that it imports or takes from an instance",
    )
    .with_help("define the component where it is instantiated")
}

#[cfg(test)]
mod tests;
