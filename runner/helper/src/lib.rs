//! The runner's work inside of a step's pods, as the program of the helper image.

mod identity;

pub use identity::wait_for_identity;
