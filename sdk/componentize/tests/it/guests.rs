//! Guests, from source to a component that wasmtime loads.

use sidestep_componentize::{Component, Error, MANIFEST_SECTION, componentize};
use sidestep_test_harness::guests::modules;
use wasmparser::{Parser, Payload};

/// Builds a guest of the workspace. Returns `None` if the target is not installed.
pub(crate) fn guest(package: &str) -> Option<Vec<u8>> {
    let [module] = modules([package])?;
    Some(module)
}

fn parse(component: &Component) -> Vec<String> {
    let mut config = wasmtime::Config::new();
    config.wasm_component_model(true);
    let engine = wasmtime::Engine::new(&config).expect("an engine");
    let parsed = wasmtime::component::Component::new(&engine, &component.bytes)
        .expect("wasmtime accepts the component");
    let kind = parsed.component_type();
    let exports: Vec<_> = kind
        .exports(&engine)
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(exports, ["sidestep:step/plugin@0.1.0"]);
    let mut imports: Vec<_> = kind
        .imports(&engine)
        .map(|(name, _)| name.to_owned())
        .collect();
    imports.sort();
    imports
}

/// Returns the manifest sections on the component's top level.
fn sections(component: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload.expect("parses") {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => {
                assert_eq!(depth, 0, "a manifest that is not on the top level");
                found.push(String::from_utf8(section.data().to_vec()).expect("UTF-8"));
            }
            _ => {}
        }
    }
    found
}

#[test]
fn a_guest_that_touches_nothing_imports_nothing_that_a_grant_covers() {
    let Some(module) = guest("sidestep-guest-noop") else {
        return;
    };
    let component = componentize(&module).expect("a component");
    assert_eq!(
        parse(&component),
        ["sidestep:host/types@0.1.0", "sidestep:step/runtime@0.1.0"]
    );
    assert_eq!(component.unused, Vec::<String>::new());
    assert!(
        component.bytes.len() < module.len(),
        "the manifest's code is still there"
    );

    let [section] = &sections(&component.bytes)[..] else {
        panic!("one manifest")
    };
    assert_eq!(*section, component.manifest);
    let manifest: serde_json::Value = serde_json::from_str(section).expect("JSON");
    assert_eq!(manifest["manifestVersion"], 1);
    assert_eq!(manifest["name"], "noop");
    assert_eq!(manifest["description"], "Does nothing.");
    assert_eq!(manifest["apiVersion"], "0.1.0");
    assert_eq!(manifest["requests"], serde_json::json!({}));
    assert_eq!(manifest["pure"], false);
    assert_eq!(
        manifest["inputs"]["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert_eq!(manifest["inputs"]["additionalProperties"], false);
    assert_eq!(
        manifest["outputs"]["properties"]["attempt"]["type"],
        "integer"
    );
    let wait = &manifest["inputs"]["properties"]["wait"];
    assert_eq!(wait["x-sidestep"], "duration", "{wait}");
}

#[test]
fn a_guest_imports_what_it_calls_and_no_more() {
    let Some(module) = guest("sidestep-guest-reader") else {
        return;
    };
    let component = componentize(&module).expect("a component");
    assert_eq!(
        parse(&component),
        [
            "sidestep:host/types@0.1.0",
            "sidestep:step/runtime@0.1.0",
            "sidestep:workspace/files@0.1.0",
        ]
    );
    let manifest: serde_json::Value = serde_json::from_str(&component.manifest).expect("JSON");
    assert_eq!(
        manifest["requests"],
        serde_json::json!({ "workspace": "[{'read': [inputs.path]}]" })
    );
    assert_eq!(manifest["inputs"]["required"], serde_json::json!(["path"]));
}

#[test]
fn what_is_no_guest_is_refused_with_a_reason() {
    assert!(matches!(componentize(b"\0asm"), Err(Error::Module(_))));
    let empty = wasm_encoder::Module::new().finish();
    assert!(matches!(componentize(&empty), Err(Error::NoManifest)));
}
