//! Everything that is generated from the contract's WIT, in one place.
//!
//! Only the crate that implements an interface names its generated paths. This crate changes with
//! the WIT alone.
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
