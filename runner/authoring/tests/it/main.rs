//! Projects as authors have them, with the real cargo: without a network, from the crates that this
//! workspace was built with.
#![allow(
    clippy::disallowed_methods,
    reason = "the variables of a test's environment are not settings of the runner"
)]

mod built;
mod packaged;
mod project;
mod wrong;
