//! The Rust bindings that are generated from the contract's WIT, all in one crate.
//!
//! Only the crate that implements an interface names its generated paths. This crate changes only
//! when the WIT changes.
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    unused_variables,
    clippy::all,
    clippy::pedantic
)]

wasmtime::component::bindgen!({
    world: "all",
    path: "../../../sdk/wit",
    imports: { default: async | trappable },
    exports: { default: async },
    trappable_error_type: {
        "sidestep:host/types.failure" => sidestep_handles::CallError,
    },
    with: {
        "sidestep:host/types.blob": sidestep_handles::Blob,
        "sidestep:host/types.secret": sidestep_handles::Secret,
        "sidestep:host/types.follow": sidestep_handles::Follow,
    },
});
