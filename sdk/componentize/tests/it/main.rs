//! Tests of the contract's text, and of guests converted to components.
#![allow(
    clippy::disallowed_methods,
    reason = "the tests read variables of their own, not settings of the runner"
)]

mod guests;
mod host_bindings;
mod run;
mod wit;
