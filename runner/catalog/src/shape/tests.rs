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

/// Returns a component that creates this many core instances.
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
    // More than any integer type can hold.
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
    assert!(refusal(&component.finish()).contains("that it imports"));
    let mut component = around(&leaf(1), 1);
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(Alias::InstanceExport {
        instance: 0,
        kind: ComponentExportKind::Component,
        name: "any",
    });
    component.section(&aliases);
    assert!(refusal(&component.finish()).contains("takes from an instance"));
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

/// Returns a component with one module that has these functions.
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
