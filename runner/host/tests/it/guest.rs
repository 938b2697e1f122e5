//! Small components, built from WebAssembly text and the contract's WIT.

use std::path::Path;
use std::sync::LazyLock;

use serde_json::json;
use wasm_encoder::{ComponentSection as _, CustomSection};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

static WIT: LazyLock<(Resolve, WorldId)> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/wit");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(folder).expect("the contract parses");
    let world = resolve
        .select_world(&[package], Some("all"))
        .expect("it has the world");
    (resolve, world)
});

/// Returns the contract, and its world of all capabilities.
pub(crate) fn contract() -> &'static (Resolve, WorldId) {
    &WIT
}

/// A guest. Its functions receive the inputs' text as `$in` and `$len`, return the address of their
/// result, and may use:
/// - `$ok` (address, length): the result with that text as outputs;
/// - `$level`, `$message` and the like, as the imports define them;
/// - memory from address 1024, which contains `data`.
#[derive(Clone)]
pub(crate) struct Guest {
    imports: String,
    data: String,
    run: String,
    check: String,
    more: String,
    requests: serde_json::Map<String, serde_json::Value>,
    outputs: serde_json::Value,
}

pub(crate) const LOG: &str =
    r#"(import "sidestep:step/runtime@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))"#;
pub(crate) const SLEEP: &str =
    r#"(import "sidestep:step/runtime@0.1.0" "sleep" (func $sleep (param i64 i32)))"#;
pub(crate) const PANICKED: &str =
    r#"(import "sidestep:step/runtime@0.1.0" "panicked" (func $panicked (param i32 i32 i32 i32)))"#;
pub(crate) const READ: &str =
    r#"(import "sidestep:workspace/files@0.1.0" "read" (func $read (param i32 i32 i64 i32)))"#;

impl Guest {
    /// Returns a guest whose `run` has this body.
    pub(crate) fn new(run: &str) -> Self {
        Self {
            imports: String::new(),
            data: String::new(),
            run: run.to_owned(),
            // An empty list.
            check: "(i32.store (i32.const 600) (i32.const 8)) (i32.store (i32.const 604) (i32.const 0)) (i32.const 600)".to_owned(),
            more: String::new(),
            requests: serde_json::Map::new(),
            outputs: json!({"type": "object"}),
        }
    }

    pub(crate) fn import(mut self, import: &str) -> Self {
        self.imports.push_str(import);
        self
    }

    /// Places a text at address 1024, or after the previous one.
    pub(crate) fn data(mut self, text: &str) -> Self {
        self.data.push_str(text);
        self
    }

    pub(crate) fn check(mut self, check: &str) -> Self {
        check.clone_into(&mut self.check);
        self
    }

    /// Adds functions.
    pub(crate) fn more(mut self, more: &str) -> Self {
        self.more.push_str(more);
        self
    }

    pub(crate) fn requests(mut self, key: &str) -> Self {
        self.requests.insert(key.to_owned(), "[]".into());
        self
    }

    /// Declares the outputs' schema. The default allows any object.
    pub(crate) fn outputs(mut self, schema: serde_json::Value) -> Self {
        self.outputs = schema;
        self
    }

    /// Returns the component without a manifest.
    pub(crate) fn bare(&self) -> Vec<u8> {
        let Self {
            imports,
            run,
            check,
            more,
            ..
        } = self;
        let data: String = self
            .data
            .bytes()
            .map(|byte| format!("\\{byte:02x}"))
            .collect();
        let text = format!(
            r#"(module
              {imports}
              (memory (export "memory") 2)
              (global $next (mut i32) (i32.const 65536))
              (data (i32.const 1024) "{data}")
              (func (export "cabi_realloc") (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
                (local $at i32)
                (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                (global.set $next (i32.add (local.get $at) (local.get $size)))
                (loop $grow
                  (if (i32.gt_u (global.get $next) (i32.shl (memory.size) (i32.const 16)))
                    (then
                      (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))
                      (br $grow))))
                (local.get $at))
              (func $ok (param $at i32) (param $len i32) (result i32)
                (i32.store8 (i32.const 512) (i32.const 0))
                (i32.store (i32.const 520) (local.get $at))
                (i32.store (i32.const 524) (local.get $len))
                (i32.const 512))
              {more}
              (func (export "sidestep:step/plugin@0.1.0#run") (param $in i32) (param $len i32) (result i32)
                {run})
              (func (export "sidestep:step/plugin@0.1.0#check") (param $in i32) (param $len i32) (result i32)
                {check}))"#
        );
        let mut module = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        embed_component_metadata(&mut module, &WIT.0, WIT.1, StringEncoding::UTF8)
            .expect("it fits the contract");
        ComponentEncoder::default()
            .validate(true)
            .module(&module)
            .expect("it is a module")
            .encode()
            .unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Returns the component with its manifest.
    pub(crate) fn build(&self) -> Vec<u8> {
        with_manifest(self.bare(), &self.manifest())
    }

    pub(crate) fn manifest(&self) -> serde_json::Value {
        json!({
            "manifestVersion": 1, "name": "guest", "version": "1.0.0", "apiVersion": "0.1.0",
            "inputs": {"type": "object"}, "outputs": self.outputs,
            "requests": self.requests,
        })
    }
}

/// Appends a manifest section.
pub(crate) fn with_manifest(mut component: Vec<u8>, manifest: &serde_json::Value) -> Vec<u8> {
    CustomSection {
        name: sidestep_catalog::SECTION.into(),
        data: manifest.to_string().into_bytes().into(),
    }
    .append_to_component(&mut component);
    component
}

/// Returns a guest that logs its inputs and answers with them.
pub(crate) fn echo() -> Guest {
    Guest::new(
        "(call $log (i32.const 1) (local.get $in) (local.get $len) (i32.const 8) (i32.const 0))
         (call $ok (local.get $in) (local.get $len))",
    )
    .import(LOG)
}
