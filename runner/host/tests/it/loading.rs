use serde_json::json;
use sidestep_catalog::PluginError;
use sidestep_host::{HostConfig, PluginHost, precompile};
use wasm_encoder::{
    Component, ComponentImportSection, ComponentTypeRef, ComponentTypeSection, InstanceType,
};

use crate::guest::{Guest, READ, echo, with_manifest};
use crate::sink::{Step, config, host};

fn refused(component: &[u8]) -> PluginError {
    host().load(component).expect_err("it is refused")
}

/// Returns a component that imports an empty interface with this name.
fn importing(name: &str) -> Vec<u8> {
    let mut component = Component::new();
    let mut types = ComponentTypeSection::new();
    types.instance(&InstanceType::new());
    component.section(&types);
    let mut imports = ComponentImportSection::new();
    imports.import(name, ComponentTypeRef::Instance(0));
    component.section(&imports);
    with_manifest(component.finish(), &echo().manifest())
}

#[test]
fn an_unknown_import_is_named() {
    let error = refused(&importing("acme:weather/report@1.0.0"));
    assert_eq!(
        error.message,
        "plugin `guest`: it imports `acme:weather/report@1.0.0`, which this runner doesn't have"
    );
}

#[test]
fn wasi_is_refused_with_the_way_out() {
    let error = refused(&importing("wasi:cli/stdout@0.2.3"));
    assert_eq!(
        error.message,
        "plugin `guest`: it imports `wasi:cli/stdout@0.2.3`, but plugins have no WASI: no files, \
         clocks, sockets or output of their own"
    );
    assert!(error.help[0].contains("sidestep plugin build"), "{error:?}");
}

#[test]
fn an_interface_of_a_later_version_is_named() {
    let error = refused(&importing("sidestep:step/runtime@0.2.0"));
    assert_eq!(
        error.message,
        "plugin `guest`: it needs `sidestep:step/runtime@0.2.0`; this runner has version 0.1.0"
    );
}

#[test]
fn an_import_that_is_not_requested_is_refused() {
    let guest = Guest::new("(call $read (local.get $in) (local.get $len) (i64.const 10) (i32.const 512)) (i32.const 512)")
        .import(READ);
    let error = refused(&guest.build());
    assert_eq!(
        error.message,
        "plugin `guest`: it imports `sidestep:workspace/files@0.1.0` and its manifest does not \
         request `workspace`"
    );
    host()
        .load(&guest.requests("workspace").build())
        .expect("requested, it loads");
}

#[test]
fn a_request_of_another_runner_s_capability_is_named() {
    let error = refused(&echo().requests("teleport").build());
    assert_eq!(
        error.message,
        "plugin `guest`: it requests `teleport`, a capability that this runner doesn't have"
    );
}

#[test]
fn two_manifests_are_refused() {
    let guest = echo();
    let error = refused(&with_manifest(guest.build(), &guest.manifest()));
    assert_eq!(
        error.message,
        "it has 2 `sidestep:manifest` sections; there must be one"
    );
}

#[test]
fn a_newer_plugin_is_told_both_versions() {
    let mut manifest = echo().manifest();
    manifest["apiVersion"] = json!("0.9.0");
    let error = refused(&with_manifest(echo().bare(), &manifest));
    assert_eq!(
        error.message,
        "it needs API 0.9.0; this runner supports 0.1.0 to 0.1.0"
    );
}

#[test]
fn a_component_that_exports_no_plugin_is_refused() {
    let error = refused(&with_manifest(
        Component::new().finish(),
        &echo().manifest(),
    ));
    assert_eq!(error.code, "plugin.exports");
}

#[test]
fn every_damaged_byte_is_refused_or_harmless() {
    let good = echo().build();
    let host = host();
    for at in (0..good.len()).step_by(37) {
        let mut bad = good.clone();
        bad[at] ^= 0xff;
        // It must not panic. Whether a byte matters is up to the validator.
        let _ = host.load(&bad);
        let _ = host.load(&good[..at]);
    }
}

#[tokio::test]
async fn compiled_plugins_are_kept_and_a_damaged_one_is_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = || {
        PluginHost::new(HostConfig {
            cache_dir: Some(folder.path().join("aot")),
            ..config()
        })
        .expect("a host")
    };
    let component = echo().build();
    host().load(&component).expect("it loads");
    let entries: Vec<_> = std::fs::read_dir(folder.path().join("aot"))
        .expect("made")
        .map(|entry| entry.expect("readable").path())
        .collect();
    let [entry] = &entries[..] else {
        panic!("one entry: {entries:?}");
    };
    let good = std::fs::read(entry).expect("readable");
    std::fs::write(entry, &good[..good.len() / 2]).expect("written");
    let plugin = host().load(&component).expect("it loads all the same");
    Step::new().run(&plugin).await.expect("it runs");
    assert_eq!(std::fs::read(entry).expect("readable"), good);
}

#[tokio::test]
async fn an_unusable_cache_is_done_without() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let host = PluginHost::new(HostConfig {
        cache_dir: Some(file.path().to_owned()),
        ..config()
    })
    .expect("a host");
    let plugin = host.load(&echo().build()).expect("it loads");
    Step::new().run(&plugin).await.expect("it runs");
}

#[tokio::test]
async fn code_of_the_build_is_used_and_code_of_another_is_not() {
    let component = echo().build();
    let code = precompile(&component).expect("it compiles");
    for code in [&code[..], b"of another engine", &[]] {
        let plugin = host().load_precompiled(&component, code).expect("it loads");
        Step::new().run(&plugin).await.expect("it runs");
    }
}
