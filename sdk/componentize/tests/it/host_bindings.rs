//! The host's bindings are generated from the same path, with the options that the runner uses. The
//! test is that they compile.
#![allow(unsafe_code, missing_docs, clippy::pedantic, unreachable_pub)]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "sidestep:step/all",
    imports: { default: async | trappable },
    exports: { default: async },
});
