//! The host, with guests written for each test in WebAssembly text.
#![allow(clippy::print_stdout, reason = "a test that is not run says so")]
#![allow(
    clippy::disallowed_methods,
    reason = "the tests read variables of their own, not settings of the runner"
)]

mod attacks;
mod cancel;
mod claims;
mod compiling;
mod crowd;
mod denied;
mod evaluator;
#[path = "../../../../tests/attacks/forge.rs"]
mod forge;
mod guest;
mod identity;
mod loading;
mod prices;
mod running;
mod sdk;
mod secrets;
mod sink;
mod workspace;
