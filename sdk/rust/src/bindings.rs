//! The contract's bindings, which wit-bindgen generates from `sdk/wit`.
//!
//! The other modules wrap them; use these if a wrapper lacks something.
#![allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic
)]

wit_bindgen::generate!({
    path: "wit",
    world: "sidestep:step/all",
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export_plugin",
    default_bindings_module: "::sidestep::bindings",
});
