//! How large a component becomes when it is compiled, read off its structure in one pass.
//!
//! A component may instantiate a nested component any number of times, and that one another: a few
//! hundred bytes describe millions of instances, and the compiler writes each of them down. So the
//! counts are multiplied out here first, once for each nested component. Nothing is validated:
//! what is refused here need not be looked at further, and what passes is compiled in a process
//! of its own, which bounds everything else.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Encoding, Instance, Parser, Payload,
};

use crate::PluginError;
use crate::component::malformed;

/// The most core instances that a component may make; a Store makes no more.
pub const MAX_INSTANCES: usize = 100;
/// The most definitions of components, with nested ones counted each time they are instantiated.
const MAX_DEFINITIONS: u64 = 100_000;
/// The most functions of all core modules. Each takes some 6 KiB while it is compiled.
const MAX_FUNCTIONS: u64 = 100_000;
/// The largest function. Compiling takes more than linear time for one; an interpreter's main loop
/// has some 200 KiB.
const MAX_BODY: u64 = 1 << 20;
/// The most types of all core modules.
const MAX_TYPES: u64 = 100_000;
/// The bytes of all type sections of components.
const MAX_TYPE_BYTES: u64 = 4 << 20;
/// How deep modules and components may be nested.
const MAX_DEPTH: usize = 32;

/// What one instantiation of a component comes to.
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

/// A module or component that is being read.
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

/// The counts that are not multiplied: a module is compiled once.
#[derive(Debug, Default)]
struct Totals {
    functions: u64,
    types: u64,
    type_bytes: u64,
}

/// Refuses a component that would become too large. Takes time and memory in proportion to its
/// bytes.
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

/// Counts what a section of a component defines.
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
                // A long list of large ones is not read to its end.
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
                                .ok_or_else(|| malformed("it names a component around the whole"))?
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
                // An export is a new name in the index space.
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
        "plugin.too-complex",
        format!("it has {count} {what}, nested ones multiplied out; at most {most} are compiled"),
    )
    .with_help("build the plugin from smaller parts, or split it into several plugins"))
}

