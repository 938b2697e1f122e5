//! Tests of the contract's text, and of guests converted to components.
#![allow(
    clippy::disallowed_methods,
    reason = "what the tests' own tasks set is no setting of the runner"
)]

mod guests;
mod host_bindings;
mod run;
mod wit;
