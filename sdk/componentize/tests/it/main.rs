//! Tests of the contract's text, and of guests converted to components.
#![allow(
    clippy::disallowed_methods,
    reason = "the variables of the tests' own tasks are not settings of the runner"
)]

mod guests;
mod host_bindings;
mod run;
mod wit;
