//! The contract's text, and guests made components.

mod guests;
mod host_bindings;
mod run;
mod wit;
