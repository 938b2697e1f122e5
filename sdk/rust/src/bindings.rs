//! The contract's bindings, which are generated from `sdk/wit`.
//!
//! The other modules wrap them; use these if a wrapper lacks something. In a WebAssembly module, they
//! are wit-bindgen's. In a native program, they have the same types and functions, and a
//! [test](mod@crate::testing) answers the calls.
#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
#![cfg_attr(target_arch = "wasm32", allow(unsafe_code))]

#[cfg(target_arch = "wasm32")]
wit_bindgen::generate!({
    path: "wit",
    world: "sidestep:step/all",
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export_plugin",
    default_bindings_module: "::sidestep::bindings",
});

#[cfg(not(target_arch = "wasm32"))]
sidestep_sdk_macros::native_bindings!("wit");
