//! Components that are small to read and large to compile. The host's tests use them too.
#![allow(dead_code, reason = "each test program uses some of them")]

use wasm_encoder::{
    BlockType, CodeSection, Component, ComponentExportKind, ComponentInstanceSection,
    ComponentSection as _, CustomSection, Function, FunctionSection, InstanceSection, Module,
    ModuleArg, ModuleSection, NestedComponentSection, RawSection, TypeSection, ValType,
};

/// Returns a component in which each level instantiates the one below `fan` times. The innermost
/// level instantiates an empty core module as often: `fan` to the power of `depth` core instances.
pub(crate) fn nested(depth: u32, fan: u32) -> Vec<u8> {
    let mut component = Component::new();
    component.section(&ModuleSection(&Module::new()));
    let mut instances = InstanceSection::new();
    for _ in 0..fan {
        instances.instantiate(0, std::iter::empty::<(&str, ModuleArg)>());
    }
    component.section(&instances);
    finish(around(component, depth - 1, fan))
}

/// Like [`nested`], without any core module.
pub(crate) fn hollow(depth: u32, fan: u32) -> Vec<u8> {
    finish(around(Component::new(), depth, fan))
}

fn around(mut component: Component, depth: u32, fan: u32) -> Component {
    for _ in 0..depth {
        let mut outer = Component::new();
        outer.section(&NestedComponentSection(&component));
        let mut instances = ComponentInstanceSection::new();
        for _ in 0..fan {
            let none = std::iter::empty::<(&str, ComponentExportKind, u32)>();
            instances.instantiate(0, none);
        }
        outer.section(&instances);
        component = outer;
    }
    component
}

/// Returns a core module with `count` functions of the given body.
pub(crate) fn functions(count: u32, body: &Function) -> Vec<u8> {
    let mut component = Component::new();
    component.section(&ModuleSection(&module(count, body)));
    finish(component)
}

/// Appends such a module, which is never instantiated, to a component.
pub(crate) fn append(component: &mut Vec<u8>, count: u32, body: &Function) {
    ModuleSection(&module(count, body)).append_to_component(component);
}

fn module(count: u32, body: &Function) -> Module {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I32]);
    let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
    for _ in 0..count {
        functions.function(0);
        code.function(body);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    module
}

/// Returns instance types nested to this depth, three bytes each.
pub(crate) fn nested_types(depth: usize) -> Vec<u8> {
    // A vector of one type: an instance type (0x42) with one declaration (1), a type (1).
    let mut types = vec![1];
    types.extend([0x42, 1, 1].repeat(depth));
    types.extend([0x42, 0]);
    let mut component = Component::new();
    component.section(&RawSection {
        id: 7,
        data: &types,
    });
    finish(component)
}

/// Returns a body that returns nothing although it must return a number.
pub(crate) fn invalid() -> Function {
    let mut body = Function::new([]);
    body.instructions().end();
    body
}

/// Returns the shortest valid body.
pub(crate) fn shortest() -> Function {
    let mut body = Function::new([]);
    body.instructions().unreachable().end();
    body
}

/// Returns a body of about this many bytes of arithmetic and branches, like compiled code.
pub(crate) fn busy(bytes: u32) -> Function {
    let mut body = Function::new([(4, ValType::I32)]);
    let mut code = body.instructions();
    for n in 0..bytes / 30 {
        let (a, b) = (n % 5, (n * 7 + 1) % 5);
        code.block(BlockType::Empty)
            .local_get(a)
            .i32_const(i32::try_from(n % 8_000).unwrap_or(1))
            .i32_xor()
            .local_tee(b)
            .i32_eqz()
            .br_if(0)
            .local_get(a)
            .local_get(b)
            .i32_mul()
            .local_get((n * 3) % 5)
            .i32_add()
            .local_set((n + 2) % 5)
            .end();
    }
    code.local_get(1).local_get(2).i32_add().end();
    body
}

/// Adds a manifest to the component, so that it is read as a plugin.
pub(crate) fn finish(mut component: Component) -> Vec<u8> {
    component.section(&CustomSection {
        name: "sidestep:manifest".into(),
        data: br#"{"manifestVersion":1,"name":"forged","version":"1.0.0","apiVersion":"0.1.0","inputs":{},"outputs":{}}"#[..].into(),
    });
    component.finish()
}
