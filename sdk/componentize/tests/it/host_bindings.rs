//! The host's bindings come from the same path, with the options that the
//! runner uses; that they compile is the test.
#![allow(unsafe_code, missing_docs, clippy::pedantic, unreachable_pub)]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "sidestep:step/all",
    imports: { default: async | trappable },
    exports: { default: async },
});
