//! Everything that is generated from the contract's WIT, in one place.
//!
//! Interfaces are imported from here by the module that implements them; nobody else names a
//! generated path.
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
    path: "../../sdk/wit",
    imports: { default: async | trappable },
    exports: { default: async },
    trappable_error_type: {
        "sidestep:host/types.failure" => crate::CallError,
    },
    with: {
        "sidestep:host/types.blob": crate::Blob,
        "sidestep:host/types.secret": crate::Secret,
        "sidestep:host/types.follow": crate::Follow,
    },
});