/// A component that is a value could be any, so what it comes to is not known before it is
/// instantiated.
fn handed_around() -> PluginError {
    PluginError::new(
        "plugin.too-complex",
        "it imports a component, or takes one out of an instance, and runs it",
    )
    .with_help("nest the component where it is instantiated")
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        Alias, CodeSection, Component, ComponentAliasSection, ComponentExportKind,
        ComponentExportSection, ComponentImportSection, ComponentInstanceSection,
        ComponentOuterAliasKind as Outer, ComponentTypeRef, ComponentTypeSection, Function,
        FunctionSection, InstanceSection, Module, ModuleArg, ModuleSection, NestedComponentSection,
        TypeSection,
    };

    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        let error = check(bytes).expect_err("it is too large");
        assert_eq!(error.code, "plugin.too-complex", "{error}");
        error.message
    }

    /// A component that makes so many core instances.
    fn leaf(instances: u32) -> Component {
        let mut component = Component::new();
        component.section(&ModuleSection(&Module::new()));
        let mut section = InstanceSection::new();
        for _ in 0..instances {
            section.instantiate(0, std::iter::empty::<(&str, ModuleArg)>());
        }
        component.section(&section);
        component
    }

    fn instantiate(component: &mut Component, indexes: impl IntoIterator<Item = u32>) {
        let mut section = ComponentInstanceSection::new();
        for index in indexes {
            let none = std::iter::empty::<(&str, ComponentExportKind, u32)>();
            section.instantiate(index, none);
        }
        component.section(&section);
    }

    fn around(inner: &Component, times: usize) -> Component {
        let mut component = Component::new();
        component.section(&NestedComponentSection(inner));
        instantiate(&mut component, std::iter::repeat_n(0, times));
        component
    }

    #[test]
    fn instances_of_nested_components_are_multiplied_out() {
        let hundred = around(&around(&leaf(10), 5), 2).finish();
        check(&hundred).expect("one hundred are allowed");
        let more = around(&around(&leaf(10), 5), 3).finish();
        assert!(refusal(&more).contains("150 core instances"));
        let mut deep = leaf(100);
        for _ in 0..25 {
            deep = around(&deep, 1_000);
        }
        // More than any integer holds.
        assert!(refusal(&deep.finish()).contains("core instances"));
    }

    #[test]
    fn components_without_a_module_are_counted_too() {
        let mut hollow = Component::new();
        for _ in 0..6 {
            hollow = around(&hollow, 10);
        }
        assert!(refusal(&hollow.finish()).contains("definitions"));
    }

    #[test]
    fn another_name_for_a_component_costs_what_the_component_does() {
        let mut component = Component::new();
        component.section(&NestedComponentSection(&leaf(60)));
        let mut exports = ComponentExportSection::new();
        exports.export("again", ComponentExportKind::Component, 0, None);
        component.section(&exports);
        let mut inner = Component::new();
        let mut aliases = ComponentAliasSection::new();
        aliases.alias(Alias::Outer {
            kind: Outer::Component,
            count: 1,
            index: 1,
        });
        inner.section(&aliases);
        instantiate(&mut inner, [0]);
        component.section(&NestedComponentSection(&inner));
        instantiate(&mut component, [2]);
        check(&component.clone().finish()).expect("sixty are allowed");
        instantiate(&mut component, [1]);
        assert!(refusal(&component.finish()).contains("120 core instances"));
    }

    #[test]
    fn a_component_that_is_handed_around_is_refused() {
        let mut component = Component::new();
        let mut types = ComponentTypeSection::new();
        types.component(&wasm_encoder::ComponentType::new());
        component.section(&types);
        let mut imports = ComponentImportSection::new();
        imports.import("any", ComponentTypeRef::Component(0));
        component.section(&imports);
        assert!(refusal(&component.finish()).contains("imports a component"));
        let mut component = around(&leaf(1), 1);
        let mut aliases = ComponentAliasSection::new();
        aliases.alias(Alias::InstanceExport {
            instance: 0,
            kind: ComponentExportKind::Component,
            name: "any",
        });
        component.section(&aliases);
        assert!(refusal(&component.finish()).contains("takes one out of an instance"));
    }

    #[test]
    fn names_of_what_is_not_there_are_malformed() {
        let mut component = Component::new();
        instantiate(&mut component, [7]);
        let error = check(&component.finish()).expect_err("no such component");
        assert_eq!(error.code, "plugin.malformed");
        for count in [1, 9, u32::MAX] {
            let mut component = Component::new();
            let mut aliases = ComponentAliasSection::new();
            aliases.alias(Alias::Outer {
                kind: Outer::Component,
                count,
                index: 0,
            });
            component.section(&aliases);
            let error = check(&component.finish()).expect_err("nothing around it");
            assert_eq!(error.code, "plugin.malformed");
        }
    }

    /// A component with one module of these functions.
    fn module(bodies: impl IntoIterator<Item = Function>) -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        for body in bodies {
            functions.function(0);
            code.function(&body);
        }
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&code);
        let mut component = Component::new();
        component.section(&ModuleSection(&module));
        component.finish()
    }

    fn body(nops: usize) -> Function {
        let mut body = Function::new([]);
        body.raw(std::iter::repeat_n(0x01, nops))
            .instructions()
            .end();
        body
    }

    #[test]
    fn functions_and_their_sizes_are_bounded() {
        let some = |count| std::iter::repeat_n(body(0), count);
        check(&module(some(100_000))).expect("so many are allowed");
        assert!(refusal(&module(some(100_001))).contains("100001 functions"));
        check(&module([body(1 << 19)])).expect("so large is allowed");
        assert!(refusal(&module([body(1 << 20)])).contains("bytes in a function"));
    }

    #[test]
    fn types_and_nesting_are_bounded() {
        let mut types = ComponentTypeSection::new();
        for _ in 0..MAX_TYPE_BYTES / 2 {
            types
                .defined_type()
                .list(wasm_encoder::PrimitiveValType::U8);
        }
        let mut component = Component::new();
        component.section(&types);
        assert!(refusal(&component.finish()).contains("bytes of types"));
        let mut deep = leaf(0);
        for _ in 0..MAX_DEPTH {
            deep = around(&deep, 0);
        }
        assert!(refusal(&deep.finish()).contains("levels of nesting"));
    }

    #[test]
    fn every_damaged_byte_is_an_answer() {
        let good = around(&around(&leaf(3), 2), 2).finish();
        for at in 0..good.len() {
            let _ = check(&good[..at]);
            for flip in [0x01, 0x80, 0xff] {
                let mut bad = good.clone();
                bad[at] ^= flip;
                let _ = check(&bad);
            }
        }
    }
}
