//! The contract's bindings, as wit-bindgen makes them from `sdk/wit`.
//!
//! The other modules wrap them; use these where a wrapper lacks something.
#![allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic
)]

wit_bindgen::generate!({
    path: "../wit",
    world: "sidestep:step/all",
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export_plugin",
    default_bindings_module: "::sidestep::bindings",
});
